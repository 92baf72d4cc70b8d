"""A loop over batches of rows, compiled in the way that is fastest on the backend."""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_amsgrad.replicas import backends
from keras_amsgrad.rules import Tensor


class BatchLoop:
    """Runs `carry = body(carry, shared, batch)` for every `size` rows, and for those that are left.

    There is no padding, which would change BatchNormalization.

    Args:
        body: A function of two structures of tensors and of a batch: the rows of each array of the data.
        loops: Whether a compiled loop is fast here; else each step is a program of its own.
        xla: Whether XLA compiles the loop.
    """

    def __init__(self, body: Callable[..., Any], loops: bool, xla: bool) -> None:
        self.body, self.loops, self.xla = body, loops, xla
        self.step = backends.compiled(self._step, backends.fit_uses_xla(), any_rows=(2, 3))
        self.over_batches = backends.compiled(self._over_batches, xla)
        self.over_rows = backends.compiled(self._over_rows, xla, any_rows=(2, 3))

    def __call__(self, size: int, carry: Any, shared: Any, data: Any, rows: Tensor) -> Any:
        """Return the last `carry`.

        Args:
            size: Rows in a batch.
            carry: What the first step receives.
            shared: What all steps receive.
            data: A structure of arrays of all rows, and of None.
            rows: Numbers of rows in their order, (n,) int32.
        """
        count = len(rows)
        if not self.loops:
            parts = (rows[i : i + size] for i in range(0, count, size))
            return functools.reduce(lambda carry, part: self.step(carry, shared, data, part), parts, carry)
        if not self.xla:
            return self.over_rows(carry, shared, data, rows, ops.convert_to_tensor(size, "int32"))
        # The rest has a program of its own: a second step in that of the others would take as long to compile.
        full = count // size * size
        if full:
            carry = self.over_batches(carry, shared, data, ops.reshape(rows[:full], (-1, size)))
        return self.step(carry, shared, data, rows[full:]) if full < count else carry

    def _step(self, carry: Any, shared: Any, data: Any, rows: Tensor) -> Any:
        return self.body(carry, shared, of_rows(data, rows))

    def _over_batches(self, carry: Any, shared: Any, data: Any, batches: Tensor) -> Any:
        return ops.fori_loop(0, batches.shape[0], lambda i, carry: self._step(carry, shared, data, batches[i]), carry)

    def _over_rows(self, carry: Any, shared: Any, data: Any, rows: Tensor, size: Tensor) -> Any:
        """Traced once for all sizes of batches and numbers of rows, the shorter last batch included."""

        def step(i: Tensor, carry: Any) -> Any:
            return self._step(carry, shared, data, rows[i * size : (i + 1) * size])

        return ops.fori_loop(0, (ops.shape(rows)[0] + size - 1) // size, step, carry)


def of_rows(data: Any, rows: Tensor) -> Any:
    """Return some rows of each array of a structure; None stays None."""
    return keras.tree.map_structure(lambda array: None if array is None else ops.take(array, rows, 0), data)
