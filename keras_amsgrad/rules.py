"""The update rules, in the letters of the papers.

Each rule is a pure function of the gradient `g` and its slots. It returns the step to *subtract* from the weights and
the new slots. Bias correction is not part of a rule: it is a choice of `alpha`, made by `corrected` from the weight
sums `c_1`, `c_2` of the moments (or by `bias_corrected` from `t`), so the same mathematics serves both forms. Where a
paper adds epsilon to the *corrected* root, `sqrt(v / c_2) + epsilon`, give the rule `epsilon sqrt(c_2)`.

Every argument broadcasts against `g`, so one call can carry many settings at once. The precision is that of the
arguments: give float64 tensors for float64 results.

Letters: `g` gradient, `m` first moment, `v` second moment, `v_max` the largest `v` so far, `u` infinity norm, `w`
weights, `alpha` step size, `t` number of the update, counted from 1; `c_1`, `c_2` the sums of the weights that `m`,
`v` have given to gradients so far: `1 - beta^t`, or `1 - product of the betas` where beta changes.

>>> g, zeros = ops.array([3.0, -1.0]), ops.zeros(2)
>>> alpha = bias_corrected(0.1, 1, beta_1=0.9, beta_2=0.99)
>>> step, (m, v, v_max) = amsgrad(g, zeros, zeros, zeros, alpha=alpha, beta_1=0.9, beta_2=0.99, epsilon=1e-8)
>>> [round(float(x), 4) for x in step]  # Adam's first step is alpha, whatever the size of the gradient
[0.1, -0.1]
"""

import math
from typing import Any

from keras import config, ops

Tensor = Any  # of any backend, NumPy's, or a plain number: Keras has no type for it
Step = tuple[Tensor, tuple[Tensor, ...]]  # what to subtract from the weights, and the new slots
Axes = tuple[int, ...]


def average(m: Tensor, x: Tensor, beta: Tensor) -> Tensor:
    """Move the running average `m` towards `x`: `beta m + (1 - beta) x`, with a single rounding of `1 - beta`."""
    return m + (1 - beta) * (x - m)


def larger(a: Tensor, b: Tensor) -> Tensor:
    """Return the larger of each pair. Not `ops.maximum`: on torch, Keras computes that in float32 always."""
    return ops.where(a > b, a, b)


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

    Source: Kingma and Ba 2015, section 2 (the efficient form: epsilon is added to the uncorrected root).
    """
    return alpha * ops.sqrt(c_2) / c_1


def bias_corrected(alpha: Tensor, t: Tensor, beta_1: Tensor, beta_2: Tensor) -> Tensor:
    """Return `corrected` for constant betas, `alpha sqrt(1 - beta_2^t) / (1 - beta_1^t)`."""
    return corrected(alpha, one_minus_power(beta_1, t), one_minus_power(beta_2, t))


def momentum_corrected(alpha: Tensor, t: Tensor, beta_1: Tensor) -> Tensor:
    """Return the step size with the first moment's correction only, `alpha / (1 - beta_1^t)`."""
    return alpha / one_minus_power(beta_1, t)


def adam(g: Tensor, m: Tensor, v: Tensor, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor) -> Step:
    """Adam (Kingma and Ba 2015, Algorithm 1 in its efficient form).

    m    <- beta_1 m + (1 - beta_1) g
    v    <- beta_2 v + (1 - beta_2) g^2
    step  = alpha m / (sqrt(v) + epsilon)

    Returns (step, (m, v)).
    """
    m = average(m, g, beta_1)
    v = average(v, ops.square(g), beta_2)
    return alpha * m / (ops.sqrt(v) + epsilon), (m, v)


def amsgrad(
    g: Tensor, m: Tensor, v: Tensor, v_max: Tensor, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor
) -> Step:
    """AMSGrad (Reddi, Kale and Kumar 2018, Algorithm 2), before the projection.

    m     <- beta_1 m + (1 - beta_1) g
    v     <- beta_2 v + (1 - beta_2) g^2
    v_max <- max(v_max, v)
    step   = alpha m / (sqrt(v_max) + epsilon)

    Returns (step, (m, v, v_max)).
    """
    m = average(m, g, beta_1)
    v = average(v, ops.square(g), beta_2)
    v_max = larger(v_max, v)
    return alpha * m / (ops.sqrt(v_max) + epsilon), (m, v, v_max)


def adamax(g: Tensor, m: Tensor, u: Tensor, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor) -> Step:
    """AdaMax (Kingma and Ba 2015, Algorithm 2), with epsilon so that a weight without gradients stays where it is.

    m    <- beta_1 m + (1 - beta_1) g
    u    <- max(beta_2 u, |g|)
    step  = alpha m / (u + epsilon)

    Returns (step, (m, u)).
    """
    m = average(m, g, beta_1)
    u = larger(beta_2 * u, ops.abs(g))
    return alpha * m / (u + epsilon), (m, u)


def nadam_momentum(beta_1: Tensor, t: Tensor, decay: float | None) -> Tensor:
    """Return Nadam's momentum at update `t`, `mu_t = beta_1 (1 - 0.96^(t decay) / 2)`; `decay=None` keeps beta_1."""
    return beta_1 if decay is None else beta_1 * (1 - 0.5 * ops.exp(math.log(0.96) * decay * t))


