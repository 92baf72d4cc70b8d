"""One epoch of many replicas as one compiled program."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import keras
import numpy as np
from keras import ops

from keras_amsgrad.optimizers import RuleOptimizer
from keras_amsgrad.replicas import backends, layout, settings
from keras_amsgrad.replicas.replica import Weights
from keras_amsgrad.rules import Tensor

State = dict[str, Any]  # tensors, and lists of them; see `Program`
Columns = dict[str, Tensor]  # a number of each replica, (replicas,), by name
Batches = tuple[np.ndarray, np.ndarray]  # row numbers: full batches (steps, rows), and the short rest
Carry = TypeVar("Carry")

EVALUATION_ROWS = 1000  # rows in one step of an evaluation
# Measured before replicas lay along rows: 75 logistic fits of 1,878 steps took 12.3 s of processor time with XLA, 17.6
# without.
STEPS_WORTH_XLA = 1000


class Program:
    """The compiled epoch and evaluation of `count` replicas that share a network, a rule, a loss and their batches.

    The state of the replicas is a dictionary of tensors. Weights and slots lie as `layout` says, everything else has
    the replicas on its first axis.

    Args:
        model: A built Keras model, the template; its weights are not changed.
        optimizers: The optimizers of the replicas, equal but for their numbers (`settings.program_key`).
        loss: A Keras loss: name, function or instance.
        steps: About how many steps the program will run: XLA takes seconds to compile, and saves milliseconds a step.
    """

    def __init__(self, model: keras.Model, optimizers: Sequence[RuleOptimizer], loss: Any, steps: int) -> None:
        self.model, self.loss, self.count = model, keras.losses.get(loss), len(optimizers)
        self.rule, self.metrics = optimizers[0], metrics_of(self.loss)
        self.schedules = settings.scheduled(optimizers)
        # Whole numbers (states of seed generators, counters) go the same way in all replicas: one copy serves all.
        self.own_state = [v.dtype.startswith(("float", "bfloat")) for v in model.non_trainable_variables]
        decays = bool(self.rule.weight_decay)
        self.decayed = [decays and self.rule._use_weight_decay(v) for v in model.trainable_variables]
        # Convolutions are slower under XLA on a CPU, and XLA draws other random numbers than TensorFlow without it: a
        # network that draws is compiled as `fit` compiles it.
        draws = not all(self.own_state)
        worth_it = steps >= STEPS_WORTH_XLA and not (draws or is_convolutional(model))
        xla = backends.fit_uses_xla() or worth_it
        self.loops = backends.CAN_STACK and not (is_convolutional(model) and backends.loops_slow_convolutions())
        if self.loops:
            self.epoch, self.evaluate = backends.compiled(self._epoch, xla), backends.compiled(self._evaluate, xla)
            self.step, self.sums = self._step, self._sums
        else:  # each step a program of its own
            self.epoch, self.evaluate = self._epoch, self._evaluate
            self.step, self.sums = backends.compiled(self._step, xla), backends.compiled(self._sums, xla)
        self.predict = backends.compiled(self._predict, xla)

    def initial_state(self, start: Weights) -> State:
        """Return the state before the first step of replicas that all start from these values of `model.variables`."""
        state: State = {
            **self._stacked([start] * self.count),
            "t": np.zeros((), "int32"),
            "alive": np.ones(self.count, bool),
        }
        state["slots"] = [[np.zeros_like(weight) for _ in self.rule.slots] for weight in state["weights"]]
        return keras.tree.map_structure(ops.convert_to_tensor, state)

    def state_with(self, state: State, weights: Sequence[Weights]) -> State:
        """Return `state` with other values of `model.variables`, given for each replica."""
        return {**state, **keras.tree.map_structure(ops.convert_to_tensor, self._stacked(weights))}

    def final_weights(self, state: State, k: int) -> Weights:
        """Return the values of `model.variables` of replica `k` as NumPy arrays."""
        weights = [weight[k] for weight in self._apart(state["weights"])]
        fixed = [value[k] if own else value for value, own in _zip(state["fixed"], self.own_state)]
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        of = {id(v): ops.convert_to_numpy(value) for v, value in _zip(variables, [*weights, *fixed])}
        return [of[id(v)] for v in self.model.variables]

    def _stacked(self, values: Sequence[Weights]) -> State:
        """Return the parts of a state that hold the values of `model.variables`, given for each replica."""
        position = {id(v): i for i, v in enumerate(self.model.variables)}

        def stacked(variable: keras.Variable) -> np.ndarray:
            return np.stack([of_one[position[id(variable)]] for of_one in values])

        fixed = zip(self.model.non_trainable_variables, self.own_state, strict=True)
        return {
            "weights": [layout.together(stacked(v)) for v in self.model.trainable_variables],
            "fixed": [stacked(v) if own else values[0][position[id(v)]] for v, own in fixed],
        }

    def _epoch(
        self, state: State, numbers: Columns, x: Tensor, y: Tensor, batches: Tensor, rest: Tensor
    ) -> tuple[State, Columns]:
        """Train one epoch on the rows `batches` (steps, batch) and the short last batch `rest`, both row numbers.

        Returns (state, sums over the rows while training {"loss": (replicas,), "accuracy": (replicas,)}). Replicas that
        are not alive keep their state. It is set back once at the end: to choose old or new numbers in every step took
        as long as all the rest of a step.
        """
        start = state
        zero = {name: ops.zeros(self.count) for name in self.metrics}

        def step(i: Tensor, carry: tuple[State, Columns]) -> tuple[State, Columns]:
            return self.step(*carry, numbers, ops.take(x, batches[i], 0), ops.take(y, batches[i], 0))

        carry = self._repeat(batches.shape[0], step, (state, zero))
        if rest.shape[0]:  # its own, shorter step: nothing padded takes part, in BatchNormalization as elsewhere
            carry = self.step(*carry, numbers, ops.take(x, rest, 0), ops.take(y, rest, 0))
        state, sums = carry
        return self._alive_or(start, state), sums

    def _step(self, state: State, sums: Columns, numbers: Columns, x: Tensor, y: Tensor) -> tuple[State, Columns]:
        def loss_of(weights: list[Tensor]) -> tuple[Tensor, Any]:
            outputs, fixed, penalties = self._forward(weights, state["fixed"], x, training=True)
            losses = ops.mean(self._losses(outputs, y), 1) + penalties
            return ops.sum(losses), (losses, fixed, self._metrics(outputs, y))

        gradients, (losses, fixed, metrics) = backends.gradient(loss_of, state["weights"])
        weights, slots = self._updated(state, gradients, numbers)
        state = {**state, "weights": weights, "slots": slots, "fixed": fixed, "t": state["t"] + 1}
        sums = {"loss": sums["loss"] + losses * x.shape[0], **{k: sums[k] + v for k, v in metrics.items()}}
        return state, sums

    def _evaluate(self, state: State, x: Tensor, y: Tensor, batches: Tensor, rest: Tensor) -> Columns:
        """Return the sums of loss and metrics over the rows `batches` and `rest`, {name: (replicas,)}."""
        zero = {name: ops.zeros(self.count) for name in self.metrics}

        def add(rows: Tensor, sums: Columns) -> Columns:
            more = self.sums(state["weights"], state["fixed"], ops.take(x, rows, 0), ops.take(y, rows, 0))
            return keras.tree.map_structure(ops.add, sums, more)

        sums = self._repeat(batches.shape[0], lambda i, sums: add(batches[i], sums), zero)
        return add(rest, sums) if rest.shape[0] else sums

    def _sums(self, weights: list[Tensor], fixed: list[Tensor], x: Tensor, y: Tensor) -> Columns:
        outputs, _, penalties = self._forward(weights, fixed, x, training=False)
        losses = ops.sum(self._losses(outputs, y), 1) + penalties * x.shape[0]
        return {"loss": losses, **self._metrics(outputs, y)}

    def _predict(self, state: State, x: Tensor, rows: Tensor) -> Tensor:
        """Return the outputs for some rows, (replicas, rows, ...)."""
        return self._forward(state["weights"], state["fixed"], ops.take(x, rows, 0), training=False)[0]

    def _repeat(self, count: int, body: Callable[[Any, Carry], Carry], carry: Carry) -> Carry:
        """Run `carry = body(i, carry)` for i = 0 .. count - 1: as one loop of the program, if those are good here."""
        if self.loops and count:
            return ops.fori_loop(0, count, body, carry)
        for i in range(count):
            carry = body(i, carry)
        return carry

    def _forward(
        self, weights: list[Tensor], fixed: list[Tensor], x: Tensor, training: bool
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """Return outputs (replicas, rows, ...), the new values of the other variables, and penalties (replicas,)."""
        own = [value for value, is_own in zip(fixed, self.own_state, strict=True) if is_own]

        def one(arrays: list[Tensor]) -> dict[str, Any]:
            mine, others = arrays[: len(weights)], iter(arrays[len(weights) :])
            state = [next(others) if is_own else value for value, is_own in _zip(fixed, self.own_state)]
            outputs, state, penalties = self.model.stateless_call(mine, state, x, training=training, return_losses=True)
            # TensorFlow's map cannot give back an array of the outside as it is, hence the addition.
            state = [
                value if is_own else value + ops.zeros_like(value) for value, is_own in _zip(state, self.own_state)
            ]
            result = {"outputs": outputs, "fixed": state, "penalty": sum(penalties, ops.zeros(()))}
            logits = getattr(outputs, "_keras_logits", None)
            return result if logits is None else {**result, "logits": logits}

        result = backends.over_replicas(one, [*self._apart(weights), *own], self.count)
        fixed = [new if is_own else new[0] for new, is_own in _zip(result["fixed"], self.own_state)]
        outputs = result["outputs"]
        if "logits" in result:  # Keras's cross-entropy on TensorFlow goes back to the logits through this attribute
            outputs._keras_logits = result["logits"]
        return outputs, fixed, result["penalty"]

    def _apart(self, weights: list[Tensor]) -> list[Tensor]:
        return [layout.apart(w, v.shape) for w, v in _zip(weights, self.model.trainable_variables)]

    def _losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each replica and row, (replicas, rows)."""
        loss = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        flat = ops.reshape(outputs, (-1, *outputs.shape[2:]))
        if hasattr(outputs, "_keras_logits"):
            flat._keras_logits = ops.reshape(outputs._keras_logits, flat.shape)
        return ops.reshape(loss(self._for_each(y), flat), (self.count, -1))

    def _metrics(self, outputs: Tensor, y: Tensor) -> Columns:
        if "accuracy" not in self.metrics:
            return {}
        flat = ops.reshape(outputs, (-1, *outputs.shape[2:]))
        right = _accuracy_function(y, outputs)(self._for_each(y), flat)
        return {"accuracy": ops.sum(ops.reshape(right, (self.count, -1)), 1)}

    def _for_each(self, y: Tensor) -> Tensor:
        """Repeat the targets of a shared batch for each replica: (rows, ...) -> (replicas * rows, ...)."""
        return ops.tile(y, (self.count, *[1] * (len(y.shape) - 1)))

    def _updated(
        self, state: State, gradients: list[Tensor], numbers: Columns
    ) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Return the weights and slots after one update of the rule, per replica with its own numbers."""
        numbers = {**numbers, **self._scheduled_now(state["t"])}
        pairs = _zip(state["weights"], gradients, state["slots"], self.decayed)
        updated = [self._updated_weight(state["t"], numbers, *pair) for pair in pairs]
        return [weight for weight, _ in updated], [slots for _, slots in updated]

    def _updated_weight(
        self, t: Tensor, numbers: Columns, weight: Tensor, gradient: Tensor, slots: list[Tensor], decayed: bool
    ) -> tuple[Tensor, list[Tensor]]:
        n = {name: layout.along_row(column, weight) for name, column in numbers.items()}
        alpha, decay = n.pop("learning_rate"), n.pop("weight_decay")
        if decayed:
            weight = weight - weight * decay * alpha
        step, new_slots = self.rule.step(gradient, *slots, alpha=alpha, t=ops.cast(t + 1, weight.dtype), **n)
        return weight - step, list(new_slots)

    def _scheduled_now(self, t: Tensor) -> Columns:
        return {
            name: ops.stack([ops.cast(schedule(t), "float32") for schedule in schedules])
            for name, schedules in self.schedules.items()
        }

    def _alive_or(self, old: State, new: State) -> State:
        """Return the state `new`, with the numbers of `old` where a replica is not alive."""
        alive = new["alive"]

        def in_rows(old: Tensor, new: Tensor) -> Tensor:
            return ops.where(ops.repeat(alive, new.shape[1] // self.count), new, old)

        def on_first_axis(old: Tensor, new: Tensor) -> Tensor:
            return ops.where(ops.reshape(alive, (-1, *[1] * (len(new.shape) - 1))), new, old)

        fixed = _zip(old["fixed"], new["fixed"], self.own_state)
        return {
            **new,
            **{key: keras.tree.map_structure(in_rows, old[key], new[key]) for key in ("weights", "slots")},
            "fixed": [on_first_axis(*pair) if own else pair[1] for *pair, own in fixed],
        }


def metrics_of(loss: Any) -> tuple[str, ...]:
    """Return the names of what is measured: the loss, and the accuracy where the loss is one of classification.

    >>> metrics_of(keras.losses.get("mse")), metrics_of(keras.losses.CategoricalCrossentropy())
    (('loss',), ('loss', 'accuracy'))
    """
    name = getattr(loss, "name", "") or getattr(loss, "__name__", "")
    return ("loss", "accuracy") if "crossentropy" in name else ("loss",)


def check_network(model: keras.Model) -> None:
    """Raise ValueError where the engine would train `model` differently from `model.fit`."""
    if not model.built or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"`model` must return a built Keras model with one input and one output. Received: {model}")
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            raise ValueError(f"Weights of replicas must have no constraint. Received: {variable.path}")
        if variable.dtype != "float32":
            raise ValueError(f"Weights of replicas must be float32. Received: {variable.path}, {variable.dtype}")


def is_convolutional(model: keras.Model) -> bool:
    """Return whether any kernel of the model is more than a matrix.

    >>> import keras
    >>> is_convolutional(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
    False
    """
    return any(len(variable.shape) > 2 for variable in model.trainable_variables)


def _accuracy_function(y: Tensor, outputs: Tensor) -> Callable[..., Tensor]:
    if outputs.shape[-1] == 1:
        return keras.metrics.binary_accuracy
    sparse = len(y.shape) < len(outputs.shape) - 1 or y.shape[-1] == 1
    return keras.metrics.sparse_categorical_accuracy if sparse else keras.metrics.categorical_accuracy


def _zip(*columns: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*columns, strict=True)
