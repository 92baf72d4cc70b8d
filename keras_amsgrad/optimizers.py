"""Keras optimizers: slots, settings, and one call to a rule of `keras_amsgrad.rules`."""

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.checks import number


def checked_learning_rate(value):
    """Return a learning rate that Keras accepts: a float >= 0, or a schedule or callable as it is."""
    if callable(value) or isinstance(value, (dict, keras.Variable)):
        return value
    return number("learning_rate", value, "a number >= 0, a schedule or a callable", lambda x: x >= 0)


def checked_beta(name, value):
    return number(name, value, "a number in [0, 1)", lambda x: 0 <= x < 1)


def shortest_float(variable):
    """Return a scalar variable as the shortest decimal that rounds to it: .999 rather than .9990000128746033."""
    return float(str(ops.convert_to_numpy(variable)))


class RuleOptimizer(keras.optimizers.Optimizer):
    """Run one update rule over all weights of a model.

    A subclass names its `slots`, in the order in which its rule takes and returns them, and writes `step`.
    The betas are variables, so that setting them takes effect in a model that is already compiled.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, **keras_arguments):
        super().__init__(learning_rate=checked_learning_rate(learning_rate), **keras_arguments)
        self.epsilon = number("epsilon", epsilon, "a number > 0", lambda x: x > 0)
        self._beta_1 = self._add_beta("beta_1", beta_1)
        self._beta_2 = self._add_beta("beta_2", beta_2)

    def _add_beta(self, name, value):
        constant = keras.initializers.Constant(checked_beta(name, value))
        return self.add_variable((), constant, dtype=keras.config.floatx(), aggregation="only_first_replica", name=name)

    @property
    def beta_1(self):
        """The decay rate of the first moment; it may be set at any time."""
        return shortest_float(self._beta_1)

    @beta_1.setter
    def beta_1(self, value):
        self._beta_1.assign(checked_beta("beta_1", value))

    @property
    def beta_2(self):
        """The decay rate of the second moment; it may be set at any time."""
        return shortest_float(self._beta_2)

    @beta_2.setter
    def beta_2(self, value):
        self._beta_2.assign(checked_beta("beta_2", value))

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._slots = self.add_optimizer_variables(variables, list(self.slots))

    def update_step(self, gradient, variable, learning_rate):
        i = self._get_variable_index(variable)
        slots = [of_all_weights[i] for of_all_weights in self._slots]
        g, alpha, t, beta_1, beta_2 = (
            ops.cast(x, variable.dtype)
            for x in (gradient, learning_rate, self.iterations + 1, self._beta_1, self._beta_2)
        )
        step, new_slots = self.step(g, *slots, alpha=alpha, t=t, beta_1=beta_1, beta_2=beta_2, epsilon=self.epsilon)
        for slot, value in zip(slots, new_slots, strict=True):
            self.assign(slot, value)
        self.assign_sub(variable, step)

    def step(self, g, *slots, alpha, t, beta_1, beta_2, epsilon):
        """Return (what to subtract from the weights, the new slots) for one weight array at update `t` = 1, 2, ..."""
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


class CorrectableOptimizer(RuleOptimizer):
    """A rule whose step size carries Adam's bias correction, or does not."""

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, bias_correction=True, **keras_arguments
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **keras_arguments)
        self.bias_correction = bool(bias_correction)

    def step(self, g, *slots, alpha, t, beta_1, beta_2, epsilon):
        if self.bias_correction:
            alpha = rules.bias_corrected(alpha, t, beta_1, beta_2)
        return self.rule(g, *slots, alpha=alpha, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)

    def get_config(self):
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
        beta_1: Decay rate of the first moment, in [0, 1).
        beta_2: Decay rate of the second moment, in [0, 1).
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
        beta_1: Decay rate of the first moment, in [0, 1).
        beta_2: Decay rate of the second moment, in [0, 1).
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
        beta_1: Decay rate of the first moment, in [0, 1).
        beta_2: Decay rate of the infinity norm, in [0, 1).
        epsilon: Added to the infinity norm, > 0.
        **keras_arguments: Those of `keras.optimizers.Optimizer`: `weight_decay`, `clipnorm`, `use_ema`, `name`, ...

    Raises:
        ValueError: A setting is outside its range.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=AdaMax(learning_rate=0.002), loss="mse")
    """

    slots = ("momentum", "norm")

    def step(self, g, m, u, *, alpha, t, beta_1, beta_2, epsilon):
        alpha = rules.momentum_corrected(alpha, t, beta_1)
        return rules.adamax(g, m, u, alpha=alpha, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
