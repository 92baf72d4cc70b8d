"""Groups of replicas with batches of their own, mapped over one program: a GPU has room for more than one."""

import keras
import numpy as np
from keras import ops

from keras_amsgrad.replicas import backends, settings


class Lanes:
    """`lanes` groups that run in the same `Program`, each with its seed and rows; a single one runs in it as it is.

    Replicas are numbered lane by lane. The state has the lanes on its first axis, where there are several.
    """

    def __init__(self, program, lanes):
        self.program, self.lanes, self.count = program, lanes, lanes * program.count
        self._epoch, self._evaluate, self._predict = program.epoch, program.evaluate, program.predict
        if lanes > 1:
            self._epoch = backends.over_lanes(program._epoch, (0, 0, None, None, 0, 0))
            self._evaluate = backends.over_lanes(program._evaluate, (0, None, None, 0, 0))
            self._predict = backends.over_lanes(program._predict, (0, None, 0))

    def initial_state(self, starts):
        """Return the state before the first step; each lane starts from its values of `model.variables`."""
        return self._stacked([self.program.initial_state(start) for start in starts])

    def numbers(self, optimizers):
        """Return the settings of all replicas that are numbers."""
        return {name: self._split(column) for name, column in settings.columns(optimizers).items()}

    def with_alive(self, state, alive):
        """Return `state` with those replicas alive for which `alive` (replicas,) is true."""
        return {**state, "alive": ops.convert_to_tensor(self._split(alive))}

    def epoch(self, state, numbers, x, y, rows):
        """Train an epoch on `rows`, (batches, the short rest) of each lane; return (state, sums over the rows)."""
        state, sums = self._epoch(state, numbers, x, y, *self._stacked(rows))
        return state, self._joined(sums)

    def evaluate(self, state, x, y, rows):
        return self._joined(self._evaluate(state, x, y, *self._stacked(rows)))

    def predict(self, state, x, rows):
        """Return the outputs (replicas, rows, ...) for `rows`, an array of each lane."""
        outputs = self._predict(state, x, self._stacked(rows))
        return outputs if self.lanes == 1 else ops.reshape(outputs, (self.count, *outputs.shape[2:]))

    def state_with(self, state, weights):
        """Return `state` with other values of `model.variables`, given for each replica."""
        size = self.program.count
        each = [
            self.program.state_with(self._lane(state, i), weights[i * size : (i + 1) * size]) for i in range(self.lanes)
        ]
        return self._stacked(each)

    def final_weights(self, state, k):
        """Return the values of `model.variables` of replica `k` as NumPy arrays."""
        lane, place = divmod(k, self.program.count)
        needed = {name: state[name] for name in ("weights", "fixed")}
        return self.program.final_weights(self._lane(needed, lane), place)

    def _stacked(self, of_lanes):
        if self.lanes == 1:
            return of_lanes[0]
        return keras.tree.map_structure(lambda *arrays: ops.stack(arrays), *of_lanes)

    def _lane(self, state, lane):
        return state if self.lanes == 1 else keras.tree.map_structure(lambda array: array[lane], state)

    def _split(self, column):
        return column if self.lanes == 1 else np.reshape(column, (self.lanes, -1))

    def _joined(self, sums):
        return sums if self.lanes == 1 else {name: ops.reshape(each, (-1,)) for name, each in sums.items()}
