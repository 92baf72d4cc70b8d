"""The parts of a fit, made from its description: network, optimizer, loss, score, early stopping; for all engines."""

import functools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import keras_amsgrad
from keras_amsgrad import InverseSqrtDecay, LinearDecay, normalized_weight_decay
from keras_amsgrad.schedules import WarmRestarts
from studies.catalog import Arm
from studies.catalog.fit import Fit
from studies.catalog.metrics import OWN, OWN_OF_NUMBERS, score_of
from studies.data.dataset import Dataset
from studies.data.inputs import first_rows
from studies.networks.losses import LOSSES
from studies.networks.metrics import R2
from studies.networks.own import network as own_network
from studies.networks.own import parts
from studies.networks.parts import Parts, further_metrics
from studies.networks.published import network

FIRST_RESTART = 2  # epochs; each restart is twice as long as the one before
INVERSE_TIME = 0.14  # in the searches that Bennatan, Collin and Ng's code makes

# On probabilities, Keras computes this loss from the logits behind them on TensorFlow and from clipped probabilities on
# JAX and torch. The networks of the studies return logits instead, so that it means the same on every backend.
THROUGH_LOGITS = "sparse_categorical_crossentropy"


def network_of(fit: Fit, data: Dataset) -> Callable[[], keras.Model]:
    """Return a function without arguments that returns the fit's uncompiled network."""
    if ":" in fit.model:
        return functools.partial(own_network, fit.model, first_rows(data.x_train))
    shape = data.x_train.shape[1:]
    how: dict[str, Any] = {"flip": fit.flip, "l2": fit.l2, "logits": fit.loss == THROUGH_LOGITS}
    return functools.partial(network, fit.model, shape, data.classes, **how)


def loss_of(fit: Fit) -> str | Callable[..., Any]:
    """Return the loss as Keras takes it."""
    if fit.loss == THROUGH_LOGITS and ":" not in fit.model:
        return LOSSES["logits_crossentropy"]
    return parts(fit.model).loss if fit.loss in (OWN, OWN_OF_NUMBERS) else LOSSES.get(fit.loss, fit.loss)


def metrics_of(fit: Fit, y: np.ndarray) -> list[Any]:
    """Return what is measured beside the loss, the score first, as Keras takes it; `y` are targets of a `Dataset`."""
    return [_score(fit, y), *further_metrics(parts(fit.model), score_of(fit.loss))]


def _score(fit: Fit, y: np.ndarray) -> Any:
    threshold = 0.0 if fit.loss == "logit_crossentropy" else parts(fit.model).threshold
    if score_of(fit.loss) == "r2":
        return R2(y.shape[1])
    if y.ndim == 2 or threshold != Parts.threshold:  # Keras's "accuracy" is that of one-hot classes, or above .5
        return keras.metrics.BinaryAccuracy("accuracy", threshold=threshold)
    return "accuracy"


def targets_of(fit: Fit, y: np.ndarray, classes: int) -> np.ndarray:
    """Return targets of a `Dataset` as loss and metrics take them: classes one-hot where these are the user's so."""
    return keras.utils.to_categorical(y, classes) if parts(fit.model).one_hot else y


def callbacks_of(fit: Fit) -> list[keras.callbacks.Callback]:
    """Return new callbacks for a fit: early stopping where it has a patience, and the user's."""
    stopping = [keras.callbacks.EarlyStopping("loss", mode="min", patience=fit.patience)] if fit.patience else []
    return [*stopping, *parts(fit.model).new_callbacks()]


def optimizer_of(fit: Fit, rows: int) -> keras.Optimizer:
    """Return the optimizer of a fit on so many training rows."""
    alpha, updates = fit.learning_rate, math.ceil(rows / fit.batch_size)
    assert alpha is not None, "a search chooses it before anything trains"
    schedule = SCHEDULES[fit.schedule](alpha, fit.epochs, updates)
    settings = settings_of(fit)
    if "normalized_decay" in settings:
        decay = settings.pop("normalized_decay") / alpha  # Keras multiplies by the learning rate
        all_updates = schedule if isinstance(schedule, WarmRestarts) else fit.epochs * updates
        settings["weight_decay"] = normalized_weight_decay(decay, all_updates)
    return class_of(fit.optimizer)(schedule, **settings)


def class_of(optimizer: str) -> Any:
    """Return the class of an optimizer: of this package, or else Keras's."""
    return getattr(keras_amsgrad, optimizer, None) or getattr(keras.optimizers, optimizer)


def settings_of(part: Fit | Arm) -> dict[str, Any]:
    """Return the arguments of an optimizer, besides the learning rate; `normalized_decay` is for `optimizer_of`."""
    settings = {"beta_2": part.beta_2, "bias_correction": part.bias_correction}
    return {name: value for name, value in settings.items() if value is not None} | part.options


def _linear(alpha: float, epochs: int, updates: int) -> float | LinearDecay:
    """Return alpha (1 - e / epochs) in epoch e = 0 .. epochs - 1, as Korzeniowski has it."""
    return alpha if epochs == 1 else LinearDecay(alpha, epochs, updates, final=alpha / epochs)


def _inverse_time(alpha: float, epochs: int, updates: int) -> keras.optimizers.schedules.InverseTimeDecay:
    return keras.optimizers.schedules.InverseTimeDecay(alpha, decay_steps=1, decay_rate=INVERSE_TIME)


# From the name of a schedule to what `optimizer_of` gives Keras, by alpha, epochs, and updates in an epoch.
SCHEDULES: dict[str, Callable[[float, int, int], Any]] = {
    "": lambda alpha, epochs, updates: alpha,
    "linear": _linear,
    "inverse-sqrt-epoch": lambda alpha, epochs, updates: InverseSqrtDecay(alpha, steps_per_epoch=updates),
    "inverse-sqrt-update": lambda alpha, epochs, updates: InverseSqrtDecay(alpha),
    "inverse-time": _inverse_time,
    "warm-restarts": lambda alpha, epochs, updates: WarmRestarts(alpha, FIRST_RESTART * updates, multiplier=2),
}
