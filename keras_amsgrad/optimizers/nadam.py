"""Nadam."""

from typing import Any

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.checks import number
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.settings import Config, Setting, Variable, at_step
from keras_amsgrad.rules import Tensor


@keras.saving.register_keras_serializable("keras_amsgrad")
class Nadam(RuleOptimizer):
    """Nadam (Dozat 2016): Adam with Nesterov's momentum.

    `m <- beta_1 m + (1 - beta_1) g`, `v <- beta_2 v + (1 - beta_2) g^2`, and with `mu_t = beta_1 (1 - 0.96^(t d) / 2)`,
    `P_t = mu_1 mu_2 .. mu_t`, `c_2 = 1 - beta_2^t`:
    `w <- w - learning_rate (mu_{t+1} m / (1 - P_{t+1}) + (1 - mu_t) g / (1 - P_t)) / (sqrt(v / c_2) + epsilon)`

    `d` is `momentum_decay`: 0.004 in Dozat's report and in PyTorch, 1.0 in Keras, None for a constant `mu_t = beta_1`
    as in simplified descriptions.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...).
        beta_2: Decay rate of the second moment, in [0, 1), or a callable of the step.
        epsilon: Added to the root of the corrected second moment, > 0.
        momentum_decay: How fast the momentum rises to beta_1, a number > 0 or None.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=Nadam(learning_rate=0.002), loss="mse")
    """

    slots = ("momentum", "velocity")
    rule = staticmethod(rules.nadam)

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float | None = 0.004,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **keras_arguments)
        if momentum_decay is not None:
            momentum_decay = number("momentum_decay", momentum_decay, "a number > 0 or None", lambda x: x > 0)
            self._log_mu_product = self._add_scalar("log_mu_product")
        self.momentum_decay = momentum_decay

    def hyperparameters(
        self, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor, c_1: Tensor, c_2: Tensor
    ) -> dict[str, Tensor]:
        root = ops.sqrt(c_2)
        return {
            "alpha": alpha * root,
            "beta_1": beta_1,
            "beta_2": beta_2,
            "epsilon": epsilon * root,
            **shares(beta_1, beta_1, c_1),
        }

    def _settings(
        self, grads: list[Tensor], trainable_variables: list[Variable], learning_rate: Tensor
    ) -> dict[str, Tensor]:
        numbers = super()._settings(grads, trainable_variables, learning_rate)
        if self.momentum_decay is None:
            return numbers
        dtype = self._log_mu_product.dtype
        t = ops.cast(self.iterations + 1, dtype)
        next_beta_1 = ops.cast(at_step(self._beta_1, self._iterations + 1), dtype)
        mu = rules.nadam_momentum(numbers["beta_1"], t, self.momentum_decay)
        next_mu = rules.nadam_momentum(next_beta_1, t + 1, self.momentum_decay)
        return {**numbers, **shares(mu, next_mu, self._advance(self._log_mu_product, mu))}

    @property
    def pure(self) -> bool:
        return self.momentum_decay is None  # else the product of all momenta so far takes part

    def get_config(self) -> Config:
        return {**super().get_config(), "momentum_decay": self.momentum_decay}


def shares(mu: Tensor, next_mu: Tensor, c: Tensor) -> dict[str, Tensor]:
    """Return the corrected shares of the moment and the gradient in a step; `c` is 1 - product of mu_1 .. mu_t."""
    return {"share_m": next_mu / (1 - (1 - c) * next_mu), "share_g": (1 - mu) / c}
