"""SWATS."""

from typing import Any

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.checks import number
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.settings import Config, NewScalars, Numbers, Setting, Variable, acting_dtype
from keras_amsgrad.rules import Step, Tensor


@keras.saving.register_keras_serializable("keras_amsgrad")
class SWATS(RuleOptimizer):
    """SWATS (Keskar and Socher 2017): start as Adam, go on as SGD with momentum.

    Adam's step `p` amounts to an SGD step of rate `gamma = p . p / (p . g)`, over all weights together. When the
    running average `rate <- beta_2 rate + (1 - beta_2) gamma` agrees with it, `|rate / c_2 - gamma| < tolerance` with
    `c_2 = 1 - beta_2^t` and `t > 1`, and `rate / c_2 > 0`, training goes on with SGD at that rate:
    `b <- beta_1 b + g`, `w <- w - (1 - beta_1) rate / c_2 b`. From then on the learning rate has no effect.

    `switch_step` says after which update it switched, and `sgd_rate` at what rate; both are None until then.

    Args:
        learning_rate: Step size alpha, a number >= 0, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Decay rate of the first moment, in [0, 1), or a callable of the step (0, 1, ...); SGD's momentum later.
        beta_2: Decay rate of the second moment and of the rate, in [0, 1), or a callable of the step.
        epsilon: Added to the root of the uncorrected second moment, > 0.
        tolerance: How closely the rates must agree, > 0. The paper writes 1e-9, which float32 seldom reaches.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=SWATS(tolerance=1e-4), loss="mse")
    >>> model.optimizer.switch_step is None
    True
    """

    slots = ("momentum", "velocity", "sgd_momentum")

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: float = 1e-8,
        tolerance: float = 1e-5,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **keras_arguments)
        self.tolerance = number("tolerance", tolerance, "a number > 0", lambda x: x > 0, dtype=acting_dtype())
        self._rate = self._add_scalar("rate")
        self._sgd_rate = self._add_scalar("sgd_rate")  # 0 until the switch, so that no condition is needed
        self._switch_step = self._add_scalar("switch_step", value=0, dtype="int32")

    @property
    def switch_step(self) -> int | None:
        """The number of the last update made as Adam, or None while there has been no switch."""
        return int(ops.convert_to_numpy(self._switch_step)) or None

    @property
    def sgd_rate(self) -> float | None:
        """The rate of SGD that was found at the switch, or None before."""
        return float(ops.convert_to_numpy(self._sgd_rate)) or None

    def hyperparameters(self, **numbers: Tensor) -> Numbers:
        return {**super().hyperparameters(**numbers), "c_2": numbers["c_2"]}

    def _next(self, grads: list[Tensor], weights: list[Variable], learning_rate: Tensor) -> tuple[Numbers, NewScalars]:
        numbers, scalars = super()._next(grads, weights, learning_rate)
        c_2 = numbers.pop("c_2")
        old_rate, sgd_rate = self._rate * 1.0, self._sgd_rate * 1.0  # copies: the variables change below
        gamma, rate = rules.swats_rate(old_rate, *self._products(grads, weights, numbers), numbers["beta_2"])
        t = ops.cast(self.iterations + 1, "int32")
        agrees = (ops.abs(rate / c_2 - gamma) < self.tolerance) & (rate > 0)
        switches = agrees & (t > 1) & (sgd_rate == 0)
        own = [
            (self._rate, ops.where(sgd_rate > 0, old_rate, rate)),
            (self._sgd_rate, ops.where(switches, rate / c_2, sgd_rate)),
            (self._switch_step, ops.where(switches, t, self._switch_step * 1)),
        ]
        return {**numbers, "sgd_rate": sgd_rate}, [*scalars, *own]

    def _products(self, grads: list[Tensor], weights: list[Variable], numbers: Numbers) -> tuple[Tensor, Tensor]:
        """Return (step . step, step . g) of Adam's step over all weights together."""
        step_dot_step = step_dot_g = 0.0
        for g, variable in zip(grads, weights, strict=True):
            m, v, _ = (of_all_weights[keras_internals.index(self, variable)] for of_all_weights in self._slots)
            g = self.bounded(ops.cast(g, m.dtype), m.dtype)
            of_rule = {name: ops.cast(numbers[name], m.dtype) for name in ("alpha", "beta_1", "beta_2", "epsilon")}
            step, _ = rules.adam(g, m, v, **of_rule)
            step_dot_step += ops.cast(ops.sum(ops.square(step)), self._rate.dtype)
            step_dot_g += ops.cast(ops.sum(step * g), self._rate.dtype)
        return step_dot_step, step_dot_g

    def update(  # type: ignore[override]
        self, i: int, g: Tensor, w: Tensor, slots: list[Tensor], *, sgd_rate: Tensor, **numbers: Tensor
    ) -> Step:
        m, v, b = slots
        adam_step, (m, v) = rules.adam(g, m, v, **numbers)
        sgd_step, (new_b,) = rules.sgd_momentum(g, b, rate=sgd_rate, beta_1=numbers["beta_1"])
        is_sgd = sgd_rate > 0
        return ops.where(is_sgd, sgd_step, adam_step), (m, v, ops.where(is_sgd, new_b, b))

    def get_config(self) -> Config:
        return {**super().get_config(), "tolerance": self.tolerance}
