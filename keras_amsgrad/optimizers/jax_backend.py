"""JAX: one weight array after the other; all of them are compiled into one program."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from keras import ops

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers.settings import Numbers, Variable
from keras_amsgrad.rules import Tensor

if TYPE_CHECKING:
    from keras_amsgrad.optimizers.base import RuleOptimizer


def check_supported(optimizer: RuleOptimizer) -> None:
    """Raise ValueError for a combination of settings that would fail later, or silently."""


def beside(optimizer: RuleOptimizer, variable: Variable) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which new variables are placed where `variable` is."""
    return contextlib.nullcontext()


def outside_of_traces() -> contextlib.AbstractContextManager[Any]:
    """Return a context in which variables are assigned now, not when a function that is being traced will run."""
    return contextlib.nullcontext()


def dense(g: Tensor) -> Tensor:
    """Return a gradient as a dense tensor; rows with the same index are summed."""
    return ops.convert_to_tensor(g, sparse=False)


def summed_over_devices(grads: list[Tensor]) -> list[Tensor]:
    """Return each gradient as its sum over all devices, where they do not come as sums."""
    return grads


def update_all(optimizer: RuleOptimizer, grads: list[Tensor], weights: list[Variable], numbers: Numbers) -> None:
    """Update all weights and their slots."""
    for g, weight in zip(grads, weights, strict=True):
        optimizer._update_by_rule(g, weight, numbers)


def overwrite_with_averages(optimizer: RuleOptimizer, weights: list[Variable]) -> None:
    """Give every weight the value of its moving average."""
    # As Keras, but copies: Keras makes the weight and its average one array, which the next `fit` loses.
    for weight, mean in zip(weights, keras_internals.averages(optimizer), strict=True):
        if mean is not None:
            weight.assign(ops.copy(mean))
