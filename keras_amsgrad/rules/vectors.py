"""Rules with numbers of whole weight vectors: ND-Adam, and SWATS with the SGD that it switches to."""

from keras import ops

from keras_amsgrad.rules.averages import Step, Tensor, average

Axes = tuple[int, ...]


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
    """ND-Adam (Zhang, Ma, Li and Wu 2017, Algorithm 1; https://arxiv.org/abs/1709.04546), vectors along `axes` of `w`.

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
    hence its minus sign), https://arxiv.org/abs/1712.07628. Returns (gamma, rate).
    """
    exists = step_dot_g != 0
    gamma = ops.where(exists, step_dot_step / ops.where(exists, step_dot_g, 1.0), 0.0)
    return gamma, ops.where(exists, average(rate, gamma, beta_2), rate)


def sgd_momentum(g: Tensor, b: Tensor, *, rate: Tensor, beta_1: Tensor) -> Step:
    """SGD with momentum as SWATS writes it (Keskar and Socher 2017, https://arxiv.org/abs/1712.07628).

    b    <- beta_1 b + g
    step  = (1 - beta_1) rate b

    Returns (step, (b,)).
    """
    b = beta_1 * b + g
    return (1 - beta_1) * rate * b, (b,)
