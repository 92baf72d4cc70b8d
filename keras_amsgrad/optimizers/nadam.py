"""Nadam."""

from typing import Any

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.checks import number
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.betas import RunningProduct
from keras_amsgrad.optimizers.settings import Config, NewScalars, Numbers, Setting, Variable, at_step
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
    corrects_root = True

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
            self._mu_product = RunningProduct(self, "mu")
        self.momentum_decay = momentum_decay

    def step_size(self, alpha: Tensor, c_1: Tensor, c_2: Tensor) -> Tensor:
        return alpha * ops.sqrt(c_2)  # the first moment's correction is in the shares

    def hyperparameters(self, **numbers: Tensor) -> Numbers:
        beta_1 = numbers["beta_1"]
        return {**super().hyperparameters(**numbers), **shares(beta_1, beta_1, numbers["c_1"])}

    def _next(self, grads: list[Tensor], weights: list[Variable], learning_rate: Tensor) -> tuple[Numbers, NewScalars]:
        numbers, scalars = super()._next(grads, weights, learning_rate)
        if self.momentum_decay is None:
            return numbers, scalars
        t = ops.cast(self.iterations + 1, numbers["beta_1"].dtype)
        next_beta_1 = ops.cast(at_step(self._beta_1, self.iterations + 1), t.dtype)
        mu = rules.nadam_momentum(numbers["beta_1"], t, self.momentum_decay)
        next_mu = rules.nadam_momentum(next_beta_1, t + 1, self.momentum_decay)
        c, of_mu = self._mu_product.times(mu)
        return {**numbers, **shares(mu, next_mu, c)}, scalars + of_mu

    @property
    def pure(self) -> bool:
        return self.momentum_decay is None  # else the product of all momenta so far takes part

    def get_config(self) -> Config:
        return {**super().get_config(), "momentum_decay": self.momentum_decay}


def shares(mu: Tensor, next_mu: Tensor, c: Tensor) -> dict[str, Tensor]:
    """Return the corrected shares of the moment and the gradient in a step; `c` is 1 - product of mu_1 .. mu_t."""
    return {"share_m": next_mu / (1 - (1 - c) * next_mu), "share_g": (1 - mu) / c}