def nadam(
    g: Tensor,
    m: Tensor,
    v: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    share_m: Tensor,
    share_g: Tensor,
) -> Step:
    """Nadam (Dozat 2016): Adam that looks one momentum step ahead.

    m    <- beta_1 m + (1 - beta_1) g
    v    <- beta_2 v + (1 - beta_2) g^2
    step  = alpha (share_m m + share_g g) / (sqrt(v) + epsilon)

    `share_m = mu_{t+1} / (1 - product of mu_1 .. mu_{t+1})` and `share_g = (1 - mu_t) / (1 - product of mu_1 .. mu_t)`
    carry the first moment's correction. Dozat's form corrects the root as well, before epsilon: give `alpha sqrt(c_2)`
    and `epsilon sqrt(c_2)`. Returns (step, (m, v)).
    """
    m = average(m, g, beta_1)
    v = average(v, ops.square(g), beta_2)
    return alpha * (share_m * m + share_g * g) / (ops.sqrt(v) + epsilon), (m, v)


def squared_norm(x: Tensor, axes: Axes) -> Tensor:
    """Return the squared Euclidean norm of each vector of `x` that lies along `axes`, with those axes kept as 1."""
    return ops.sum(ops.square(x), axis=axes, keepdims=True)


def unit(w: Tensor, axes: Axes) -> Tensor:
    """Scale every vector of `w` along `axes` to norm 1. A vector of zeros has no direction and stays as it is."""
    squared = squared_norm(w, axes)
    return w * ops.where(squared > 0, ops.rsqrt(ops.where(squared > 0, squared, 1.0)), 1.0)


def nd_adam(
    g: Tensor,
    w: Tensor,
    m: Tensor,
    v: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    axes: Axes,
) -> Step:
    """ND-Adam (Zhang, Ma, Li and Wu 2017, Algorithm 1) for weight vectors along `axes` of `w`.

    w    <- w / |w|
    g    <- g - (g . w) w
    m    <- beta_1 m + (1 - beta_1) g
    v    <- beta_2 v + (1 - beta_2) |g|^2        one number per vector
    w    <- w - alpha m / (sqrt(v) + epsilon)
    w    <- w / |w|

    The paper corrects both moments: give `corrected(alpha, c_1, c_2)` and `epsilon sqrt(c_2)`. `v` has the shape of
    `w` with `axes` as 1. The first line makes up for initial weights of another norm; later it changes nothing.
    Returns (w - new w, (m, v)).
    """
    direction = unit(w, axes)
    g = g - ops.sum(g * direction, axis=axes, keepdims=True) * direction
    m = average(m, g, beta_1)
    v = average(v, squared_norm(g, axes), beta_2)
    return w - unit(direction - alpha * m / (ops.sqrt(v) + epsilon), axes), (m, v)


def swats_rate(rate: Tensor, step_dot_step: Tensor, step_dot_g: Tensor, beta_2: Tensor) -> tuple[Tensor, Tensor]:
    """Return SWATS's estimate of the SGD rate that Adam's step amounts to, and its running average.

    gamma  = (step . step) / (step . g)          SGD's step gamma g, projected on Adam's, equals Adam's
    rate  <- beta_2 rate + (1 - beta_2) gamma

    Where the step is orthogonal to the gradient there is no such rate: gamma is 0 and `rate` stays.
    The products run over the whole parameter vector. Source: Keskar and Socher 2017, Algorithm 1 (its step is added,
    hence its minus sign). Returns (gamma, rate).
    """
    exists = step_dot_g != 0
    gamma = ops.where(exists, step_dot_step / ops.where(exists, step_dot_g, 1.0), 0.0)
    return gamma, ops.where(exists, average(rate, gamma, beta_2), rate)


def sgd_momentum(g: Tensor, b: Tensor, *, rate: Tensor, beta_1: Tensor) -> Step:
    """SGD with momentum as SWATS writes it: `b <- beta_1 b + g`, `step = (1 - beta_1) rate b`. Returns (step, (b,))."""
    b = beta_1 * b + g
    return (1 - beta_1) * rate * b, (b,)


def sgd(g: Tensor, *, alpha: Tensor) -> Step:
    """SGD in the general frame: phi = g, psi = 1, `step = alpha g`; the theory takes `alpha / sqrt(t)`.

    The frame (Reddi, Kale and Kumar 2018, section 2): `x <- Projection(x - alpha_t m_t / sqrt(V_t))` with
    `m_t = phi_t(g_1 .. g_t)` and `V_t = psi_t(g_1 .. g_t)`. Returns (step, ()).
    """
    return alpha * g, ()


def adagrad(g: Tensor, v: Tensor, *, alpha: Tensor, t: Tensor, epsilon: Tensor) -> Step:
    """AdaGrad (Duchi, Hazan and Singer 2011) in the general frame: `psi` is the mean of the squared gradients.

    v    <- v + (g^2 - v) / t
    step  = alpha g / (sqrt(v) + epsilon)

    With `alpha = a / sqrt(t)` this is the usual `a g / sqrt(sum of g^2)`. Returns (step, (v,)).
    """
    v = v + (ops.square(g) - v) / t
    return alpha * g / (ops.sqrt(v) + epsilon), (v,)


def rmsprop(g: Tensor, v: Tensor, *, alpha: Tensor, beta_2: Tensor, epsilon: Tensor) -> Step:
    """RMSProp (Tieleman and Hinton 2012) in the general frame: Adam without a first moment.

    v    <- beta_2 v + (1 - beta_2) g^2
    step  = alpha g / (sqrt(v) + epsilon)

    Returns (step, (v,)).
    """
    v = average(v, ops.square(g), beta_2)
    return alpha * g / (ops.sqrt(v) + epsilon), (v,)
