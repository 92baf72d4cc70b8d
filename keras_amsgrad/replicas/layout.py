"""The memory layout of one weight array of all replicas: one matrix, with the replicas side by side in each row.

The kernels of a layer are stored as the one matrix (inputs, replicas * units) that a shared batch is multiplied with.
An update then works on long rows; rows of the ten units of a small layer would leave most of a vector register unused.
"""

import numpy as np
from keras import ops

from keras_amsgrad.replicas import backends
from keras_amsgrad.rules import Tensor


def pack(values: np.ndarray) -> np.ndarray:
    """Return the arrays of all replicas, (replicas, *shape), as a matrix: kernels as (inputs, replicas * units).

    Arrays that are not matrices become one row, (1, replicas * size).

    >>> pack(np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])).tolist()
    [[1, 2, 5, 6], [3, 4, 7, 8]]
    >>> pack(np.array([[1, 2], [5, 6]])).tolist()
    [[1, 2, 5, 6]]
    """
    count, rows = len(values), values.shape[1] if values.ndim == 3 else 1
    return np.moveaxis(values.reshape(count, rows, -1), 0, 1).reshape(rows, -1)


def unpack(matrix: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor (replicas, *shape) from the matrix that `pack` returned.

    >>> [ops.convert_to_numpy(kernel).tolist() for kernel in unpack(np.array([[1, 2, 5, 6], [3, 4, 7, 8]]), (2, 2))]
    [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    """
    rows = matrix.shape[0]
    columns = int(np.prod(shape)) // rows
    return ops.reshape(ops.moveaxis(ops.reshape(matrix, (rows, -1, columns)), 1, 0), (-1, *shape))


def repack(values: Tensor) -> Tensor:
    """Return what `pack` returns, of a tensor (replicas, *shape).

    >>> ops.convert_to_numpy(repack(np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]))).tolist()
    [[1, 2, 5, 6], [3, 4, 7, 8]]
    """
    count, rows = values.shape[0], values.shape[1] if len(values.shape) == 3 else 1
    return ops.reshape(ops.moveaxis(ops.reshape(values, (count, rows, -1)), 0, 1), (rows, -1))


def along_row(values: Tensor, width: int) -> Tensor:
    """Return numbers of each replica, (numbers, replicas), repeated for its part of a row: (numbers, width)."""
    count = values.shape[1]
    if backends.has_gpu():  # a product there may round to 11 bits (TF32): 1 - beta_2 would be wrong by percents
        return ops.repeat(values, width // count, axis=1)
    # On a CPU by a product: XLA would fuse any other repetition into the update, and index it for every weight.
    return ops.matmul(values, np.repeat(np.eye(count, dtype="float32"), width // count, axis=1))


def parts(matrix: Tensor, replicas: int) -> Tensor:
    """Return the parts of `matrix` that belong to each replica, (rows, replicas, columns)."""
    return ops.reshape(matrix, (matrix.shape[0], replicas, -1))


def squared_norms(matrix: Tensor, replicas: int) -> Tensor:
    """Return the squared Euclidean norm of each replica's part of `matrix`, (replicas,).

    >>> ops.convert_to_numpy(squared_norms(np.array([[1.0, 2.0, 5.0, 6.0]]), 2)).tolist()
    [5.0, 61.0]
    """
    return ops.sum(ops.reshape(ops.sum(ops.square(matrix), 0), (replicas, -1)), 1)
