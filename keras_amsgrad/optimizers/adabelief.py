"""AdaBelief."""

from typing import Any

import keras

from keras_amsgrad import rules
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.settings import Numbers, Setting
from keras_amsgrad.rules import Tensor


@keras.saving.register_keras_serializable("keras_amsgrad")
class AdaBelief(RuleOptimizer):
    """AdaBelief (Zhuang and others 2020): Adam with step sizes from the variance of the gradients.

    `m <- beta_1 m + (1 - beta_1) g`, `s <- beta_2 s + (1 - beta_2) (g - m)^2 + epsilon`,
    `w <- w - learning_rate (m / c_1) / (sqrt(s / c_2) + epsilon)`, with `c_1 = 1 - beta_1^t`, `c_2 = 1 - beta_2^t`.
    Where gradients are as their average predicts, steps are long.

    Source: https://arxiv.org/abs/2010.07468. optax's `adabelief` computes the same.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...). At 0 the average is
            the gradient itself, and all steps are of the size that epsilon allows.
        beta_2: Decay rate of the variance, in [0, 1), or a callable of the step.
        epsilon: Added to the variance in every update, and to its corrected root, > 0.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=AdaBelief(learning_rate=0.001), loss="mse")
    """

    slots = ("momentum", "variance")
    rule = staticmethod(rules.adabelief)
    corrects_root = True
    largest_gradient = 0.5  # it squares differences of gradients

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: float = 1e-16,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **keras_arguments)

    def hyperparameters(self, **numbers: Tensor) -> Numbers:
        return {**super().hyperparameters(**numbers), "epsilon_inside": numbers["epsilon"]}
