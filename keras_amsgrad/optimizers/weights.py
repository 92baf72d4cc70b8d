"""The weights of a model: which of them have a rule, and their moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers.settings import Variable

if TYPE_CHECKING:
    from keras_amsgrad.optimizers.base import RuleOptimizer


def check_weights(weights: list[Variable]) -> None:
    """Raise ValueError for weights that the rules are not defined for: complex ones, and whole numbers."""
    for weight in weights:
        dtype = keras.backend.standardize_dtype(weight.dtype)
        if not dtype.startswith(("float", "bfloat")):
            name = getattr(weight, "path", weight.name)
            raise ValueError(
                f"Weights must be real floating-point numbers. Received: {name!r} of type {dtype}. Train the real and "
                "the imaginary part of complex weights as two weights."
            )


def update_averages(optimizer: RuleOptimizer, weights: list[Variable]) -> None:
    """Update the moving averages of `use_ema`."""
    # As Keras, but in the average's own type: in bfloat16 an average with momentum .999 would never move.
    for weight, mean in zip(weights, keras_internals.averages(optimizer), strict=True):
        if mean is not None:
            momentum = ops.cast(ops.not_equal(optimizer.iterations, 0), mean.dtype) * optimizer.ema_momentum
            mean.assign(rules.average(ops.convert_to_tensor(mean), ops.cast(weight, mean.dtype), momentum))
