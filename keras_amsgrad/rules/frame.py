"""Members of the general frame of Reddi, Kale and Kumar, for studies of theory."""

from keras import ops

from keras_amsgrad.rules.averages import Step, Tensor, average


def sgd(g: Tensor, *, alpha: Tensor) -> Step:
    """SGD in the general frame: phi = g, psi = 1, `step = alpha g`; the theory takes `alpha / sqrt(t)`.

    The frame (Reddi, Kale and Kumar 2018, section 2, https://arxiv.org/abs/1904.09237):
    `x <- Projection(x - alpha_t m_t / sqrt(V_t))` with `m_t = phi_t(g_1 .. g_t)` and `V_t = psi_t(g_1 .. g_t)`.
    Returns (step, ()).
    """
    return alpha * g, ()


def adagrad(g: Tensor, v: Tensor, *, alpha: Tensor, t: Tensor, epsilon: Tensor) -> Step:
    """AdaGrad (Duchi, Hazan and Singer 2011) in the general frame: `psi` is the mean of the squared gradients.

    Source: https://jmlr.org/papers/v12/duchi11a.html.

    v    <- v + (g^2 - v) / t
    step  = alpha g / (sqrt(v) + epsilon)

    With `alpha = a / sqrt(t)` this is the usual `a g / sqrt(sum of g^2)`. Returns (step, (v,)).
    """
    v = v + (ops.square(g) - v) / t
    return alpha * g / (ops.sqrt(v) + epsilon), (v,)


def rmsprop(g: Tensor, v: Tensor, *, alpha: Tensor, beta_2: Tensor, epsilon: Tensor) -> Step:
    """RMSProp (Tieleman and Hinton 2012) in the general frame: Adam without a first moment.

    Source: https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.

    v    <- beta_2 v + (1 - beta_2) g^2
    step  = alpha g / (sqrt(v) + epsilon)

    Returns (step, (v,)).
    """
    v = average(v, ops.square(g), beta_2)
    return alpha * g / (ops.sqrt(v) + epsilon), (v,)
