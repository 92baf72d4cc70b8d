"""What targets ask for; those that are no classes: numbers to predict, and labels of which a row may have several."""

from collections.abc import Callable
from typing import Any

import numpy as np

from studies.data.inputs import as_array, inputs
from studies.errors import StudyError

LEAST = 2  # rows of a fold: R² of a single row is not defined


def task_of(y: Any) -> str:
    """Return what targets ask for where nobody says it: "classification", "regression" or "multilabel".

    Floats that are not whole are numbers to predict, and so are floats (rows, outputs) that are not all 0 or 1. Several
    columns of 0 and 1 are one-hot classes where each row has a single 1, else labels of which a row may have several.

    >>> task_of([0.5, 2.0]), task_of([1.0, 2.0]), task_of([[3.0, 0.0]])
    ('regression', 'classification', 'regression')
    >>> task_of([[1.0, 0.0], [0.0, 1.0]]), task_of([[1, 0], [1, 1]])
    ('classification', 'multilabel')
    """
    values = as_array("y_train", y)
    wide = values.ndim == 2 and values.shape[1] > 1
    if wide and _are_zero_or_one(values).all():
        return "classification" if (values.sum(1) == 1).all() else "multilabel"
    if values.dtype.kind == "O":
        values = np.array([each for each in values.ravel() if isinstance(each, (float, np.floating))], float)
    if values.dtype.kind != "f":
        return "classification"
    measured = ~np.isin(values, (0, 1)) if wide else np.isfinite(values) & (values != np.floor(values))
    return "regression" if measured.any() else "classification"


def numbers(y_train: Any, y_test: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the targets of a regression, (rows,) or (rows, outputs), as float32 (rows, outputs); `y_test` may be None.

    Raises StudyError, which names the array, and the row and column of what is no finite number.

    >>> numbers([1, 2.5])[0].tolist()
    [[1.0], [2.5]]
    """
    return _both(_numbers, "numbers", y_train, y_test)


def _numbers(name: str, y: Any) -> np.ndarray:
    if not hasattr(y, "iloc"):  # no pandas frame or Series, which have names of columns
        y = as_array(name, y)
        y = y[:, None] if y.ndim == 1 else y
    found = inputs(name, y, missing="Leave such rows out.").astype("float32")
    if found.ndim != 2:
        raise StudyError(f"{name} must have the shape (rows,) or (rows, outputs), not {found.shape}.")
    return found


def multilabels(y_train: Any, y_test: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return labels (rows, labels), 0 or 1 each in any type of numbers, as int64; `y_test` may be None.

    Raises StudyError, which names the array, and the row of what is neither.

    >>> multilabels([[True, False], [True, True]])[0].tolist()
    [[1, 0], [1, 1]]
    """
    return _both(_multilabels, "labels", y_train, y_test)


def _multilabels(name: str, y: Any) -> np.ndarray:
    found = as_array(name, y)
    if found.ndim != 2 or found.shape[1] < 2:
        raise StudyError(f"{name} must have the shape (rows, labels), two labels at least, not {found.shape}.")
    good = _are_zero_or_one(found)
    if not good.all():
        row, column = np.argwhere(~good)[0]
        raise StudyError(f"{name} must hold 0 and 1: row {row}, column {column} holds {found[row, column]!s:.30}.")
    return found.astype("int64")


def _both(
    read: Callable[[str, Any], np.ndarray], what: str, y_train: Any, y_test: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the targets of both sets as `read` gives them, with as many columns."""
    train = read("y_train", y_train)
    if y_test is None:
        return train, None
    test = read("y_test", y_test)
    if test.shape[1:] != train.shape[1:]:
        raise StudyError(f"y_test must hold {train.shape[1]} {what} in each row as y_train does, not {test.shape[1]}.")
    return train, test


def _are_zero_or_one(values: np.ndarray) -> np.ndarray:
    return np.isin(values, (0, 1)) if values.dtype.kind in "biuf" else np.zeros(values.shape, bool)


def check_rows(y: np.ndarray, parts: int) -> None:
    """Raise StudyError where there are too few targets for so many parts: folds, and a test set."""
    if len(y) < LEAST * parts:
        many = f"{LEAST * parts} rows at least, {LEAST} for each fold and test set"
        raise StudyError(f"y_train must have {many}, not {len(y)}.")


def check_varies(name: str, y: np.ndarray) -> None:
    """Raise StudyError where a column of targets (rows, outputs) is constant."""
    constant = (y == y[0]).all(0)
    if constant.any():
        column = int(constant.argmax())
        where = f" in column {column}" if y.shape[1] > 1 else ""
        raise StudyError(f"{name} holds {y[0, column]:g} in every row{where}: there is nothing to predict.")
