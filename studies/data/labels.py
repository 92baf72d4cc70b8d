"""Labels that a user brings, in whatever form, turned into classes 0 .. k - 1."""

from typing import Any, NamedTuple

import numpy as np

from studies.data.inputs import as_array
from studies.errors import StudyError

SHOWN = 10  # classes that a line names at most
FORMS = {"b": "booleans", "i": "integers", "u": "integers", "f": "whole floats", "U": "strings", "S": "bytes"}
Names = tuple[Any, ...]


class Classes(NamedTuple):
    """Labels as classes.

    `train` and `test` are (rows,), int64, 0 .. k - 1; `test` is None where there are no such labels. `names` are the k
    labels by class. `note` says in a line what was done; it is empty where the labels were these classes already.
    """

    train: np.ndarray
    test: np.ndarray | None
    names: Names
    note: str


class Labels(NamedTuple):
    """One array of labels: `values` (rows,), the `form` that they had, and the columns of one-hot labels, or None."""

    values: np.ndarray
    form: str
    columns: Names | None = None


def classes(y_train: Any, y_test: Any = None) -> Classes:
    """Return the `Classes` of labels that are integers, strings, booleans, whole floats, (rows, 1) or one-hot.

    The classes are the labels of `y_train` in ascending order, or the columns of one-hot labels in their order.
    Raises StudyError, which names the array, the row and the label.

    >>> found = classes(["cat", "dog", "cat"], ["dog"])
    >>> found.train.tolist(), found.test.tolist()
    ([0, 1, 0], [1])
    >>> found.note
    'Labels of y_train (strings) became classes: cat = 0, dog = 1.'
    """
    train = _labels("y_train", y_train)
    names = train.columns or tuple(np.unique(train.values).tolist())
    keys = tuple(range(len(names))) if train.columns else names
    positions = {label: k for k, label in enumerate(keys)}
    test = None
    if y_test is not None:
        found = _labels("y_test", y_test)
        if found.columns != train.columns:
            raise StudyError(f"y_test must have the form of y_train, {_form(train)}, not {_form(found)}.")
        test = _placed(found.values, positions, names)
    return Classes(_placed(train.values, positions, names), test, names, _note(train, names))


def _placed(values: np.ndarray, positions: dict[Any, int], names: Names) -> np.ndarray:
    found = [positions.get(label, -1) for label in values.tolist()]
    if -1 in found:
        row = found.index(-1)
        there = _listed(tuple(map(repr, names)))
        raise StudyError(f"y_test holds the label {values.tolist()[row]!r} in row {row}; those of y_train are {there}.")
    return np.array(found, "int64")


def _note(labels: Labels, names: Names) -> str:
    given = names == tuple(range(len(names))) and not isinstance(names[0], bool)
    if given and labels.form == "integers":
        return ""
    became = f"0 to {len(names) - 1}" if given else _listed(tuple(f"{name} = {k}" for k, name in enumerate(names)))
    return f"Labels of y_train ({labels.form}) became classes: {became}."


def _form(labels: Labels) -> str:
    return f"{labels.form} with the columns {_listed(labels.columns)}" if labels.columns else labels.form


def _listed(names: Names) -> str:
    """Return names in a line: all of a few, else the first three and the last."""
    words = [str(name) for name in names]
    return ", ".join(words if len(words) <= SHOWN else [*words[:3], "...", words[-1]])


def _labels(name: str, y: Any) -> Labels:
    """Return the labels of an array of any form that there is; raise StudyError for others."""
    array = as_array(name, y)
    if array.ndim == 2 and array.shape[1] > 1:
        columns = getattr(y, "columns", range(array.shape[1]))
        return Labels(_of_one_hot(name, array), "one-hot", tuple(columns))
    if array.ndim > 2 or array.shape[1:] not in ((), (1,)):
        raise StudyError(f"{name} must have the shape (rows,), or (rows, classes) if one-hot, not {array.shape}.")
    if not array.size:
        raise StudyError(f"{name} holds no labels.")
    values = array.ravel()
    if values.dtype.kind == "O":
        values = _of_objects(name, values)
    if values.dtype.kind not in FORMS:
        raise StudyError(f"{name} must hold labels (integers, strings or booleans), not {values.dtype}.")
    form = FORMS[values.dtype.kind] + ", one column" * (array.ndim == 2)
    return Labels(_of_floats(name, values) if values.dtype.kind == "f" else values, form)


def _of_one_hot(name: str, array: np.ndarray) -> np.ndarray:
    """Return the column of the one in each row (rows, classes)."""
    good = np.isin(array, (0, 1)).all(1) if array.dtype.kind in "biuf" else np.zeros(len(array), bool)
    good &= (array == 1).sum(1) == 1
    if not good.all():
        row = int(good.argmin())
        raise StudyError(
            f"{name} has the shape {array.shape}, so it must be one-hot, a single 1 in each row; row {row} holds "
            f"{_listed(tuple(array[row].tolist()))}. Labels of which a row may have several are "
            'task="multilabel", numbers to predict task="regression".'
        )
    return array.argmax(1)


def _of_floats(name: str, values: np.ndarray) -> np.ndarray:
    good = np.isfinite(values) & (values == np.floor(values))
    if not good.all():
        row = int(good.argmin())
        _check_is_there(name, values[row], row)
        raise StudyError(
            f"{name} holds {values[row]:g} in row {row}: classes are whole numbers or names. "
            f'task="regression" predicts numbers; np.digitize({name}, edges) makes classes of them.'
        )
    return values.astype("int64")


def _of_objects(name: str, values: np.ndarray) -> np.ndarray:
    """Return Python objects as an array of strings, or of numbers; raise StudyError for others, and for none."""
    for row, label in enumerate(values):
        _check_is_there(name, label, row)
        if not isinstance(label, (str, bytes, int, float, np.generic)):
            raise StudyError(
                f"{name} must hold labels (integers, strings or booleans): row {row} has a {type(label).__name__}."
            )
        if isinstance(label, str) != isinstance(values[0], str):
            kinds = f"{values[0]!r} in row 0 and {label!r} in row {row}"
            raise StudyError(
                f"{name} must hold labels of one kind, not {kinds}: {name}.astype(str) makes them strings."
            )
    return np.array(values.tolist())


def _check_is_there(name: str, label: Any, row: int) -> None:
    is_nan = isinstance(label, (float, np.floating)) and bool(np.isnan(label))
    if label is None or is_nan or type(label).__name__ in ("NAType", "NaTType"):  # of pandas
        raise StudyError(f"{name} holds no label in row {row} ({label}): leave such rows out.")
