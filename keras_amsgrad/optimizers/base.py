"""What all optimizers of this package share: they keep slots and settings, and call a rule."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_amsgrad import rules
from keras_amsgrad.checks import number
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers import betas, state
from keras_amsgrad.optimizers.backends import backend
from keras_amsgrad.optimizers.settings import (
    LARGEST_OF,
    Config,
    NewScalars,
    Numbers,
    Setting,
    Variable,
    acting_dtype,
    arithmetic_dtype,
    at_step,
    checked_keras_arguments,
    checked_learning_rate,
    deserialized,
    serialized,
)
from keras_amsgrad.optimizers.state import Store
from keras_amsgrad.optimizers.state import unpickled as unpickled
from keras_amsgrad.optimizers.weights import check_weights, update_averages
from keras_amsgrad.rules import Step, Tensor

TINY = 1.2e-38  # the smallest number that no processor takes for 0 in float32


class RuleOptimizer(keras.optimizers.Optimizer):
    """Run one update rule over all weights of a model.

    A subclass names its `slots`, in the order in which its `rule` takes and returns them. The betas are variables, so
    that setting them takes effect in a model that is already compiled. All arithmetic is in float32 at least, whatever
    the type of the weights; so are the slots. Weight decay, `w <- w - weight_decay learning_rate w`, is part of the
    same update. Sparse gradients become dense ones first: every rule here moves weights whose gradient is zero, too.
    """

    slots: tuple[str, ...] = ()
    rule: Any = None  # a function of `rules`, where one serves all weights
    largest_gradient: float | None = 1.0  # elements beyond so many times `LARGEST_OF` count as that; None: no limit
    corrects_root = False  # whether epsilon is added to the corrected root, `sqrt(v / c_2) + epsilon`
    beta_1 = betas.Beta()
    beta_2 = betas.Beta()

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
        self.epsilon = number("epsilon", epsilon, "a number > 0", lambda x: x > 0, dtype=acting_dtype())
        self._beta_1 = betas.added(self, "beta_1", beta_1)
        self._beta_2 = betas.added(self, "beta_2", beta_2)
        self._beta_1_product = betas.RunningProduct(self, "beta_1")
        self._beta_2_product = betas.RunningProduct(self, "beta_2")
        self._pending_state: dict[str, Any] | None = None
        self._known_betas: dict[str, tuple[object, float]] = {}  # of the torch backend

    def _add_scalar(self, name: str, value: float = 0.0, dtype: Any = None) -> Variable:
        dtype = dtype or acting_dtype()
        constant = keras.initializers.Constant(value)
        return self.add_variable((), constant, dtype=dtype, aggregation="only_first_replica", name=name)

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        backend.check_supported(self)
        check_weights(variables)
        super().build(variables)
        self._slots = self._add_slots(variables)
        self._decide_decays()
        with backend.outside_of_traces():
            state.load_pending(self)

    def _decide_decays(self) -> None:
        # Not in an update: there TensorFlow passes raw variables, whose names lack their layer.
        self._decays = [keras_internals.is_decayed(self, weight) for weight in keras_internals.weights(self)]

    def exclude_from_weight_decay(
        self, var_list: list[Variable] | None = None, var_names: list[str] | None = None
    ) -> None:
        """Exclude weights from weight decay, by variable or by a part of their name.

        After `build` it takes effect as Keras's does: at once, but not in a function that is already compiled.
        """
        super().exclude_from_weight_decay(var_list, var_names)
        if self.built:
            self._decide_decays()

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
        with backend.beside(self, reference):
            return self.add_variable(
                shape,
                initializer,
                dtype=arithmetic_dtype(reference.dtype),
                layout=keras_internals.layout(reference) if tuple(shape) == tuple(reference.shape) else None,
                name=f"{getattr(reference, 'path', reference.name)}_{name}".replace("/", "_").replace(":", "_"),
            )

    def apply(self, grads: list[Tensor], trainable_variables: list[Variable] | None = None) -> None:
        # Before Keras divides by the loss scale or clips: that goes wrong in float16, on rows that are still to be
        # added up, and on each device's part of the gradient alone.
        grads = [None if g is None else self._plain_gradient(g) for g in grads]
        super().apply(backend.summed_over_devices(grads), trainable_variables)

    def _plain_gradient(self, g: Tensor) -> Tensor:
        """Return a gradient as a dense tensor of float32 at least; rows with the same index are summed."""
        g = backend.dense(g)
        dtype = arithmetic_dtype(g.dtype)
        return g if keras.backend.standardize_dtype(g.dtype) == dtype else ops.cast(g, dtype)

    def _apply_weight_decay(self, variables: list[Variable]) -> None:
        """Do nothing: the decay is part of the update, where it is not rounded away in weights of low precision."""

    def _backend_update_step(
        self, grads: list[Tensor], trainable_variables: list[Variable], learning_rate: Tensor
    ) -> None:
        numbers, scalars = self._next(grads, trainable_variables, learning_rate)
        for scalar, value in scalars:
            scalar.assign(value)
        backend.update_all(self, grads, trainable_variables, numbers)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """Update one weight array and its slots, as part of the update that comes next.

        `apply` does not call it: it computes the numbers of an update once, for all weights together.
        """
        numbers, _ = self._next([gradient], [variable], learning_rate)
        backend.update_all(self, [gradient], [variable], numbers)

    def _next(self, grads: list[Tensor], weights: list[Variable], learning_rate: Tensor) -> tuple[Numbers, NewScalars]:
        """Return the numbers of the next update, and the optimizer's own scalars with their values after it."""
        dtype = acting_dtype()
        step = keras_internals.batches_seen(self)
        alpha = ops.cast(learning_rate, dtype)
        beta_1, beta_2 = (ops.cast(at_step(b, step), dtype) for b in (self._beta_1, self._beta_2))
        (c_1, scalars_1), (c_2, scalars_2) = self._beta_1_product.times(beta_1), self._beta_2_product.times(beta_2)
        numbers = self.hyperparameters(
            alpha=alpha,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=self.epsilon,
            c_1=c_1,
            c_2=c_2,
            t=ops.cast(self.iterations + 1, dtype),
        )
        return {"decay": self._decay(alpha), **numbers}, scalars_1 + scalars_2

    def _decay(self, alpha: Tensor) -> Tensor | None:
        """Return the share of a weight that decays in this update, or None without weight decay."""
        decay = self.weight_decay
        if callable(decay):
            decay = ops.cast(decay(keras_internals.batches_seen(self)), alpha.dtype)
        return None if decay is None else alpha * decay

    def hyperparameters(
        self,
        *,
        alpha: Tensor,
        beta_1: Tensor,
        beta_2: Tensor,
        epsilon: Tensor,
        c_1: Tensor,
        c_2: Tensor,
        t: Tensor = None,
        **own: Tensor,
    ) -> Numbers:
        """Return the rule's keyword arguments for update `t`; `c_1`, `c_2` are 1 - product of the betas so far.

        `own` are settings that the optimizer's `step_size` takes, in the place of its own.
        """
        if self.corrects_root:
            epsilon = rules.larger(epsilon * ops.sqrt(c_2), TINY)
        return {"alpha": self.step_size(alpha, c_1, c_2, **own), "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}

    def step_size(self, alpha: Tensor, c_1: Tensor, c_2: Tensor) -> Tensor:
        """Return the step size that carries the rule's bias correction: unless overridden, Adam's."""
        return rules.corrected(alpha, c_1, c_2)

    def alpha_of(self, i: int, numbers: Numbers) -> Tensor:
        """Return the step size of weight array number `i`, of the numbers of an update."""
        return numbers["alpha"]

    def _update_by_rule(self, gradient: Tensor, variable: Variable, numbers: Numbers) -> None:
        """Update one weight array and its slots by the plain rule."""
        i = keras_internals.index(self, variable)
        slots = [of_all_weights[i] for of_all_weights in self._slots]
        dtype = slots[0].dtype
        g, w = self.bounded(ops.cast(gradient, dtype), dtype), ops.cast(variable, dtype)
        values = [ops.convert_to_tensor(slot) for slot in slots]
        numbers = {name: ops.cast(x, dtype) for name, x in numbers.items() if x is not None}
        decay = numbers.pop("decay", None)
        step, new_slots = self.update(i, g, w, values, **numbers)
        if decay is not None and self._decays[i]:
            step = step + decay * w
        for slot, value in zip(slots, new_slots, strict=True):
            self.assign(slot, value)
        self.assign(variable, w - step)

    def bounded(self, g: Tensor, dtype: str) -> Tensor:
        """Return a gradient whose square is finite: elements of more than 1.8e19 in float32 count as 1.8e19."""
        if self.largest_gradient is None:
            return g
        return rules.bounded(g, self.largest_gradient * LARGEST_OF[dtype])

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
        numbers = self.hyperparameters(alpha=alpha, beta_1=beta_1, beta_2=beta_2, c_1=c_1, c_2=c_2, t=t, **settings)
        return self.rule(self.bounded(g, keras.backend.standardize_dtype(g.dtype)), *slots, **numbers)

    def _update_model_variables_moving_average(self, trainable_variables: list[Variable]) -> None:
        if self.use_ema:
            update_averages(self, trainable_variables)

    def _overwrite_model_variables_with_average_value(self, trainable_variables: list[Variable]) -> None:
        backend.overwrite_with_averages(self, trainable_variables)

    def set_weights(self, weights: list[Any]) -> None:
        """Set the values of `variables`, in their order; also those of a version without `..._rest` variables."""
        super().set_weights(state.with_rests(self, list(weights)))

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
        return super().from_config(deserialized(config, custom_objects), custom_objects=custom_objects)
