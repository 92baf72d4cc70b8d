"""Groups of replicas with batches of their own, mapped over one program: a GPU has room for more than one."""

from collections.abc import Sequence
from typing import TypeVar

import keras
import numpy as np
from keras import ops

from keras_amsgrad.optimizers import RuleOptimizer
from keras_amsgrad.replicas import backends, settings
from keras_amsgrad.replicas.program import Batches, Columns, Program, State
from keras_amsgrad.replicas.replica import Weights
from keras_amsgrad.rules import Tensor

Structure = TypeVar("Structure")  # arrays, in lists, tuples and dictionaries


class Lanes:
    """`lanes` groups that run in the same `Program`, each with its seed and rows; a single one runs in it as it is.

    Replicas are numbered lane by lane. The state has the lanes on its first axis, where there are several.
    """

    def __init__(self, program: Program, lanes: int) -> None:
        self.program, self.lanes, self.count = program, lanes, lanes * program.count
        self._epoch, self._evaluate, self._predict = program.epoch, program.evaluate, program.predict
        if lanes > 1:
            self._epoch = backends.over_lanes(program._epoch, (0, 0, None, None, 0, 0))
            self._evaluate = backends.over_lanes(program._evaluate, (0, None, None, 0, 0))
            self._predict = backends.over_lanes(program._predict, (0, None, 0))

    def initial_state(self, starts: Sequence[Weights]) -> State:
        """Return the state before the first step; each lane starts from its values of `model.variables`."""
        return self._stacked([self.program.initial_state(start) for start in starts])

    def numbers(self, optimizers: Sequence[RuleOptimizer]) -> Columns:
        """Return the settings of all replicas that are numbers."""
        return {name: self._split(column) for name, column in settings.columns(optimizers).items()}

    def with_alive(self, state: State, alive: np.ndarray) -> State:
        """Return `state` with those replicas alive for which `alive` (replicas,) is true."""
        return {**state, "alive": ops.convert_to_tensor(self._split(alive))}

    def epoch(
        self, state: State, numbers: Columns, x: Tensor, y: Tensor, rows: Sequence[Batches]
    ) -> tuple[State, Columns]:
        """Train an epoch on `rows`, (batches, the short rest) of each lane; return (state, sums over the rows)."""
        state, sums = self._epoch(state, numbers, x, y, *self._stacked(rows))
        return state, self._joined(sums)

    def evaluate(self, state: State, x: Tensor, y: Tensor, rows: Sequence[Batches]) -> Columns:
        return self._joined(self._evaluate(state, x, y, *self._stacked(rows)))

    def predict(self, state: State, x: Tensor, rows: Sequence[np.ndarray]) -> Tensor:
        """Return the outputs (replicas, rows, ...) for `rows`, an array of each lane."""
        outputs = self._predict(state, x, self._stacked(rows))
        return outputs if self.lanes == 1 else ops.reshape(outputs, (self.count, *outputs.shape[2:]))

    def state_with(self, state: State, weights: Sequence[Weights]) -> State:
        """Return `state` with other values of `model.variables`, given for each replica."""
        size = self.program.count
        each = [
            self.program.state_with(self._lane(state, i), weights[i * size : (i + 1) * size]) for i in range(self.lanes)
        ]
        return self._stacked(each)

    def final_weights(self, state: State, k: int) -> Weights:
        """Return the values of `model.variables` of replica `k` as NumPy arrays."""
        lane, place = divmod(k, self.program.count)
        needed = {name: state[name] for name in ("weights", "fixed")}
        return self.program.final_weights(self._lane(needed, lane), place)

    def _stacked(self, of_lanes: Sequence[Structure]) -> Structure:
        if self.lanes == 1:
            return of_lanes[0]
        return keras.tree.map_structure(lambda *arrays: ops.stack(arrays), *of_lanes)

    def _lane(self, state: State, lane: int) -> State:
        return state if self.lanes == 1 else keras.tree.map_structure(lambda array: array[lane], state)

    def _split(self, column: np.ndarray) -> np.ndarray:
        return column if self.lanes == 1 else np.reshape(column, (self.lanes, -1))

    def _joined(self, sums: Columns) -> Columns:
        return sums if self.lanes == 1 else {name: ops.reshape(each, (-1,)) for name, each in sums.items()}
