"""Adam, AMSGrad and AdaMax."""

from typing import Any

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.settings import Config, Setting
from keras_amsgrad.rules import Tensor


class CorrectableOptimizer(RuleOptimizer):
    """A rule whose step size carries Adam's bias correction, or does not."""

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: float = 1e-8,
        bias_correction: bool = True,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **keras_arguments)
        self.bias_correction = bool(bias_correction)

    def step_size(self, alpha: Tensor, c_1: Tensor, c_2: Tensor, bias_correction: Tensor | None = None) -> Tensor:
        """Return the step size with Adam's correction, or without; `bias_correction` may be an array of 1 and 0."""
        if bias_correction is not None:
            return ops.where(bias_correction > 0, rules.corrected(alpha, c_1, c_2), alpha)
        return rules.corrected(alpha, c_1, c_2) if self.bias_correction else alpha

    def get_config(self) -> Config:
        return {**super().get_config(), "bias_correction": self.bias_correction}


@keras.saving.register_keras_serializable("keras_amsgrad")
class Adam(CorrectableOptimizer):
    """Adam (Kingma and Ba 2015), with or without bias correction.

    `m <- beta_1 m + (1 - beta_1) g`, `v <- beta_2 v + (1 - beta_2) g^2`, `w <- w - alpha_t m / (sqrt(v) + epsilon)`,
    all element by element, where `alpha_t = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)` with bias correction
    and `alpha_t = learning_rate` without.

    Without correction the first steps are large: at the default betas the very first is about 3.16 times the
    learning rate.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...).
        beta_2: Decay rate of the second moment, in [0, 1), or a callable of the step.
        epsilon: Added to the root of the uncorrected second moment ("epsilon hat" of the paper), > 0.
        bias_correction: Whether the step size makes up for moments that start at zero.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=Adam(learning_rate=0.01), loss="mse")
    """

    slots = ("momentum", "velocity")
    rule = staticmethod(rules.adam)


@keras.saving.register_keras_serializable("keras_amsgrad")
class AMSGrad(CorrectableOptimizer):
    """AMSGrad (Reddi, Kale and Kumar 2018), with or without bias correction.

    As Adam, but divided by the largest second moment so far: `v_max <- max(v_max, v)`,
    `w <- w - alpha_t m / (sqrt(v_max) + epsilon)`. A large gradient is never forgotten, so a weight's step size never
    grows again.

    "AMSGrad" names several algorithms. `bias_correction=False` is the paper's. `bias_correction=True` corrects the
    step size and takes the maximum over the uncorrected second moment, as Keras's `Adam(amsgrad=True)` does; PyTorch
    equals it at a converted epsilon; optax by default takes the maximum over the corrected second moment instead.

    Without correction the first steps are large: at the default betas the very first is about 3.16 times the
    learning rate.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...).
        beta_2: Decay rate of the second moment, in [0, 1), or a callable of the step.
        epsilon: Added to the root of the largest uncorrected second moment, > 0.
        bias_correction: Whether the step size makes up for moments that start at zero.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=AMSGrad(learning_rate=0.01, bias_correction=False), loss="mse")
    """

    slots = ("momentum", "velocity", "velocity_max")
    rule = staticmethod(rules.amsgrad)


@keras.saving.register_keras_serializable("keras_amsgrad")
class AdaMax(RuleOptimizer):
    """AdaMax (Kingma and Ba 2015, Algorithm 2): Adam with the infinity norm.

    `m <- beta_1 m + (1 - beta_1) g`, `u <- max(beta_2 u, |g|)`, `w <- w - learning_rate / (1 - beta_1^t) m / (u +
    epsilon)`, element by element. The norm needs no correction; the first moment is always corrected. A weight that
    has only seen zero gradients does not move.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...).
        beta_2: Decay rate of the infinity norm, in [0, 1), or a callable of the step.
        epsilon: Added to the infinity norm, > 0.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=AdaMax(learning_rate=0.002), loss="mse")
    """

    slots = ("momentum", "norm")
    rule = staticmethod(rules.adamax)
    largest_gradient = None  # nothing is squared

    def step_size(self, alpha: Tensor, c_1: Tensor, c_2: Tensor) -> Tensor:
        return alpha / c_1
