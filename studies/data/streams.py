"""Data sets that give batches one after another (`tf.data`, `keras.utils.PyDataset`), read into arrays."""

from typing import Any

import numpy as np

from studies.data.inputs import as_fields, form
from studies.errors import StudyError

MOST_BYTES = 4 * 2**30


def is_stream(data: Any) -> bool:
    """Return whether something gives batches or rows one after another, and is no array, list or table."""
    return hasattr(data, "as_numpy_iterator") or any(each.__name__ == "PyDataset" for each in type(data).__mro__)


def read(name: str, data: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs and targets of all rows of a data set of (x, y): batches, or single rows.

    Raises StudyError, which names the data set, where it has no end, is larger than `MOST_BYTES`, or gives no (x, y).

    >>> import tensorflow as tf
    >>> rows = tf.data.Dataset.from_tensor_slices(([[1.0], [2.0], [3.0]], [0, 1, 0]))
    >>> [part.tolist() for part in read("x_train", rows.batch(2))]
    [[[1.0], [2.0], [3.0]], [0, 1, 0]]
    """
    parts, size = [], 0
    for element in _elements(name, data):
        if not isinstance(element, (tuple, list)) or len(element) != 2:
            raise StudyError(f"{name} must give (x, y), an array and its targets; {_kinds(element)} came.")
        x, y = _batch(*element)
        size += x.nbytes + y.nbytes
        if size > MOST_BYTES:
            raise StudyError(
                f"{name} holds more than {MOST_BYTES >> 30} GiB; a comparison trains on what fits in memory."
            )
        parts.append((x, y))
    if not parts:
        raise StudyError(f"{name} gives no rows.")
    for batch in parts:
        for given, first in zip(batch, parts[0], strict=True):
            if form(given) != form(first):
                raise StudyError(f"{name} gives rows of unlike shapes, {form(first)} and {form(given)}.")
    xs, ys = zip(*parts, strict=True)
    return np.concatenate(xs), np.concatenate(ys)


def _batch(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets as rows; several inputs, a dictionary, list or tuple, as a structured array."""
    named = x if isinstance(x, dict) else dict(enumerate(x)) if isinstance(x, (tuple, list)) else {"": x}
    arrays, y = {str(key): np.asarray(part) for key, part in named.items()}, np.asarray(y)
    if any(part.ndim == 0 or y.ndim == 0 or len(part) != len(y) for part in arrays.values()):  # a single row
        arrays, y = {key: part[None] for key, part in arrays.items()}, y[None]
    return (arrays[""] if "" in arrays else as_fields(arrays)), y


def _elements(name: str, data: Any) -> Any:
    if hasattr(data, "as_numpy_iterator"):
        if int(data.cardinality()) == -1:  # of a data set that repeats
            raise StudyError(f"{name} has no end: leave out .repeat().")
        return data.as_numpy_iterator()
    if getattr(data, "num_batches", None) is None:
        raise StudyError(f"{name} has no end: give it a length, __len__.")
    return (data[i] for i in range(data.num_batches))


def _kinds(element: Any) -> str:
    if not isinstance(element, (tuple, list)):
        return f"a {type(element).__name__}"
    return "(" + ", ".join(type(part).__name__ for part in element) + ")"
