"""Fits of the line-up that cannot be replicas, and the run that is monitored: epochs without `model.fit`.

`model.fit` makes new iterators over its data for every epoch, which takes longer than an epoch of a small problem.
"""

import math
import pickle
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_amsgrad.order import epoch_order
from studies.catalog.fit import Fit
from studies.catalog.lineup import DIGITS, FINAL
from studies.data.dataset import Dataset
from studies.data.folds import folds
from studies.data.inputs import fed
from studies.records.outcome import Outcome
from studies.training.build import loss_of, metrics_of, network_of, optimizer_of, targets_of
from studies.training.estimator import shared_program

Callbacks = Sequence[keras.callbacks.Callback]
Rows = tuple[Any, np.ndarray]  # x as Keras takes it, y


def trained(fit: Fit, data: Dataset, callbacks: Callbacks = ()) -> Outcome:
    """Return the outcome of a fit whose fold validates; a final fit is measured on the test rows as well.

    The initial weights and the order of the rows are those of replicas with this seed. `callbacks` are told of batches
    and epochs, and may add to the logs of an epoch.
    """
    started = time.perf_counter()
    training, measured = _rows(fit, data)
    model = _compiled(fit, data, len(training[1]))
    epoch_of = _steps(model, fit, training, callbacks) if callbacks else _program(model, fit, data, training)
    history: dict[str, list[float]] = {}
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin()
    status = "ok"
    for epoch in range(fit.epochs):
        logs = epoch_of(epoch_order(fit.seed, epoch, len(training[1])))
        for part, rows in measured.items():
            model.reset_metrics()  # which `test_on_batch` of Keras before 3.15 does not
            found = model.test_on_batch(*rows, return_dict=True)
            logs |= {f"{part}_{name}": float(value) for name, value in found.items()}
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)
        for name, value in logs.items():
            history.setdefault(name, []).append(value)
        if not (math.isfinite(logs["loss"]) and math.isfinite(logs["val_loss"])):
            status = "diverged"
            break
    return Outcome.here(status, history, time.perf_counter() - started, DIGITS.get(fit.stage))


def _rows(fit: Fit, data: Dataset) -> tuple[Rows, dict[str, Rows]]:
    """Return the rows that train, and those to measure after every epoch: "val", and of a final fit "test"."""
    assert fit.folds is not None
    assert fit.fold_seed is not None
    trains = folds(data.y_train, fit.folds, fit.fold_seed) != fit.fold
    y, y_test = (targets_of(fit, each, data.classes) for each in (data.y_train, data.y_test))
    measured = {"val": (fed(data.x_train[~trains]), y[~trains])}
    if fit.stage == FINAL:
        measured["test"] = fed(data.x_test), y_test
    return (fed(data.x_train[trains]), y[trains]), measured


def _compiled(fit: Fit, data: Dataset, rows: int) -> keras.Model:
    """Return a compiled network in its initial state; fits that differ in numbers only share one."""
    keras.utils.set_random_seed(fit.seed)
    build = network_of(fit, data)
    how = {"optimizer": optimizer_of(fit, rows), "loss": loss_of(fit), "metrics": metrics_of(fit, data.y_train)}
    return shared_program(build(), pickle.dumps(build), how, steps_per_execution=1)


def _steps(
    model: keras.Model, fit: Fit, training: Rows, callbacks: Callbacks = ()
) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function that trains on rows in an order, a call of Keras for each batch, and returns their loss."""

    def epoch_of(order: np.ndarray) -> dict[str, float]:
        total = 0.0
        for batch, start in enumerate(range(0, len(order), fit.batch_size)):
            rows = order[start : start + fit.batch_size]
            for callback in callbacks:
                callback.on_train_batch_begin(batch)
            x, y = keras.tree.map_structure(lambda array, rows=rows: array[rows], training)
            model.reset_metrics()
            total += len(rows) * float(model.train_on_batch(x, y, return_dict=True)["loss"])
            for callback in callbacks:
                callback.on_train_batch_end(batch)
        return {"loss": total / len(order)}

    return epoch_of


_programs: dict[tuple[int, str], Any] = {}  # by model and data


def _program(model: keras.Model, fit: Fit, data: Dataset, training: Rows) -> Callable[[np.ndarray], dict[str, float]]:
    """Return the same function, on TensorFlow as one program for all batches of an epoch."""
    if keras.backend.backend() != "tensorflow":
        return _steps(model, fit, training)
    import tensorflow as tf

    key = id(model), data.fingerprint
    if key not in _programs:
        x, y = tf.nest.map_structure(tf.constant, training)

        def step(start: Any, order: Any) -> tuple[Any, Any]:
            rows = order[start : start + fit.batch_size]
            model.train_step(tf.nest.map_structure(lambda array: tf.gather(array, rows), (x, y)))
            return start + fit.batch_size, order

        def epoch(order: Any) -> None:
            tf.while_loop(lambda start, order: start < tf.size(order), step, (tf.constant(0), order))

        _programs[key] = model, tf.function(epoch)  # the model is kept, so that no other gets its id

    def epoch_of(order: np.ndarray) -> dict[str, float]:
        model.reset_metrics()
        _programs[key][1](tf.constant(order, "int32"))
        return {name: float(value) for name, value in model.get_metrics_result().items()}

    return epoch_of
