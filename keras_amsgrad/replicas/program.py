"""One epoch of many replicas as one compiled program."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_amsgrad.replicas import backends, layout
from keras_amsgrad.replicas.batch_loop import BatchLoop, of_rows
from keras_amsgrad.replicas.measures import Measures, Sums
from keras_amsgrad.replicas.networks import is_convolutional
from keras_amsgrad.replicas.replica import Weights
from keras_amsgrad.replicas.settings import PureForm
from keras_amsgrad.replicas.strengths import with_strengths
from keras_amsgrad.replicas.updates import Columns, Update
from keras_amsgrad.rules import Tensor

State = dict[str, Any]  # tensors, and lists of them; see `Program`
Batch = tuple[Any, Tensor, Tensor | None]  # inputs, targets, weights of rows

# Measured with TensorFlow on two cores, for networks of 100 to 670,000 weights (of all replicas): XLA takes about 1.2 s
# longer to compile, and saves 0.15 ms and 6 ns a weight in each step.
WEIGHTS_OF_A_STEP = 25_000  # the 0.15 ms, as weights
WORTH_XLA = 160_000_000  # steps times weights


def saves_more_than_compilation_takes(model: keras.Model, count: int, steps: int) -> bool:
    """Return whether XLA saves more time in so many steps of `count` replicas than it takes to compile them."""
    weights = count * sum(math.prod(v.shape) for v in model.trainable_variables)
    return steps * (WEIGHTS_OF_A_STEP + weights) >= WORTH_XLA


class Program:
    """The compiled epoch and evaluation of `count` replicas that share a network, a rule, a loss and their batches.

    Of the data, `x` is an array of all rows, or a structure of arrays for several inputs; `w` has the weights of the
    rows, or is None.

    The state of the replicas is a dictionary of tensors. Weights and slots are stored as `layout` describes; everything
    else has the replicas on its first axis. "strengths" is empty where all replicas have those of `model`.

    Args:
        model: A built Keras model, the template; its weights are not changed.
        forms: The optimizers of the replicas, which differ in their numbers only.
        measures: What is measured: the loss, and metrics.
        steps: About how many steps the program will run. XLA takes long to compile, and saves time in each.
    """

    def __init__(self, model: keras.Model, forms: Sequence[PureForm], measures: Measures, steps: int) -> None:
        self.model, self.measures, self.count = model, measures, len(forms)
        self.update = Update(forms, model.trainable_variables)
        # Integer variables (states of seed generators, counters) change alike in all replicas: one copy serves all.
        self.own_state = [v.dtype.startswith(("float", "bfloat")) for v in model.non_trainable_variables]
        as_fit = backends.fit_uses_xla()
        loops = backends.CAN_STACK and not (is_convolutional(model) and backends.loops_slow_convolutions())
        self.training = BatchLoop(self._step, loops, as_fit or self._is_worth_xla(steps))
        self.evaluation = BatchLoop(self._sums, loops, as_fit)
        self.predict = backends.compiled(self._predict, as_fit, any_rows=(1, 2))
        self.selected = backends.compiled(self._selected, as_fit)

    def _is_worth_xla(self, steps: int) -> bool:
        # Convolutions are slower under XLA on a CPU. XLA also draws other random numbers than TensorFlow without it, so
        # a network with random layers is compiled as `fit` compiles it. A metric may have operations that XLA lacks.
        if not all(self.own_state) or is_convolutional(self.model) or self.measures.variables:
            return False
        return saves_more_than_compilation_takes(self.model, self.count, steps)

    def initial_state(self, start: Weights, strengths: Sequence[Sequence[float]] = ()) -> State:
        """Return the state before the first step of replicas that all start from these values of `model.variables`.

        `strengths` are those of each replica, in the order of `strengths.strengths`; empty: those of `model`.
        """
        state: State = {
            **self._stacked([start] * self.count),
            "t": np.zeros((), "int32"),
            "strengths": _columns(strengths),
        }
        state["slots"] = self.update.initial_slots(state["weights"])
        return keras.tree.map_structure(ops.convert_to_tensor, state)

    def state_with(self, state: State, weights: Sequence[Weights]) -> State:
        """Return `state` with other values of `model.variables`, given for each replica."""
        return {**state, **keras.tree.map_structure(ops.convert_to_tensor, self._stacked(weights))}

    def finalized(self, state: State) -> State:
        """Return the `state` of the end of training: weights of which averages are kept are those averages."""
        return {**state, "weights": self.update.final_weights(state["weights"], state["slots"])}

    def final_weights(self, state: State, k: int) -> Weights:
        """Return the values of `model.variables` of replica `k` as NumPy arrays."""
        pairs = _zip(state["weights"], self.model.trainable_variables)
        weights = [ops.reshape(layout.parts(weight, self.count)[:, k], v.shape) for weight, v in pairs]
        fixed = [value[k] if own else value for value, own in _zip(state["fixed"], self.own_state)]
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        of = {id(v): ops.convert_to_numpy(value) for v, value in _zip(variables, [*weights, *fixed])}
        return [of[id(v)] for v in self.model.variables]

    def state_of(self, state: State, k: int) -> State:
        """Return the state of replica `k` alone, in NumPy arrays; `joined` makes one state of several."""

        def in_rows(matrix: Tensor) -> Tensor:
            return layout.parts(matrix, self.count)[:, k]

        alone = {key: keras.tree.map_structure(in_rows, state[key]) for key in ("weights", "slots")}
        fixed = [value[k] if own else value for value, own in _zip(state["fixed"], self.own_state)]
        return keras.tree.map_structure(ops.convert_to_numpy, {**alone, "fixed": fixed, "t": state["t"]})

    def joined(self, states: Sequence[State], strengths: Sequence[Sequence[float]] = ()) -> State:
        """Return the state of all replicas from that of each, as `state_of` returns it, after the same updates."""

        def in_rows(*matrices: np.ndarray) -> np.ndarray:
            return np.concatenate(matrices, 1)

        joined = {
            key: keras.tree.map_structure(in_rows, *[state[key] for state in states]) for key in ("weights", "slots")
        }
        fixed = zip(*[state["fixed"] for state in states], strict=True)
        joined["fixed"] = [np.stack(each) if own else each[0] for each, own in _zip(fixed, self.own_state)]
        joined |= {"t": states[0]["t"], "strengths": _columns(strengths)}
        return keras.tree.map_structure(ops.convert_to_tensor, joined)

    def _stacked(self, values: Sequence[Weights]) -> State:
        """Return the parts of a state that hold the values of `model.variables`, given for each replica."""
        position = {id(v): i for i, v in enumerate(self.model.variables)}

        def stacked(variable: keras.Variable) -> np.ndarray:
            return np.stack([of_one[position[id(variable)]] for of_one in values])

        fixed = zip(self.model.non_trainable_variables, self.own_state, strict=True)
        return {
            "weights": [layout.pack(stacked(v)) for v in self.model.trainable_variables],
            "fixed": [stacked(v) if own else values[0][position[id(v)]] for v, own in fixed],
        }

    def epoch(
        self, size: int, state: State, numbers: Columns, x: Any, y: Tensor, w: Tensor | None, rows: Tensor
    ) -> tuple[State, Sums]:
        """Train one epoch on the rows with the numbers `rows` in their order, `size` in a step.

        Returns (state, what was measured of the rows while training).
        """
        return self.training(size, (state, self.measures.start(self.count)), numbers, (x, y, w), rows)

    def evaluate(self, size: int, state: State, x: Any, y: Tensor, w: Tensor | None, rows: Tensor) -> Sums:
        """Return what is measured of some rows, `size` in a step."""
        return self.evaluation(size, self.measures.start(self.count), state, (x, y, w), rows)

    def _step(self, carry: tuple[State, Sums], numbers: Columns, batch: Batch) -> tuple[State, Sums]:
        (state, sums), (x, y, w) = carry, batch

        def loss_of(weights: list[Tensor]) -> tuple[Tensor, Any]:
            forward = self._forward({**state, "weights": weights}, x, training=True, sums=sums, y=y, w=w)
            losses = self.measures.losses(forward)
            return ops.sum(losses), (forward["fixed"], self.measures.add(sums, forward, y, losses))

        gradients, (fixed, sums) = backends.gradient(loss_of, state["weights"])
        weights, slots = self.update(state["weights"], gradients, state["slots"], numbers, state["t"])
        weights = self._constrained(weights)
        return {**state, "weights": weights, "slots": slots, "fixed": fixed, "t": state["t"] + 1}, sums

    def _sums(self, sums: Sums, state: State, batch: Batch) -> Sums:
        x, y, w = batch
        return self.measures.add(sums, self._forward(state, x, training=False, sums=sums, y=y, w=w), y)

    def _predict(self, state: State, x: Any, rows: Tensor) -> Tensor:
        """Return the outputs for some rows, (replicas, rows, ...)."""
        return self._forward(state, of_rows(x, rows), training=False)["outputs"]

    def _forward(
        self,
        state: State,
        x: Any,
        training: bool,
        sums: Sums | None = None,
        y: Tensor | None = None,
        w: Tensor | None = None,
    ) -> dict[str, Any]:
        """Return what a batch gives: outputs (replicas, rows, ...), the new values of the other variables ("fixed")
        and, where there are targets, what `measures.of_one` gives, stacked.
        """
        fixed, strengths = state["fixed"], state["strengths"]
        weights = self._unpacked(state["weights"])
        own = [value for value, is_own in _zip(fixed, self.own_state) if is_own]
        measured = [] if y is None else self.measures.state(sums)

        def one(arrays: list[Tensor]) -> dict[str, Any]:
            rest = iter(arrays)
            mine, numbers = _next(len(weights), rest), _next(len(strengths), rest)
            values = [next(rest) if is_own else value for value, is_own in _zip(fixed, self.own_state)]
            with with_strengths(self.model, numbers) if numbers else nullcontext():
                outputs, values, penalties = self.model.stateless_call(
                    mine, values, x, training=training, return_losses=True
                )
            # TensorFlow's map cannot return an array from outside of it unchanged, hence the addition.
            values = [
                value if is_own else value + ops.zeros_like(value) for value, is_own in _zip(values, self.own_state)
            ]
            found = {"outputs": outputs, "fixed": values}
            if y is None:
                return found
            # The losses belong here: Keras's cross-entropy goes back from the outputs of this call to their logits.
            penalty = sum(penalties, ops.zeros(()))
            return {**found, **self.measures.of_one(outputs, y, w, penalty, list(rest), training)}

        result = backends.over_replicas(one, [*weights, *strengths, *own, *measured], self.count)
        result["fixed"] = [new if is_own else new[0] for new, is_own in _zip(result["fixed"], self.own_state)]
        return result

    def _unpacked(self, weights: list[Tensor]) -> list[Tensor]:
        return [layout.unpack(w, v.shape) for w, v in _zip(weights, self.model.trainable_variables)]

    def _constrained(self, weights: list[Tensor]) -> list[Tensor]:
        """Return the weights after their constraints, which Keras applies after every update."""

        def constrained(weight: Tensor, variable: keras.Variable) -> Tensor:
            if variable.constraint is None:
                return weight
            each = layout.unpack(weight, variable.shape)
            return layout.repack(
                backends.over_replicas(lambda arrays: variable.constraint(arrays[0]), [each], self.count)
            )

        return [constrained(*pair) for pair in _zip(weights, self.model.trainable_variables)]

    def _selected(self, old: State, new: State, alive: Tensor) -> State:
        """Return the state `new`, with the values of `old` for replicas that are not `alive` (replicas,).

        Once after an epoch: selecting old or new numbers in every step took as long as the rest of the step.
        """
        widths = {weight.shape[1] for weight in new["weights"]}
        along_row = {width: ops.repeat(alive, width // self.count) for width in widths}

        def in_rows(old: Tensor, new: Tensor) -> Tensor:
            return ops.where(along_row[new.shape[1]], new, old)

        def on_first_axis(old: Tensor, new: Tensor) -> Tensor:
            return ops.where(ops.reshape(alive, (-1, *[1] * (len(new.shape) - 1))), new, old)

        fixed = _zip(old["fixed"], new["fixed"], self.own_state)
        return {
            **new,
            **{key: keras.tree.map_structure(in_rows, old[key], new[key]) for key in ("weights", "slots")},
            "fixed": [on_first_axis(*pair) if own else pair[1] for *pair, own in fixed],
        }


def _columns(strengths: Sequence[Sequence[float]]) -> list[np.ndarray]:
    """Return numbers that are given for each replica as arrays (replicas,)."""
    return [np.asarray(each, "float32") for each in _zip(*strengths)]


def _next(count: int, items: Iterator[Tensor]) -> list[Tensor]:
    return list(itertools.islice(items, count))


def _zip(*columns: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*columns, strict=True)
