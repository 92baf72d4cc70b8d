"""Adam and its relatives that work weight by weight."""

import math

from keras import ops

from keras_amsgrad.rules.averages import Step, Tensor, average, larger


def adam(
    g: Tensor,
    m: Tensor,
    v: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    rest_1: Tensor | None = None,
    rest_2: Tensor | None = None,
) -> Step:
    """Adam (Kingma and Ba 2015, Algorithm 1 in its efficient form; https://arxiv.org/abs/1412.6980).

    m    <- beta_1 m + (1 - beta_1) g
    v    <- beta_2 v + (1 - beta_2) g^2
    step  = alpha m / (sqrt(v) + epsilon)

    `rest_1`, `rest_2`: see `average`. Returns (step, (m, v)).
    """
    m = average(m, g, beta_1, rest_1)
    v = average(v, ops.square(g), beta_2, rest_2)
    return alpha * m / (ops.sqrt(v) + epsilon), (m, v)


def amsgrad(
    g: Tensor,
    m: Tensor,
    v: Tensor,
    v_max: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    rest_1: Tensor | None = None,
    rest_2: Tensor | None = None,
) -> Step:
    """AMSGrad (Reddi, Kale and Kumar 2018, Algorithm 2; https://arxiv.org/abs/1904.09237), before the projection.

    m     <- beta_1 m + (1 - beta_1) g
    v     <- beta_2 v + (1 - beta_2) g^2
    v_max <- max(v_max, v)
    step   = alpha m / (sqrt(v_max) + epsilon)

    `rest_1`, `rest_2`: see `average`. Returns (step, (m, v, v_max)).
    """
    m = average(m, g, beta_1, rest_1)
    v = average(v, ops.square(g), beta_2, rest_2)
    v_max = larger(v_max, v)
    return alpha * m / (ops.sqrt(v_max) + epsilon), (m, v, v_max)


def adamax(
    g: Tensor,
    m: Tensor,
    u: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    rest_1: Tensor | None = None,
) -> Step:
    """AdaMax (Kingma and Ba 2015, Algorithm 2; https://arxiv.org/abs/1412.6980).

    Epsilon is added so that a weight that has only seen zero gradients stays where it is.

    m    <- beta_1 m + (1 - beta_1) g
    u    <- max(beta_2 u, |g|)
    step  = alpha m / (u + epsilon)

    `rest_1`: see `average`. Returns (step, (m, u)).
    """
    m = average(m, g, beta_1, rest_1)
    u = larger(beta_2 * u, ops.abs(g))
    return alpha * m / (u + epsilon), (m, u)


def nadam_momentum(beta_1: Tensor, t: Tensor, decay: float | None) -> Tensor:
    """Return Nadam's momentum at update `t`, `mu_t = beta_1 (1 - 0.96^(t decay) / 2)`; `decay=None` keeps beta_1.

    Source: Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.
    """
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
    """Nadam (Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ): Adam one momentum step ahead.

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


def rectification(beta_2: Tensor, t: Tensor) -> Tensor:
    """Return RAdam's factor of the step size at update `t`, or 0 where the variance of `v` is not tractable.

    rho_inf = 2 / (1 - beta_2) - 1
    rho_t   = rho_inf - 2 t beta_2^t / (1 - beta_2^t)
    r       = sqrt((rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t))   where rho_t > 5

    `rho_t` is a small difference of large numbers where `y = -t log(beta_2)` is small; there it is summed as a series,
    `t - (t y - x) / 6 + (t y^3 - x^3) / 360 - ...` with `x = y / t`. `t` is a tensor.
    Source: Liu and others 2020, Algorithm 2, https://arxiv.org/abs/1908.03265.
    """
    t = ops.convert_to_tensor(t)
    x = -ops.log(ops.convert_to_tensor(beta_2, dtype=t.dtype))  # `cast` would make a plain number float32 first
    y = t * x
    rho_inf = 1 + 2 / ops.expm1(x)
    series = t - (t * y - x) / 6 + (t * y**3 - x**3) / 360 - (t * y**5 - x**5) / 15120
    rho = ops.where(y < 0.5, series, rho_inf - 2 * t / ops.expm1(y))
    tractable = rho > 5
    rho = ops.where(tractable, rho, 5 * ops.ones_like(rho))
    squared = (rho - 4) / (rho_inf - 4) * ((rho - 2) / (rho_inf - 2)) * (rho_inf / rho)
    return ops.where(tractable, ops.sqrt(squared), ops.zeros_like(rho))


def radam(
    g: Tensor,
    m: Tensor,
    v: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    rectified: Tensor,
) -> Step:
    """RAdam (Liu and others 2020, Algorithm 2; https://arxiv.org/abs/1908.03265).

    m    <- beta_1 m + (1 - beta_1) g
    v    <- beta_2 v + (1 - beta_2) g^2
    step  = alpha m / (sqrt(v) + epsilon)   where `rectified` is 1
    step  = alpha m                         where it is 0

    With `r` of `rectification`, give `r` times `corrected(alpha, c_1, c_2)`, `epsilon sqrt(c_2)` and 1 where r > 0,
    else `alpha / c_1` and 0. Returns (step, (m, v)).
    """
    m = average(m, g, beta_1)
    v = average(v, ops.square(g), beta_2)
    return alpha * m / (rectified * (ops.sqrt(v) + epsilon) + (1 - rectified)), (m, v)


def adabelief(
    g: Tensor,
    m: Tensor,
    s: Tensor,
    *,
    alpha: Tensor,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    epsilon_inside: Tensor,
) -> Step:
    """AdaBelief (Zhuang and others 2020, Algorithm 2; https://arxiv.org/abs/2010.07468).

    m    <- beta_1 m + (1 - beta_1) g
    s    <- beta_2 s + (1 - beta_2) (g - m)^2 + epsilon_inside
    step  = alpha m / (sqrt(s) + epsilon)

    The paper has one epsilon, and corrects both moments: give `corrected(alpha, c_1, c_2)`, `epsilon sqrt(c_2)` and,
    as `epsilon_inside`, `epsilon`. Returns (step, (m, s)).
    """
    difference = beta_1 * (g - m)  # from the new average, without computing a small difference twice
    m = average(m, g, beta_1)
    s = average(s, ops.square(difference), beta_2) + epsilon_inside
    return alpha * m / (ops.sqrt(s) + epsilon), (m, s)


def yogi(g: Tensor, m: Tensor, v: Tensor, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor) -> Step:
    """Yogi (Zaheer, Reddi, Sachan, Kale and Kumar 2018, Algorithm 2).

    m    <- beta_1 m + (1 - beta_1) g
    v    <- v - (1 - beta_2) sign(v - g^2) g^2
    step  = alpha m / (sqrt(v) + epsilon)

    Source: https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization. Returns (step, (m, v)).
    """
    m = average(m, g, beta_1)
    squared = ops.square(g)
    v = v - (1 - beta_2) * ops.sign(v - squared) * squared
    return alpha * m / (ops.sqrt(v) + epsilon), (m, v)
