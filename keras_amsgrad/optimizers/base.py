"""What all optimizers of this package share: they keep slots and settings, and call a rule."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.checks import number
from keras_amsgrad.optimizers import state
from keras_amsgrad.optimizers.backends import BackendUpdates
from keras_amsgrad.optimizers.settings import (
    Config,
    Setting,
    Variable,
    arithmetic_dtype,
    at_step,
    checked_beta,
    checked_keras_arguments,
    checked_learning_rate,
    serialized,
    shortest_float,
)
from keras_amsgrad.optimizers.state import Store
from keras_amsgrad.rules import Step, Tensor


def unpickled(cls: type["RuleOptimizer"], config: Config, store: Store) -> "RuleOptimizer":
    """Return the optimizer that was pickled: `cls` with its settings and state."""
    optimizer = cls.from_config(config)
    optimizer.load_own_variables(store)
    return optimizer


class RuleOptimizer(BackendUpdates, keras.optimizers.Optimizer):
    """Run one update rule over all weights of a model.

    A subclass names its `slots`, in the order in which its `rule` takes and returns them. The betas are variables, so
    that setting them takes effect in a model that is already compiled. All arithmetic is in float32 at least, whatever
    the type of the weights; so are the slots. Weight decay, `w <- w - weight_decay learning_rate w`, is part of the
    same update. Sparse gradients become dense ones first: every rule here moves weights whose gradient is zero, too.
    """

    slots: tuple[str, ...] = ()
    rule: Any = None  # a function of `rules`, where one serves all weights

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: float = 1e-8,
        **keras_arguments: Any,
    ) -> None:
        keras_arguments = checked_keras_arguments(keras_arguments)
        super().__init__(learning_rate=checked_learning_rate(learning_rate), **keras_arguments)
        self.epsilon = number("epsilon", epsilon, "a number > 0", lambda x: x > 0)
        self._beta_1 = self._add_beta("beta_1", beta_1)
        self._beta_2 = self._add_beta("beta_2", beta_2)
        # The logarithm of the product of all betas so far, from which the moments' corrections follow: unlike the
        # product, it keeps its digits while the product is close to 1.
        self._log_beta_1_product = self._add_scalar("log_beta_1_product")
        self._log_beta_2_product = self._add_scalar("log_beta_2_product")
        self._pending_state: dict[str, Any] | None = None

    def _add_scalar(self, name: str, value: float = 0.0, dtype: Any = None) -> Variable:
        dtype = dtype or arithmetic_dtype(keras.config.floatx())
        constant = keras.initializers.Constant(value)
        return self.add_variable((), constant, dtype=dtype, aggregation="only_first_replica", name=name)

    def _add_beta(self, name: str, value: Setting) -> Variable:
        value = checked_beta(name, value)
        return value if callable(value) else self._add_scalar(name, value)

    def _get_beta(self, beta: Setting | Variable) -> float:
        return shortest_float(at_step(beta, self._iterations) if callable(beta) else beta)

    def _set_beta(self, name: str, value: float) -> None:
        beta = getattr(self, f"_{name}")
        if callable(beta) or callable(value):
            raise ValueError(f"`{name}` can be set to a number only, and only where it was a number from the start.")
        beta.assign(checked_beta(name, value))

    @property
    def beta_1(self) -> float:
        """The decay rate of the first moment, now; unless it follows a schedule it may be set at any time."""
        return self._get_beta(self._beta_1)

    @beta_1.setter
    def beta_1(self, value: float) -> None:
        self._set_beta("beta_1", value)

    @property
    def beta_2(self) -> float:
        """The decay rate of the second moment, now; unless it follows a schedule it may be set at any time."""
        return self._get_beta(self._beta_2)

    @beta_2.setter
    def beta_2(self, value: float) -> None:
        self._set_beta("beta_2", value)

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        self._refuse_what_the_backend_cannot()
        super().build(variables)
        self._slots = self._add_slots(variables)
        # Asked now: in an update TensorFlow's variables no longer know their layer.
        self._decays = [self._use_weight_decay(variable) for variable in variables]
        with self._outside_of_traces():
            state.load_pending(self)

    def _add_slots(self, variables: list[Variable]) -> tuple[list[Variable], ...]:
        return self.add_optimizer_variables(variables, list(self.slots))

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        if arithmetic_dtype(reference_variable.dtype) == keras.backend.standardize_dtype(reference_variable.dtype):
            return super().add_variable_from_reference(reference_variable, name=name, initializer=initializer)
        return self._add_slot(reference_variable, name, reference_variable.shape, initializer)

    def _add_slot(
        self, reference: Variable, name: str | None, shape: Sequence[int], initializer: Any = "zeros"
    ) -> Variable:
        """Add a variable that belongs to a weight but has a shape of its own, or a wider type."""
        with self._beside(reference):
            return self.add_variable(
                shape,
                initializer,
                dtype=arithmetic_dtype(reference.dtype),
                layout=getattr(reference, "_layout", None) if tuple(shape) == tuple(reference.shape) else None,
                name=f"{state.leaf_name(reference)}_{name}",
            )

    def apply(self, grads: list[Tensor], trainable_variables: list[Variable] | None = None) -> None:
        # Before Keras divides by the loss scale or clips: that goes wrong in float16, on rows that are still to be
        # added up, and on each device's part of the gradient alone.
        grads = [None if g is None else self._plain_gradient(g) for g in grads]
        super().apply(self._summed_over_devices(grads), trainable_variables)

    def _plain_gradient(self, g: Tensor) -> Tensor:
        """Return a gradient as a dense tensor of float32 at least; rows with the same index are summed."""
        g = self._dense(g)
        return ops.cast(g, arithmetic_dtype(g.dtype))

    def _apply_weight_decay(self, variables: list[Variable]) -> None:
        """Do nothing: the decay is part of the update, where it is not rounded away in weights of low precision."""

    def _backend_update_step(
        self, grads: list[Tensor], trainable_variables: list[Variable], learning_rate: Tensor
    ) -> None:
        settings = self._settings(grads, trainable_variables, learning_rate)
        self._update_all(grads, trainable_variables, settings)

    def _settings(
        self, grads: list[Tensor], trainable_variables: list[Variable], learning_rate: Tensor
    ) -> dict[str, Tensor]:
        """Return the numbers of this update, computed once for all weights: those of the rule, and `decay`."""
        dtype = arithmetic_dtype(keras.config.floatx())
        alpha = ops.cast(learning_rate, dtype)
        beta_1, beta_2 = (ops.cast(at_step(b, self._iterations), dtype) for b in (self._beta_1, self._beta_2))
        c_1 = self._advance(self._log_beta_1_product, beta_1)
        c_2 = self._advance(self._log_beta_2_product, beta_2)
        decay = None
        if self.weight_decay is not None:
            decay = alpha * ops.cast(at_step(self.weight_decay, self._iterations), dtype)
        numbers = self.hyperparameters(
            alpha=alpha, beta_1=beta_1, beta_2=beta_2, epsilon=self.epsilon, c_1=c_1, c_2=c_2
        )
        return {"decay": decay, **numbers}

    def _advance(self, log_product: Variable, factor: Tensor) -> Tensor:
        """Multiply a running product, kept as its logarithm, by `factor`; return 1 - product."""
        value = ops.convert_to_tensor(log_product) + ops.log(factor)
        log_product.assign(value)
        return -ops.expm1(value)

    def hyperparameters(
        self, *, alpha: Tensor, beta_1: Tensor, beta_2: Tensor, epsilon: Tensor, c_1: Tensor, c_2: Tensor
    ) -> dict[str, Tensor]:
        """Return the rule's keyword arguments for one update; `c_1`, `c_2` are 1 - product of the betas so far."""
        raise NotImplementedError

    def _update_by_rule(self, gradient: Tensor, variable: Variable, settings: dict[str, Tensor]) -> None:
        """Update one weight array and its slots, with the numbers that `_settings` made for this update."""
        i = self._get_variable_index(variable)
        slots = [of_all_weights[i] for of_all_weights in self._slots]
        dtype = slots[0].dtype
        g, w = ops.cast(gradient, dtype), ops.cast(variable, dtype)
        values = [ops.convert_to_tensor(slot) for slot in slots]
        numbers = {name: ops.cast(x, dtype) for name, x in settings.items() if x is not None}
        decay = numbers.pop("decay", None)
        step, new_slots = self.update(i, g, w, values, **numbers)
        if decay is not None and self._decays[i]:
            step = step + decay * w
        for slot, value in zip(slots, new_slots, strict=True):
            self.assign(slot, value)
        self.assign(variable, w - step)

    def update(self, i: int, g: Tensor, w: Tensor, slots: list[Tensor], **numbers: Tensor) -> Step:
        """Return (step, new slots) of weight array number `i` with value `w`."""
        return self.rule(g, *slots, **numbers)

    @property
    def pure(self) -> bool:
        """Whether `step` gives its updates: each follows from `t`, the weight's own gradient and its slots alone."""
        return self.rule is not None

    def step(
        self, g: Tensor, *slots: Tensor, alpha: Tensor, t: Tensor, beta_1: Tensor, beta_2: Tensor, **settings: Tensor
    ) -> Step:
        """Return (what to subtract from the weights, the new slots) at update `t` = 1, 2, ... with constant betas.

        Pure, for use without variables: slots start as zeros, and every setting (`epsilon`; `bias_correction`, 1 or 0,
        where the rule has it and the optimizer's own is not meant) may be an array that broadcasts against `g`.

        Raises:
            NotImplementedError: The optimizer is not `pure`.
        """
        if not self.pure:
            raise NotImplementedError(f"{type(self).__name__} has no pure step: it needs more than `t`, g and slots.")
        c_1, c_2 = rules.one_minus_power(beta_1, t), rules.one_minus_power(beta_2, t)
        numbers = self.hyperparameters(alpha=alpha, beta_1=beta_1, beta_2=beta_2, c_1=c_1, c_2=c_2, **settings)
        return self.rule(g, *slots, **numbers)

    def _update_model_variables_moving_average(self, trainable_variables: list[Variable]) -> None:
        # As Keras, but in the average's own type: in bfloat16 an average with momentum .999 would never move.
        if not self.use_ema:
            return
        for variable, mean in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            if mean is not None:
                momentum = ops.cast(ops.not_equal(self.iterations, 0), mean.dtype) * self.ema_momentum
                mean.assign(rules.average(ops.convert_to_tensor(mean), ops.cast(variable, mean.dtype), momentum))

    def save_own_variables(self, store: Store) -> None:
        state.save(self, store)

    def load_own_variables(self, store: Store) -> None:
        state.load(self, store)

    def __reduce__(self) -> tuple[Any, ...]:
        # Not Keras's: scikeras replaces that for all optimizers, once it is imported, by one that drops the state.
        store: Store = {}
        self.save_own_variables(store)
        return unpickled, (type(self), self.get_config(), store)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "weight_decay": serialized(self.weight_decay),
            "beta_1": serialized(self._beta_1) if callable(self._beta_1) else self.beta_1,
            "beta_2": serialized(self._beta_2) if callable(self._beta_2) else self.beta_2,
            "epsilon": self.epsilon,
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: dict[str, Any] | None = None) -> "RuleOptimizer":
        config = {
            name: keras.saving.deserialize_keras_object(x, custom_objects=custom_objects)
            if name in ("beta_1", "beta_2", "weight_decay") and isinstance(x, dict)
            else x
            for name, x in config.items()
        }
        return super().from_config(config, custom_objects=custom_objects)
