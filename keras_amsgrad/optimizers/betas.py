"""The decay rates of the moments, and their running products, which the corrections of the moments follow from.

They are variables, so that setting one takes effect in a model that is already compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers.settings import NewScalars, Setting, Variable, at_step, checked_beta, shortest_float
from keras_amsgrad.rules import Tensor

if TYPE_CHECKING:
    from keras_amsgrad.optimizers.base import RuleOptimizer


def added(optimizer: RuleOptimizer, name: str, value: Setting) -> Setting | Variable:
    """Return the variable of a decay rate, or its schedule."""
    value = checked_beta(name, value)
    return value if callable(value) else optimizer._add_scalar(name, value)


class Beta:
    """The decay rate of a moment, now, as a number; unless it follows a schedule it may be set at any time."""

    def __set_name__(self, owner: type[RuleOptimizer], name: str) -> None:
        self.name = name

    def __get__(self, optimizer: RuleOptimizer | None, owner: type[RuleOptimizer]) -> Any:
        if optimizer is None:
            return self
        beta = getattr(optimizer, f"_{self.name}")
        return shortest_float(at_step(beta, keras_internals.batches_seen(optimizer)) if callable(beta) else beta)

    def __set__(self, optimizer: RuleOptimizer, value: float) -> None:
        beta = getattr(optimizer, f"_{self.name}")
        if callable(beta) or callable(value):
            raise ValueError(
                f"`{self.name}` can be set to a number only, and only where it was a number from the start."
            )
        beta.assign(checked_beta(self.name, value))


class RunningProduct:
    """A product of factors in [0, 1), one for each update, kept as its logarithm.

    Unlike the product, the logarithm keeps its digits while the product is close to 1. It is a sum in two parts, `log`
    and `rest`, the rounding errors of `log`: at beta = .999999, float32 alone would be 6 % off when the product is 1/e.
    """

    def __init__(self, optimizer: RuleOptimizer, name: str) -> None:
        self.log = optimizer._add_scalar(f"log_{name}_product")
        self.rest = optimizer._add_scalar(f"log_{name}_product_rest")

    def one_minus(self) -> Tensor:
        """Return 1 - product, the sum of the weights that a running average has given to gradients so far."""
        return -ops.expm1(self.log)

    def times(self, factor: Tensor) -> tuple[Tensor, NewScalars]:
        """Return 1 - product after one more factor, and the values that `log` and `rest` then have."""
        log = ops.convert_to_tensor(self.log)
        more = ops.log(factor) + ops.convert_to_tensor(self.rest)
        total = log + more
        added = total - log
        rest = (log - (total - added)) + (more - added)  # what `total` lost to rounding (Knuth's two-sum)
        return -ops.expm1(total), [(self.log, total), (self.rest, ops.nan_to_num(rest))]  # NaN where a factor was 0
