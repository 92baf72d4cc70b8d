"""How one weight array of all replicas lies in memory: as one matrix, the replicas beside each other along its rows.

So the kernels of a layer already are the one matrix (inputs, replicas * units) that a shared batch is multiplied
with, and an update works on long rows: the ten units of a small layer would leave most of a processor's width unused.
"""

import numpy as np
from keras import ops

from keras_amsgrad.replicas import backends
from keras_amsgrad.rules import Tensor


def together(values: np.ndarray) -> np.ndarray:
    """Return the arrays of all replicas, (replicas, *shape), as a matrix: (inputs, replicas * units) of kernels.

    What is not a matrix by itself becomes one row, (1, replicas * size).

    >>> together(np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])).tolist()
    [[1, 2, 5, 6], [3, 4, 7, 8]]
    >>> together(np.array([[1, 2], [5, 6]])).tolist()
    [[1, 2, 5, 6]]
    """
    count, rows = len(values), values.shape[1] if values.ndim == 3 else 1
    return np.moveaxis(values.reshape(count, rows, -1), 0, 1).reshape(rows, -1)


def apart(matrix: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor (replicas, *shape) from what `together` made of it.

    >>> [ops.convert_to_numpy(kernel).tolist() for kernel in apart(np.array([[1, 2, 5, 6], [3, 4, 7, 8]]), (2, 2))]
    [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    """
    rows = matrix.shape[0]
    columns = int(np.prod(shape)) // rows
    return ops.reshape(ops.moveaxis(ops.reshape(matrix, (rows, -1, columns)), 1, 0), (-1, *shape))


def along_row(values: Tensor, matrix: Tensor) -> Tensor:
    """Return a number of each replica, (replicas,), repeated for its part of a row of `matrix`: (columns,)."""
    columns = matrix.shape[1] // values.shape[0]
    if backends.has_gpu():  # a product there may round to 11 bits (TF32): 1 - beta_2 would be wrong by percents
        return ops.repeat(values, columns)
    # On a CPU by a product: XLA would weave any other repetition into the update, and look it up for every weight.
    return ops.matmul(values, np.repeat(np.eye(values.shape[0], dtype="float32"), columns, axis=1))
