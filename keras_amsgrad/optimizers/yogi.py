"""Yogi."""

from typing import Any

import keras

from keras_amsgrad import rules
from keras_amsgrad.optimizers.adam import CorrectableOptimizer
from keras_amsgrad.optimizers.settings import Setting


@keras.saving.register_keras_serializable("keras_amsgrad")
class Yogi(CorrectableOptimizer):
    """Yogi (Zaheer, Reddi, Sachan, Kale and Kumar 2018): Adam whose second moment changes by at most (1 - beta_2) g^2.

    `m <- beta_1 m + (1 - beta_1) g`, `v <- v - (1 - beta_2) sign(v - g^2) g^2`,
    `w <- w - alpha_t m / (sqrt(v) + epsilon)`. After large gradients, Adam's step sizes grow again quickly; here they
    grow slowly.

    `bias_correction=False` is the paper's form, `alpha_t = learning_rate`; with True, `alpha_t = learning_rate *
    sqrt(1 - beta_2^t) / (1 - beta_1^t)`. Without correction the first steps are large: at the default betas the very
    first is about 3.16 times the learning rate where gradients are far larger than epsilon.

    Source: https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization. optax's `yogi` corrects the
    bias, adds epsilon to the corrected root, and starts `m` and `v` at 1e-6.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...).
        beta_2: Decay rate of the second moment, in [0, 1), or a callable of the step.
        epsilon: Added to the root of the uncorrected second moment, > 0.
        bias_correction: Whether the step size makes up for moments that start at zero.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=Yogi(learning_rate=0.01), loss="mse")
    """

    slots = ("momentum", "velocity")
    rule = staticmethod(rules.yogi)

    def __init__(
        self,
        learning_rate: Setting = 0.01,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: float = 1e-3,
        bias_correction: bool = False,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, bias_correction, **keras_arguments)
