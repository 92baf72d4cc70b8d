"""Rules in the form in which Keras computes them, where that differs from the other modules.

Letters: `a` sum of squared gradients, `b` velocity of a step with momentum `mu`, `rho` decay rate, `x` running average
of squared steps; `rest` is 1 - rho where that is known more precisely than by the difference.
"""

from keras import ops

from keras_amsgrad.rules.averages import Step, Tensor


def heavy_ball(step: Tensor, b: Tensor, *, mu: Tensor) -> Step:
    """Momentum (Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5) on the steps of a rule, SGD's `alpha g`.

    b    <- mu b + step
    step  = b

    Returns (step, (b,)).
    """
    b = mu * b + step
    return b, (b,)


def nesterov(step: Tensor, b: Tensor, *, mu: Tensor) -> Step:
    """Nesterov's momentum, in the form of Bengio, Boulanger-Lewandowski and Pascanu (2012), section 3.5.

    b    <- mu b + step
    step  = mu b + step

    Source: https://arxiv.org/abs/1212.0901. Returns (step, (b,)).
    """
    b = mu * b + step
    return mu * b + step, (b,)


def adagrad(g: Tensor, a: Tensor, *, alpha: Tensor, epsilon: Tensor) -> Step:
    """AdaGrad (Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html), with epsilon in the root.

    a    <- a + g^2
    step  = alpha g / sqrt(a + epsilon)

    Returns (step, (a,)).
    """
    a = a + ops.square(g)
    return alpha * g / ops.sqrt(a + epsilon), (a,)


def rmsprop(g: Tensor, v: Tensor, *, alpha: Tensor, rho: Tensor, epsilon: Tensor, rest: Tensor | None = None) -> Step:
    """RMSProp (Tieleman and Hinton 2012), with epsilon in the root.

    v    <- rho v + (1 - rho) g^2
    step  = alpha g / sqrt(v + epsilon)

    Source: https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf. Returns (step, (v,)).
    """
    v = _weighted(v, ops.square(g), rho, rest)
    return alpha * g / ops.sqrt(v + epsilon), (v,)


def centered_rmsprop(
    g: Tensor, v: Tensor, m: Tensor, *, alpha: Tensor, rho: Tensor, epsilon: Tensor, rest: Tensor | None = None
) -> Step:
    """RMSProp divided by an estimate of the gradient's standard deviation (Graves 2013, equations 38 to 40).

    v    <- rho v + (1 - rho) g^2
    m    <- rho m + (1 - rho) g
    step  = alpha g / sqrt(v - m^2 + epsilon)

    Source: https://arxiv.org/abs/1308.0850. Returns (step, (v, m)).
    """
    v, m = _weighted(v, ops.square(g), rho, rest), _weighted(m, g, rho, rest)
    return alpha * g / ops.sqrt(v - ops.square(m) + epsilon), (v, m)


def adadelta(
    g: Tensor, v: Tensor, x: Tensor, *, alpha: Tensor, rho: Tensor, epsilon: Tensor, rest: Tensor | None = None
) -> Step:
    """ADADELTA (Zeiler 2012, Algorithm 1; https://arxiv.org/abs/1212.5701); there `alpha` is 1.

    v    <- rho v + (1 - rho) g^2
    d     = sqrt(x + epsilon) g / sqrt(v + epsilon)
    x    <- rho x + (1 - rho) d^2
    step  = alpha d

    Returns (step, (v, x)).
    """
    v = _weighted(v, ops.square(g), rho, rest)
    d = ops.sqrt(x + epsilon) * g / ops.sqrt(v + epsilon)
    return alpha * d, (v, _weighted(x, ops.square(d), rho, rest))


def lion(g: Tensor, m: Tensor, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor) -> Step:
    """Lion (Chen and others 2023, Algorithm 2; https://arxiv.org/abs/2302.06675).

    step  = alpha sign(beta_1 m + (1 - beta_1) g)
    m    <- beta_2 m + (1 - beta_2) g

    Returns (step, (m,)).
    """
    return alpha * ops.sign(_weighted(m, g, beta_1)), (_weighted(m, g, beta_2),)


def _weighted(m: Tensor, x: Tensor, rho: Tensor, rest: Tensor | None = None) -> Tensor:
    """Return `rho m + (1 - rho) x` as it is written: Keras's roundings, of which the sign in Lion may depend."""
    return rho * m + (1 - rho if rest is None else rest) * x
