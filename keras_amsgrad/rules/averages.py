"""Running averages, and what corrects their bias: the parts that the rules share."""

import math
from typing import Any

from keras import config, ops

Tensor = Any  # of any backend, NumPy's, or a plain number: Keras has no type for it
Step = tuple[Tensor, tuple[Tensor, ...]]  # what to subtract from the weights, and the new slots


def average(m: Tensor, x: Tensor, beta: Tensor, rest: Tensor | None = None) -> Tensor:
    """Move the running average `m` towards `x`: `beta m + (1 - beta) x`.

    `rest` is 1 - beta where that is known more precisely: in float32, the difference is wrong by 1e-5 at beta = .999.

    From beta = 1/2 on as `m + (1 - beta) (x - m)`, whose only rounding of the size of `m` is the sum: near 1, errors of
    many updates add up. Below 1/2 as it is written, for there `m + (x - m)` would lose an `x` far smaller than `m`.
    """
    near_1, rest = is_near_1(beta), 1 - beta if rest is None else rest
    return (beta + near_1 * rest) * m + rest * (x - near_1 * m)


def is_near_1(beta: Tensor) -> Tensor:
    """Return 1 where `beta` is at least 1/2, else 0, in the type of `beta`."""
    if isinstance(beta, (int, float)):
        return float(beta >= 0.5)
    beta = ops.convert_to_tensor(beta)
    return ops.cast(beta >= 0.5, beta.dtype)


def larger(a: Tensor, b: Tensor) -> Tensor:
    """Return the larger of each pair. Not `ops.maximum`: on torch, Keras computes that in float32 always."""
    return ops.where(a > b, a, b)


def bounded(g: Tensor, largest: Tensor) -> Tensor:
    """Return a gradient with every element in [-largest, largest]; NaN stays NaN."""
    return ops.clip(g, -largest, largest)


def one_minus_power(beta: Tensor, t: Tensor) -> Tensor:
    """Return `1 - beta^t`, the sum of the weights of a running average after `t` updates.

    `1 - beta**t` loses up to three digits to cancellation at small `t`; `expm1` does not. `t` is a tensor whose type
    sets the precision (a plain number counts as Keras's `floatx`).
    """
    t = t if ops.is_tensor(t) else ops.convert_to_tensor(t, dtype=config.floatx())
    if isinstance(beta, (int, float)):  # keep a plain number's own precision
        return -ops.expm1(t * (math.log(beta) if beta > 0 else -math.inf))
    return -ops.expm1(t * ops.log(beta))


def corrected(alpha: Tensor, c_1: Tensor, c_2: Tensor) -> Tensor:
    """Return Adam's step size with bias correction, `alpha sqrt(c_2) / c_1`.

    Source: Kingma and Ba 2015, section 2 (the efficient form: epsilon is added to the uncorrected root),
    https://arxiv.org/abs/1412.6980.
    """
    return alpha * ops.sqrt(c_2) / c_1


def bias_corrected(alpha: Tensor, t: Tensor, beta_1: Tensor, beta_2: Tensor) -> Tensor:
    """Return `corrected` for constant betas, `alpha sqrt(1 - beta_2^t) / (1 - beta_1^t)`."""
    return corrected(alpha, one_minus_power(beta_1, t), one_minus_power(beta_2, t))
