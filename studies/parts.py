"""The parts of a fit, made from its description: network, optimizer, loss, early stopping. Every engine uses these."""

import functools
import math

import keras

import keras_amsgrad
from keras_amsgrad import InverseSqrtDecay, LinearDecay, normalized_weight_decay
from keras_amsgrad.schedules import WarmRestarts
from studies.losses import LOSSES
from studies.models import network
from studies.own.models import network as own_network

FIRST_RESTART = 2  # epochs; each restart is twice as long as the one before


def network_of(fit, data):
    """Return a function without arguments that returns the fit's uncompiled network."""
    if ":" in fit.model:
        return functools.partial(own_network, fit.model)
    shape = data.x_train.shape[1:]
    return functools.partial(network, fit.model, shape, data.classes, flip=fit.flip, l2=fit.l2)


def loss_of(fit):
    """Return the loss as Keras takes it."""
    return LOSSES.get(fit.loss, fit.loss)


def early_stopping_of(fit):
    """Return Keras's callback, or None."""
    return None if fit.patience is None else keras.callbacks.EarlyStopping("loss", mode="min", patience=fit.patience)


def optimizer_of(fit, rows):
    """Return the optimizer of a fit on so many training rows."""
    schedule = SCHEDULES[fit.schedule](fit, updates := math.ceil(rows / fit.batch_size))
    settings = {"beta_2": fit.beta_2, "bias_correction": fit.bias_correction}
    settings = {name: value for name, value in settings.items() if value is not None} | fit.options
    if "normalized_decay" in settings:
        decay = settings.pop("normalized_decay") / fit.learning_rate  # Keras multiplies by the learning rate
        all_updates = schedule if isinstance(schedule, WarmRestarts) else fit.epochs * updates
        settings["weight_decay"] = normalized_weight_decay(decay, all_updates)
    kind = getattr(keras_amsgrad, fit.optimizer, None) or getattr(keras.optimizers, fit.optimizer)
    return kind(schedule, **settings)


def _linear(fit, updates):
    """Return alpha (1 - e / epochs) in epoch e = 0 .. epochs - 1, as Korzeniowski has it."""
    if fit.epochs == 1:
        return fit.learning_rate
    return LinearDecay(fit.learning_rate, fit.epochs, updates, final=fit.learning_rate / fit.epochs)


# From the name of a schedule to what `optimizer_of` gives Keras, by fit and updates in an epoch.
SCHEDULES = {
    "": lambda fit, updates: fit.learning_rate,
    "linear": _linear,
    "inverse-sqrt-epoch": lambda fit, updates: InverseSqrtDecay(fit.learning_rate, steps_per_epoch=updates),
    "inverse-sqrt-update": lambda fit, updates: InverseSqrtDecay(fit.learning_rate),
    "warm-restarts": lambda fit, updates: WarmRestarts(fit.learning_rate, FIRST_RESTART * updates, multiplier=2),
}
