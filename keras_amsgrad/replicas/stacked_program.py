"""Several groups of replicas, each with batches of its own, mapped over one program. A GPU has room for them."""

from collections.abc import Sequence
from typing import Any, TypeVar

import keras
import numpy as np
from keras import ops

from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.measures import Sums
from keras_amsgrad.replicas.program import Program, State
from keras_amsgrad.replicas.replica import Weights
from keras_amsgrad.replicas.updates import Columns
from keras_amsgrad.rules import Tensor

Measured = dict[str, np.ndarray]  # loss and metrics by name, (replicas, ...)
Structure = TypeVar("Structure")  # arrays, in lists, tuples and dictionaries


class StackedProgram:
    """Runs `program` for a number of groups at once, each with its own seed and rows.

    Replicas are numbered group by group. With more than one group, every array of the state has the groups on its
    first axis; with one, the state is that of `program`.
    """

    def __init__(self, program: Program, groups: int) -> None:
        self.program, self.groups, self.count = program, groups, groups * program.count
        self._epoch, self._selected = program.epoch, program.selected
        self._evaluate, self._predict = program.evaluate, program.predict
        if groups > 1:
            self._epoch = backends.over_groups(program.epoch, (0, 0, None, None, 0, 0), sized=True)
            self._selected = backends.over_groups(program._selected, (0, 0, 0))
            self._evaluate = backends.over_groups(program.evaluate, (0, None, None, 0, 0), sized=True)
            self._predict = backends.over_groups(program._predict, (0, None, 0))

    def initial_state(self, starts: Sequence[Weights], strengths: Sequence[Sequence[float]] = ()) -> State:
        """Return the state before the first step; each group starts from its values of `model.variables`.

        `strengths` are those of each replica; empty: those of the network.
        """
        size = self.program.count
        states = [
            self.program.initial_state(start, strengths[i * size : (i + 1) * size]) for i, start in enumerate(starts)
        ]
        return self._stacked(states)

    def continued_state(self, states: Sequence[State], strengths: Sequence[Sequence[float]] = ()) -> State:
        """Return the state from which replicas continue, given for each; the last fills the places left empty."""
        filled, size = [*states, *[states[-1]] * (self.count - len(states))], self.program.count
        parts = [slice(i, i + size) for i in range(0, self.count, size)]
        return self._stacked([self.program.joined(filled[part], strengths[part]) for part in parts])

    def state_of(self, state: State, k: int) -> State:
        """Return the state of replica `k` alone, in NumPy arrays."""
        group, place = divmod(k, self.program.count)
        return self.program.state_of(self._of_group(state, group), place)

    def numbers(self, columns: dict[str, np.ndarray]) -> Columns:
        """Return the settings of all replicas that are numbers, given as `settings.columns` returns them."""
        return {name: self._split(column) for name, column in columns.items()}

    def row_weights(self, weights: Sequence[Any]) -> Tensor | None:
        """Return the weights of all rows, given for each group: arrays (n,), or None for all groups."""
        if weights[0] is None:
            return None
        return self._stacked([ops.convert_to_tensor(np.asarray(each, "float32")) for each in weights])

    def epoch(
        self,
        size: int,
        state: State,
        numbers: Columns,
        x: Any,
        y: Tensor,
        w: Tensor | None,
        rows: Sequence[np.ndarray],
        alive: np.ndarray,
    ) -> tuple[State, Measured]:
        """Train an epoch on the numbers `rows` of each group, `size` in a step; return (state, {name: (replicas,)}).

        Replicas that are not `alive` keep their state; it may leave out the last places, which are empty.
        """
        new, sums = self._epoch(size, state, numbers, x, y, w, self._stacked(rows))
        if not alive.all():
            places = np.pad(alive, (0, self.count - len(alive)))
            new = self._selected(state, new, ops.convert_to_tensor(self._split(places)))
        return new, self._means(sums, rows[0])

    def evaluate(
        self, size: int, state: State, x: Any, y: Tensor, w: Tensor | None, rows: Sequence[np.ndarray]
    ) -> Measured:
        """Return loss and metrics over the numbers `rows` of each group, `size` in a step: {name: (replicas,)}."""
        size = self.program.measures.evaluation_rows or size
        return self._means(self._evaluate(size, state, x, y, w, self._stacked(rows)), rows[0])

    def predict(self, state: State, x: Any, rows: Sequence[np.ndarray]) -> Tensor:
        """Return the outputs (replicas, rows, ...) for `rows`, an array of each group."""
        outputs = self._predict(state, x, self._stacked(rows))
        return outputs if self.groups == 1 else ops.reshape(outputs, (self.count, *outputs.shape[2:]))

    def state_with(self, state: State, weights: Sequence[Weights]) -> State:
        """Return `state` with other values of `model.variables`, given for each replica."""
        size = self.program.count
        each = [
            self.program.state_with(self._of_group(state, i), weights[i * size : (i + 1) * size])
            for i in range(self.groups)
        ]
        return self._stacked(each)

    def finalized(self, state: State) -> State:
        """Return the `state` of the end of training; see `Program.finalized`."""
        return self.program.finalized(state)

    def final_weights(self, state: State, k: int) -> Weights:
        """Return the values of `model.variables` of replica `k` as NumPy arrays."""
        group, place = divmod(k, self.program.count)
        needed = {name: state[name] for name in ("weights", "fixed")}
        return self.program.final_weights(self._of_group(needed, group), place)

    def _stacked(self, of_groups: Sequence[Structure]) -> Structure:
        if self.groups == 1:
            return of_groups[0]
        return keras.tree.map_structure(lambda *arrays: ops.stack(arrays), *of_groups)

    def _of_group(self, state: State, group: int) -> State:
        return state if self.groups == 1 else keras.tree.map_structure(lambda array: array[group], state)

    def _split(self, column: np.ndarray) -> np.ndarray:
        return column if self.groups == 1 else np.reshape(column, (self.groups, -1))

    def _means(self, sums: Sums, rows: np.ndarray) -> Measured:
        if self.groups > 1:
            sums = keras.tree.map_structure(lambda each: ops.reshape(each, (-1, *each.shape[2:])), sums)
        return self.program.measures.means(sums, len(rows))
