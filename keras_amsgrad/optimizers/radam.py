"""RAdam."""

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.settings import Numbers
from keras_amsgrad.rules import Tensor


@keras.saving.register_keras_serializable("keras_amsgrad")
class RAdam(RuleOptimizer):
    """RAdam (Liu and others 2020): Adam with rectified step sizes, which needs no warm-up.

    `m <- beta_1 m + (1 - beta_1) g`, `v <- beta_2 v + (1 - beta_2) g^2`, and with `c_1 = 1 - beta_1^t`,
    `c_2 = 1 - beta_2^t`, `rho_inf = 2 / (1 - beta_2) - 1`, `rho_t = rho_inf - 2 t beta_2^t / c_2`:
    where `rho_t > 5`, `w <- w - learning_rate r (m / c_1) / (sqrt(v / c_2) + epsilon)` with
    `r = sqrt((rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t))`; else
    `w <- w - learning_rate m / c_1`, without adaptive step sizes: at beta_2 = .999, in the first five updates.

    Source: https://arxiv.org/abs/1908.03265. PyTorch's `RAdam` adds epsilon to the root of the uncorrected `v`.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...).
        beta_2: Decay rate of the second moment, in [0, 1), or a callable of the step: `rho` follows its current value.
            Up to 2/3, step sizes are never adaptive.
        epsilon: Added to the root of the corrected second moment, > 0.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=RAdam(learning_rate=0.01), loss="mse")
    """

    slots = ("momentum", "velocity")
    rule = staticmethod(rules.radam)
    corrects_root = True

    def hyperparameters(self, **numbers: Tensor) -> Numbers:
        r = rules.rectification(numbers["beta_2"], numbers["t"])
        of_adam = super().hyperparameters(**numbers)
        alpha = ops.where(r > 0, r * of_adam["alpha"], numbers["alpha"] / numbers["c_1"])
        return {**of_adam, "alpha": alpha, "rectified": ops.cast(r > 0, r.dtype)}
