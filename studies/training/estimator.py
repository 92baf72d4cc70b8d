"""The scikeras seam: its classifier as scikit-learn >= 1.7 wants it, seeded, journalled, one program for many fits."""

import dataclasses
import json
import math
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import ClassifierTags

from keras_amsgrad.optimizers import RuleOptimizer
from studies.catalog.fit import Fit
from studies.catalog.metrics import is_score
from studies.data.dataset import Dataset
from studies.data.inputs import fed
from studies.networks.own import parts
from studies.records.journal import Journal
from studies.records.outcome import Outcome
from studies.training.backup import EpochBackup
from studies.training.batches import EpochClock, ordered_batches
from studies.training.build import callbacks_of, loss_of, metrics_of, network_of, optimizer_of, targets_of

Rows = tuple[np.ndarray, np.ndarray]  # x, y

# Steps that Keras runs between two returns to Python: enough that Python no longer counts (measured: 32 halve the
# time of a small model's epoch), few enough that Ctrl-C is answered. On torch Keras has no other number than 1.
STEPS_PER_EXECUTION = 1 if keras.backend.backend() == "torch" else 128


def classifier(work: Fit, data: Dataset, journal: Journal, select: str = "val_loss") -> "StudyClassifier":
    """Return the classifier that does a piece of work (a `Fit`) on rows of `data`; `select` is what it scores by."""
    return StudyClassifier(
        network_of(work, data),
        work=work,
        journal=journal,
        select=select,
        weight_of_class=data.class_weight,
        classes=data.classes,
        batch_size=work.batch_size,
        epochs=work.epochs,
        random_state=work.seed,
        shuffle=False,  # `ordered_batches` shuffles
        verbose=0,
    )


class StudyClassifier(KerasClassifier):
    """scikeras's KerasClassifier for studies.

    * scikit-learn sees a classifier (scikeras 0.13 does not carry the tags of scikit-learn 1.7). Targets
      (rows, outputs) are no classes: they reach the network as they are.
    * The optimizer is made from `work`, which a search varies: a schedule depends on the number of rows, which scikeras
      does not know.
    * The same `random_state` means the same initial weights and the same order of batches, for every optimizer.
    * `fit` records its outcome in `journal`, and takes it from there where it is recorded already.
    * `score` is the validation accuracy (of a regression R²) after the last epoch, or minus the validation loss:
      `select` says which. A search keeps the setting with the highest score.
    * Fits that differ in numbers only share one compiled model in a process: it is traced once and set back before
      each fit. So `model_` belongs to the estimator that was fitted last.

    `work` is the `Fit` to record, less the fold, which the estimator adds. `journal` is a `Journal`, `weight_of_class`
    the `class_weight` of a `Dataset`, `classes` its number of classes.
    """

    def __init__(
        self,
        model: Callable[[], keras.Model],
        *,
        work: Fit,
        journal: Journal,
        select: str,
        weight_of_class: tuple[float, ...] | None = None,
        classes: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(model=model, **settings)
        self.work = work
        self.journal = journal
        self.select = select
        self.weight_of_class = weight_of_class
        self.classes = classes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        tags.target_tags.required = True
        return tags

    @property
    def target_encoder(self) -> Any:
        """What makes targets of a `Dataset` those of loss and metrics."""
        return FunctionTransformer(lambda y: targets_of(self.work, y, self.classes))

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        *,
        fold_of: np.ndarray | None = None,
        pool: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
        validation_data: Rows | None = None,
    ) -> "StudyClassifier":
        """Train on X (rows, ...) and y (rows,) or (rows, outputs), and validate after every epoch.

        Either `validation_data` = (X, y), or for a search `pool` = (X, y, fold_of) with all rows and the fold (0, 1,
        ...) in which each validates, together with the `fold_of` of the training rows: the fold that they lack
        validates.
        """
        fold = None
        if pool is not None and fold_of is not None:
            x_all, y_all, fold_of_all = pool
            (fold,) = set(fold_of_all.tolist()) - set(fold_of.tolist())
            validation_data = x_all[fold_of_all == fold], y_all[fold_of_all == fold]
        assert validation_data is not None
        work = dataclasses.replace(self.work, fold=fold)
        outcome = self.journal.find(work)
        if outcome is None:
            outcome = self._train(X, y, validation_data, self.journal.backup_path(work))
            self.journal.write(work, outcome)
        self.outcome_ = outcome
        return self

    def score(self, X: Any = None, y: Any = None) -> float:
        """Return what `select` names after the last epoch, a loss with a minus; NaN where training diverged."""
        last = self.outcome_.history[self.select][-1] if self.outcome_.status != "diverged" else math.nan
        return last if is_score(self.select) else -last

    def _train(self, X: np.ndarray, y: np.ndarray, validation_data: Rows, backup_path: Path) -> Outcome:
        start = time.perf_counter()
        self.inputs_, self.targets_, self.validation_data_ = X, y, validation_data
        self.callbacks_ = callbacks_of(self.work)
        can_continue = not parts(self.work.model).callbacks  # which may hold anything
        self.backup_ = EpochBackup(backup_path if can_continue else None, self.callbacks_ if can_continue else ())
        super().fit(np.arange(len(y)).reshape(-1, 1), y)  # scikeras takes no structured array; `inputs_` are trained on
        history = self.backup_.history
        diverged = not all(math.isfinite(value) for values in history.values() for value in values)
        stopped = any(getattr(callback, "stopped_epoch", 0) > 0 for callback in self.callbacks_)
        status = "diverged" if diverged else "stopped" if stopped else "ok"
        return Outcome.here(status, history, time.perf_counter() - start)

    def _build_keras_model(self) -> keras.Model:
        # scikeras would switch TensorFlow's deterministic kernels on and off around each fit. With seeds and order
        # fixed they change nothing on a CPU, and cost a third of the time.
        self._random_state = None
        keras.utils.set_random_seed(self.random_state)
        compile_arguments = {
            "optimizer": optimizer_of(self.work, len(self.targets_)),
            "loss": loss_of(self.work),
            "metrics": metrics_of(self.work, self.targets_),
        }
        return shared_program(super()._build_keras_model(), pickle.dumps(self.model), compile_arguments)

    def _fit_keras_model(self, X: np.ndarray, y: np.ndarray, **arguments: Any) -> None:
        clock = EpochClock()
        x_val, y_val = self.validation_data_
        done = self.backup_.restore(self.model_)
        arguments |= {
            "initial_epoch": done,
            "epochs": self.epochs - done,
            "validation_data": (fed(x_val), self.target_encoder_.transform(y_val)),
            "validation_batch_size": 2000,
            "batch_size": None,  # `ordered_batches` makes the batches
        }
        if self.weight_of_class is not None:
            arguments["class_weight"] = dict(enumerate(self.weight_of_class))
        self._fit_callbacks += [clock, keras.callbacks.TerminateOnNaN(), *self.callbacks_, self.backup_]
        batches = ordered_batches(self.inputs_, y, self.batch_size, self.random_state, clock, self.work.fill_last_batch)
        super()._fit_keras_model(batches, None, **arguments)


