"""ND-Adam, and which axes of a weight array form the weight vector of one unit."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.settings import (
    LARGEST_OF,
    Config,
    Numbers,
    Setting,
    Variable,
    checked_learning_rate,
    serialized,
    shortest_float,
)
from keras_amsgrad.rules import Axes, Step, Tensor

# The first pattern found in a weight's path says which axes of its kernel hold the incoming weights of one unit, given
# the number of axes. Keras names layers after their type. Weights without a pattern have no vectors.
VECTORS_BY_LAYER: tuple[tuple[str, Callable[[int], Iterable[int] | None]], ...] = (
    (r"depthwise_conv\w*/kernel$|depthwise_kernel$", lambda rank: range(rank - 2)),  # (..., in, multiplier)
    (r"conv\dd_transpose\w*/kernel$", lambda rank: [*range(rank - 2), rank - 1]),  # (..., out, in)
    (r"(query|key|value)/kernel$", lambda rank: [0]),  # (in, heads, out)
    (r"einsum_dense\w*/kernel$", lambda rank: None),  # known to its equation only
    (r"kernel$", lambda rank: range(rank - 1)),  # (..., in, out)
)


def vector_axes(path: str, rank: int, choices: Mapping[str, Iterable[int] | None]) -> Axes | None:
    """Return the axes of the weight at `path` that form one vector, or None; `choices` come before the defaults.

    >>> vector_axes("sequential/conv2d/kernel", 4, {})
    (0, 1, 2)
    >>> vector_axes("sequential/conv2d/bias", 1, {}) is None
    True
    >>> vector_axes("sequential/words/embeddings", 2, {"words": [1]})
    (1,)
    """
    for pattern, axes in choices.items():
        if re.search(pattern, path):
            return None if axes is None else checked_axes(path, rank, axes)
    for pattern, axes_of in VECTORS_BY_LAYER:
        if re.search(pattern, path):
            axes = axes_of(rank)
            return tuple(axes) if axes else None
    return None


def checked_axes(path: str, rank: int, axes: Iterable[int]) -> Axes:
    axes = tuple(axes)
    if len(set(axes)) < len(axes) or not all(isinstance(axis, int) and 0 <= axis < rank for axis in axes):
        raise ValueError(
            f"`vector_axes` must name different axes from 0 to {rank - 1} for the weight {path!r}. Received: {axes!r}"
        )
    return axes


@keras.saving.register_keras_serializable("keras_amsgrad")
class NDAdam(RuleOptimizer):
    """ND-Adam (Zhang, Ma, Li and Wu 2017): Adam on the direction of each unit's weight vector.

    For every vector `w` of the incoming weights of one unit: `g <- g - (g . w) w`, the moments as Adam's except that
    `v` averages `|g|^2`, one number per vector, `w <- w - alpha (m / c_1) / (sqrt(v / c_2) + epsilon)`, `w <- w / |w|`.
    Vectors have norm 1 from the first update on. All other weights (biases, normalisation, embeddings) follow Adam.

    Which axes of a kernel form a vector is read from its path, in which Keras names layers by type: Dense and
    recurrent kernels 0; convolutions all but the last; depthwise convolutions all but the last two; transposed
    convolutions all but the last but one; attention's query, key and value 0. A layer with a name of its own counts as
    dense or ordinary convolution: give its axes in `vector_axes`.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...).
        beta_2: Decay rate of the second moment, in [0, 1), or a callable of the step.
        epsilon: Added to the root of the second moment, > 0.
        other_learning_rate: The learning rate of all other weights, of the same kinds, or None for `learning_rate`. The
            authors' code has two, 50-fold apart: 0.05 for vectors, 0.001 for the rest.
        vector_axes: `{pattern: axes}`: for weights in whose path the regular expression is found, the axes that form
            one vector, or None for plain Adam. The first match counts, before the defaults.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `clipnorm`, `use_ema`, `name`, ... `weight_decay`
            acts on weights without vectors only, with their learning rate: a vector's norm is fixed.

    Raises:
        ValueError: A setting is outside its range, or `vector_axes` names an axis that a weight does not have.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="head")])
    >>> model.compile(optimizer=NDAdam(vector_axes={"head/kernel": None}), loss="mse")
    """

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: float = 1e-8,
        vector_axes: Mapping[str, Iterable[int] | None] | None = None,
        other_learning_rate: Setting | None = None,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **keras_arguments)
        self._other_learning_rate: Any = other_learning_rate
        if other_learning_rate is not None:
            rate = checked_learning_rate(other_learning_rate, "other_learning_rate")
            self._other_learning_rate = rate if callable(rate) else self._add_scalar("other_learning_rate", rate)
        self.vector_axes = {pattern: axes and list(axes) for pattern, axes in (vector_axes or {}).items()}

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        paths = [str(getattr(variable, "path", variable.name)) for variable in variables]
        ranks = [len(variable.shape) for variable in variables]
        self._axes = [vector_axes(path, rank, self.vector_axes) for path, rank in zip(paths, ranks, strict=True)]
        super().build(variables)

    def _decide_decays(self) -> None:
        super()._decide_decays()
        self._decays = [decays and not axes for decays, axes in zip(self._decays, self._axes, strict=True)]

    def _add_slots(self, variables: list[Variable]) -> tuple[list[Variable], ...]:
        momentum = self.add_optimizer_variables(variables, "momentum")
        velocity = [
            m if m is None else self._add_slot(variable, "velocity", vector_shape(variable.shape, axes or ()))
            for m, variable, axes in zip(momentum, variables, self._axes, strict=True)
        ]
        return momentum, velocity

    @property
    def other_learning_rate(self) -> Tensor:
        """The learning rate of weights without vectors, now; one that was a number may be set to another."""
        rate = self._other_learning_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            return rate(keras_internals.batches_seen(self))
        return rate() if callable(rate) else self.learning_rate if rate is None else rate

    @other_learning_rate.setter
    def other_learning_rate(self, value: float) -> None:
        rate = self._other_learning_rate
        if rate is None or callable(rate) or callable(value):
            raise ValueError("`other_learning_rate` can be set to a number only, and only where it was one.")
        rate.assign(checked_learning_rate(value, "other_learning_rate"))

    def hyperparameters(self, **numbers: Tensor) -> Numbers:
        c_1, c_2 = numbers["c_1"], numbers["c_2"]
        other = self._other_alpha(numbers["alpha"])
        own = {"root_c_2": ops.sqrt(c_2), "other_alpha": self.step_size(other, c_1, c_2)}
        return {**super().hyperparameters(**numbers), **own}

    def _other_alpha(self, alpha: Tensor) -> Tensor:
        if self._other_learning_rate is None:
            return alpha
        return ops.cast(self.other_learning_rate, self._beta_1_product.log.dtype)

    def _decay(self, alpha: Tensor) -> Tensor | None:
        return super()._decay(self._other_alpha(alpha))

    def alpha_of(self, i: int, numbers: Numbers) -> Tensor:
        return numbers["alpha" if self._axes[i] else "other_alpha"]

    def update(  # type: ignore[override]
        self,
        i: int,
        g: Tensor,
        w: Tensor,
        slots: list[Tensor],
        *,
        alpha: Tensor,
        other_alpha: Tensor,
        epsilon: Tensor,
        root_c_2: Tensor,
        **numbers: Tensor,
    ) -> Step:
        axes = self._axes[i]
        if not axes:
            return rules.adam(g, *slots, alpha=other_alpha, epsilon=epsilon, **numbers)
        n = max(1, math.prod(w.shape[axis] for axis in axes))
        largest = LARGEST_OF[keras.backend.standardize_dtype(g.dtype)]
        g = rules.bounded(g, largest / math.sqrt(n))  # n squares are summed
        return rules.nd_adam(g, w, *slots, alpha=alpha, epsilon=epsilon * root_c_2, axes=axes, **numbers)

    def get_config(self) -> Config:
        rate = self._other_learning_rate
        return {
            **super().get_config(),
            "vector_axes": {k: v and list(v) for k, v in self.vector_axes.items()},
            "other_learning_rate": serialized(rate) if rate is None or callable(rate) else shortest_float(rate),
        }


def vector_shape(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Return `shape` with the axes of a vector as 1: one number for each vector.

    >>> vector_shape((3, 3, 16, 32), (0, 1, 2))
    (1, 1, 1, 32)
    """
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
