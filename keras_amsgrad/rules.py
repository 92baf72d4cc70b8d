"""The update rules, in the letters of the papers.

Each rule is a pure function of the gradient `g` and its slots. It returns the step to *subtract* from the weights and
the new slots. Bias correction is not part of a rule: it is a choice of `alpha`, made by `bias_corrected` (Adam,
AMSGrad) or `momentum_corrected` (AdaMax), so the same mathematics serves both forms.

Every argument broadcasts against `g`, so one call can carry many settings at once. The precision is that of the
arguments: give float64 tensors for float64 results.

Letters: `g` gradient, `m` first moment, `v` second moment, `v_max` the largest `v` so far, `u` infinity norm, `alpha`
step size, `t` number of the update, counted from 1.
"""

import math

from keras import config, ops


def average(m, x, beta):
    """Move the running average `m` towards `x`: `beta m + (1 - beta) x`, with a single rounding of `1 - beta`."""
    return m + (1 - beta) * (x - m)


def one_minus_power(beta, t):
    """Return `1 - beta^t`, the sum of the weights of a running average after `t` updates.

    `1 - beta**t` loses up to three digits to cancellation at small `t`; `expm1` does not. `t` is a tensor whose type
    sets the precision (a plain number counts as Keras's `floatx`).
    """
    t = t if ops.is_tensor(t) else ops.convert_to_tensor(t, dtype=config.floatx())
    if isinstance(beta, (int, float)):  # keep a plain number's own precision
        return -ops.expm1(t * (math.log(beta) if beta > 0 else -math.inf))
    return -ops.expm1(t * ops.log(beta))


def bias_corrected(alpha, t, beta_1, beta_2):
    """Return Adam's step size with bias correction, `alpha sqrt(1 - beta_2^t) / (1 - beta_1^t)`.

    Source: Kingma and Ba 2015, section 2 (the efficient form: epsilon is added to the uncorrected root).
    """
    return alpha * ops.sqrt(one_minus_power(beta_2, t)) / one_minus_power(beta_1, t)


def momentum_corrected(alpha, t, beta_1):
    """Return the step size with the first moment's correction only, `alpha / (1 - beta_1^t)`."""
    return alpha / one_minus_power(beta_1, t)


def adam(g, m, v, *, alpha, beta_1, beta_2, epsilon):
    """Adam (Kingma and Ba 2015, Algorithm 1 in its efficient form).

    m    <- beta_1 m + (1 - beta_1) g
    v    <- beta_2 v + (1 - beta_2) g^2
    step  = alpha m / (sqrt(v) + epsilon)

    Returns (step, (m, v)).
    """
    m = average(m, g, beta_1)
    v = average(v, ops.square(g), beta_2)
    return alpha * m / (ops.sqrt(v) + epsilon), (m, v)


def amsgrad(g, m, v, v_max, *, alpha, beta_1, beta_2, epsilon):
    """AMSGrad (Reddi, Kale and Kumar 2018, Algorithm 2), before the projection.

    m     <- beta_1 m + (1 - beta_1) g
    v     <- beta_2 v + (1 - beta_2) g^2
    v_max <- max(v_max, v)
    step   = alpha m / (sqrt(v_max) + epsilon)

    Returns (step, (m, v, v_max)).
    """
    m = average(m, g, beta_1)
    v = average(v, ops.square(g), beta_2)
    v_max = ops.maximum(v_max, v)
    return alpha * m / (ops.sqrt(v_max) + epsilon), (m, v, v_max)


def adamax(g, m, u, *, alpha, beta_1, beta_2, epsilon):
    """AdaMax (Kingma and Ba 2015, Algorithm 2), with epsilon so that a weight without gradients stays where it is.

    m    <- beta_1 m + (1 - beta_1) g
    u    <- max(beta_2 u, |g|)
    step  = alpha m / (u + epsilon)

    Returns (step, (m, u)).
    """
    m = average(m, g, beta_1)
    u = ops.maximum(beta_2 * u, ops.abs(g))
    return alpha * m / (u + epsilon), (m, u)
