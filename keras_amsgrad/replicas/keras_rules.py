"""The rules of Keras's own optimizers."""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.optimizers.nadam import shares
from keras_amsgrad.rules import Step, Tensor
from keras_amsgrad.rules import keras as keras_rules

# The products of 1 - 0.96^i / 2 over i = 1 .. t, for t = 0, 1, ... until they no longer change in float32.
NADAM_PRODUCTS = np.cumprod(np.where(np.arange(512) > 0, 1 - 0.5 * 0.96 ** np.arange(512), 1)).astype("float32")


class Rule(NamedTuple):
    """The update of one weight array.

    Attributes:
        kind: Equal for rules that differ in their numbers only.
        step: `step(g, *slots, t=t, learning_rate=alpha, **numbers)` returns (what to subtract from the weights, the new
            slots) of update t = 1, 2, ...
        slots: {name: initial value}, in the order in which `step` takes them.
        numbers: {name: value}, without the learning rate.
    """

    kind: Hashable
    step: Callable[..., Step]
    slots: dict[str, float]
    numbers: dict[str, Any]


def keras_rule(optimizer: Any) -> Rule | None:
    """Return the rule of an optimizer of Keras that is known here, else None.

    A subclass is not known: its update may be another one.
    """
    kind = type(optimizer)  # on torch a subclass of the same name, from another module of Keras
    rule_of = RULES.get(kind.__name__) if kind.__module__.startswith("keras.") else None
    return rule_of and rule_of(optimizer)


def _sgd(optimizer: keras.optimizers.SGD) -> Rule:
    rule = Rule("SGD", _without_t(rules.sgd), {}, {})
    return _accelerated(rule, optimizer.momentum, optimizer.nesterov) if optimizer.momentum != 0 else rule


def _rmsprop(optimizer: keras.optimizers.RMSprop) -> Rule:
    numbers = {**_numbers(optimizer, "rho", "epsilon"), "rest": 1 - optimizer.rho}
    rule = Rule("RMSprop", _without_t(keras_rules.rmsprop), _zeros("velocity"), numbers)
    if optimizer.centered:
        slots = _zeros("velocity", "average_gradient")
        rule = Rule("centered RMSprop", _without_t(keras_rules.centered_rmsprop), slots, numbers)
    return _accelerated(rule, optimizer.momentum) if optimizer.momentum > 0 else rule


def _accelerated(rule: Rule, momentum: float, nesterov: bool = False) -> Rule:
    """Return a rule with momentum on its steps."""
    accelerate = keras_rules.nesterov if nesterov else keras_rules.heavy_ball

    def step(g: Tensor, *slots: Tensor, momentum: Tensor, **numbers: Tensor) -> Step:
        *own, b = slots
        plain, new = rule.step(g, *own, **numbers)
        faster, of_momentum = accelerate(plain, b, mu=momentum)
        return faster, (*new, *of_momentum)

    kind = rule.kind, accelerate.__name__
    return Rule(kind, step, {**rule.slots, "momentum": 0.0}, {**rule.numbers, "momentum": float(momentum)})


def _adagrad(optimizer: keras.optimizers.Adagrad) -> Rule:
    start = float(optimizer.initial_accumulator_value)
    numbers = _numbers(optimizer, "epsilon")
    return Rule(("Adagrad", start), _without_t(keras_rules.adagrad), {"accumulator": start}, numbers)


def _adadelta(optimizer: keras.optimizers.Adadelta) -> Rule:
    slots = _zeros("accumulated_grad", "accumulated_delta_var")
    numbers = {**_numbers(optimizer, "rho", "epsilon"), "rest": 1 - optimizer.rho}
    return Rule("Adadelta", _without_t(keras_rules.adadelta), slots, numbers)


def _adam(optimizer: keras.optimizers.Adam) -> Rule:
    rests = {"rest_1": 1 - optimizer.beta_1, "rest_2": 1 - optimizer.beta_2}
    numbers = {**_numbers(optimizer, "beta_1", "beta_2", "epsilon"), **rests}
    slots = _zeros("momentum", "velocity", *(["velocity_hat"] * optimizer.amsgrad))
    rule = rules.amsgrad if optimizer.amsgrad else rules.adam

    def step(g: Tensor, *slots: Tensor, t: Tensor, learning_rate: Tensor, **numbers: Tensor) -> Step:
        # The difference as Keras rounds it, not `one_minus_power`.
        c_1, c_2 = (1 - ops.power(numbers[beta], t) for beta in ("beta_1", "beta_2"))
        return rule(g, *slots, alpha=rules.corrected(learning_rate, c_1, c_2), **numbers)

    return Rule(rule.__name__, step, slots, numbers)


def _adamax(optimizer: keras.optimizers.Adamax) -> Rule:
    numbers = {**_numbers(optimizer, "beta_1", "beta_2", "epsilon"), "rest_1": 1 - optimizer.beta_1}

    def step(g: Tensor, *slots: Tensor, t: Tensor, learning_rate: Tensor, **numbers: Tensor) -> Step:
        alpha = learning_rate / (1 - ops.power(numbers["beta_1"], t))
        return rules.adamax(g, *slots, alpha=alpha, **numbers)

    return Rule("Adamax", step, _zeros("momentum", "norm"), numbers)


def _nadam(optimizer: keras.optimizers.Nadam) -> Rule:
    def step(
        g: Tensor, *slots: Tensor, t: Tensor, learning_rate: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor
    ) -> Step:
        mu, next_mu = (rules.nadam_momentum(beta_1, s, 1.0) for s in (t, t + 1))
        place = ops.cast(ops.minimum(t, len(NADAM_PRODUCTS) - 1), "int32")
        c_1 = 1 - ops.power(beta_1, t) * ops.take(NADAM_PRODUCTS, place)
        root = ops.sqrt(1 - ops.power(beta_2, t))
        numbers = {"alpha": learning_rate * root, "epsilon": epsilon * root, **shares(mu, next_mu, c_1)}
        return rules.nadam(g, *slots, beta_1=beta_1, beta_2=beta_2, **numbers)

    numbers = _numbers(optimizer, "beta_1", "beta_2", "epsilon")
    return Rule("Nadam", step, _zeros("momentum", "velocity"), numbers)


def _lion(optimizer: keras.optimizers.Lion) -> Rule:
    return Rule("Lion", _without_t(keras_rules.lion), _zeros("momentum"), _numbers(optimizer, "beta_1", "beta_2"))


def _without_t(rule: Callable[..., Step]) -> Callable[..., Step]:
    """Return the step of a rule that is the same in every update."""
    return lambda g, *slots, t, learning_rate, **numbers: rule(g, *slots, alpha=learning_rate, **numbers)


def _zeros(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 0.0)


def _numbers(optimizer: Any, *names: str) -> dict[str, Any]:
    return {name: float(getattr(optimizer, name)) for name in names}


RULES: dict[str, Callable[[Any], Rule]] = {
    "SGD": _sgd,
    "RMSprop": _rmsprop,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
    "Adam": _adam,
    "AdamW": _adam,
    "Adamax": _adamax,
    "Nadam": _nadam,
    "Lion": _lion,
}