_programs: dict[tuple[Any, ...], tuple[keras.Model, list[np.ndarray]]] = {}


def shared_program(
    model: keras.Model,
    model_id: bytes,
    compile_arguments: dict[str, Any],
    steps_per_execution: int = STEPS_PER_EXECUTION,
) -> keras.Model:
    """Return a compiled model in the state of a new one: the weights of `model`, the optimizer's numbers, empty slots.

    Tracing costs about a second and Keras never gives back a program's memory, so models that differ only in numbers
    share one. `model_id` tells networks apart.
    """
    optimizer = compile_arguments["optimizer"]
    config = optimizer.get_config()
    betas = ("beta_1", "beta_2") if isinstance(optimizer, RuleOptimizer) else ()  # those of Keras's own are constants
    names = [name for name in ("learning_rate", *betas) if isinstance(config.get(name), float)]
    numbers = {name: config.pop(name) for name in names}
    config.pop("name")
    program_id = (
        *(model_id, model.dtype_policy.name, *(variable.shape for variable in model.variables)),
        *(type(optimizer), json.dumps(config), str(compile_arguments["loss"]), steps_per_execution),
    )
    if program_id not in _programs:
        for metric in compile_arguments["metrics"]:
            if isinstance(metric, keras.metrics.Metric):  # a user's, in which the last program's numbers are left
                metric.reset_state()
        model.compile(**compile_arguments, steps_per_execution=steps_per_execution)
        # For mixed_float16, `compile` has put our optimizer in Keras's LossScaleOptimizer.
        model.optimizer.build(model.trainable_variables)
        _programs[program_id] = model, [keras.ops.convert_to_numpy(variable) for variable in model.optimizer.variables]
    shared, optimizer_start = _programs[program_id]
    for variable, value in zip(shared.variables, model.variables, strict=True):
        variable.assign(value)
    for variable, value in zip(shared.optimizer.variables, optimizer_start, strict=True):
        variable.assign(value)
    for name, value in numbers.items():
        setattr(getattr(shared.optimizer, "inner_optimizer", shared.optimizer), name, value)
    return shared
