"""Dropout rates and weight penalties as numbers, in which replicas that share a program may differ."""

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.replicas import backends

PENALTIES = {keras.regularizers.L1: "l1", keras.regularizers.L2: "l2"}  # and the attribute that holds the number
_one_at_a_time = threading.Lock()  # programs are traced in several threads, from one network


def strengths(model: keras.Model) -> tuple[float, ...]:
    """Return the rates of the Dropout layers of a network, then the numbers of L1 and L2 on its weights.

    Rates of 0 and 1 are not among them: such a layer draws no random numbers.

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_regularizer="l2")])
    >>> model.add(keras.layers.Dropout(0.5))
    >>> strengths(model)
    (0.5, 0.01)
    """
    penalties = [getattr(v.regularizer, PENALTIES[type(v.regularizer)]) for v in _penalized(model)]
    return tuple(float(number) for number in [*(layer.rate for layer in _dropouts(model)), *penalties])


@contextmanager
def without_strengths(model: keras.Model) -> Iterator[None]:
    """Give all `strengths` of a network the same number within the context, also in its configuration."""
    holders = [(layer, "rate") for layer in _dropouts(model)]
    holders += [(v.regularizer, PENALTIES[type(v.regularizer)]) for v in _penalized(model)]
    numbers = [getattr(holder, name) for holder, name in holders]
    try:
        for holder, name in holders:
            setattr(holder, name, 0.5)
        yield
    finally:
        for (holder, name), number in zip(holders, numbers, strict=True):
            setattr(holder, name, number)


@contextmanager
def with_strengths(model: keras.Model, numbers: Sequence[Any]) -> Iterator[None]:
    """Let a network compute with other `strengths` within the context: scalars, which a program may be traced with."""
    dropouts, penalized = _dropouts(model), _penalized(model)
    regularizers = [variable.regularizer for variable in penalized]
    with _one_at_a_time:
        try:
            for layer, rate in zip(dropouts, numbers, strict=False):
                vars(layer)["call"] = _dropout(layer, rate)
            for variable, number in zip(penalized, numbers[len(dropouts) :], strict=True):
                variable.regularizer = copy.copy(variable.regularizer)
                setattr(variable.regularizer, PENALTIES[type(variable.regularizer)], number)
            yield
        finally:
            for layer in dropouts:
                vars(layer).pop("call", None)
            for variable, regularizer in zip(penalized, regularizers, strict=True):
                variable.regularizer = regularizer


def _dropouts(model: keras.Model) -> list[keras.layers.Dropout]:
    layers = keras_internals.all_layers(model)
    return [layer for layer in layers if type(layer) is keras.layers.Dropout and 0 < layer.rate < 1]


def _penalized(model: keras.Model) -> list[keras.Variable]:
    return [variable for variable in model.trainable_variables if type(variable.regularizer) in PENALTIES]


def _dropout(layer: keras.layers.Dropout, rate: Any) -> Any:
    """Return `layer.call` with another rate, which may be a scalar that Python cannot compare with 0."""

    def call(inputs: Any, training: bool = False) -> Any:
        return backends.dropout(inputs, rate, layer.noise_shape, layer.seed_generator) if training else inputs

    return call
