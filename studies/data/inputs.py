"""Arrays and tables of inputs that a user brings, as arrays of finite numbers."""

from typing import Any

import numpy as np

from studies.errors import StudyError

NUMBERS = "fiub"  # kinds of NumPy types
FILL = "Fill them in, np.nan_to_num say, or leave such rows out."


def as_array(name: str, value: Any) -> np.ndarray:
    """Return what NumPy makes of an array, a list or a table; raise StudyError for what is no array of rows.

    Raises StudyError where `np.asarray` fails, or gives a single object in place of rows.
    """
    kind = type(value).__name__
    if hasattr(value, "toarray"):
        raise StudyError(f"{name} is a {kind}, which is sparse: give {name}.toarray().")
    try:
        found = np.asarray(value)
    except (ValueError, TypeError):  # a list of unlike rows
        raise StudyError(
            f"{name} is a {kind} whose rows differ in shape: make them alike (keras.utils.pad_sequences pads tokens), "
            f"so that np.asarray({name}) is one array of numbers."
        ) from None
    if not found.ndim:
        raise StudyError(f"{name} is a {kind}, not rows of numbers: give an array, np.asarray of the rows.")
    return found


def inputs(name: str, x: Any, missing: str = FILL) -> np.ndarray:
    """Return inputs (rows, ...): floats as float32, whole numbers as they are. A Series is one column.

    Raises StudyError, which names the array, and the row and column of what is no finite number; `missing` says what to
    do about these.

    >>> inputs("x", [[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    if hasattr(x, "to_frame"):  # a pandas Series: one feature
        x = x.to_frame()
    columns = tuple(x.columns) if hasattr(x, "iloc") and hasattr(x, "columns") else None
    found = as_array(name, x) if columns is None else _of_table(name, x)
    if found.dtype.kind == "O":
        found = _of_objects(name, found)
    if found.dtype.kind not in NUMBERS:
        said = f": {_where((0,) * found.ndim, columns)} holds {found.flat[0]!s:.30}" if found.size else ""
        raise StudyError(f"{name} must hold numbers, not {found.dtype}{said}.")
    if found.ndim < 2:
        raise StudyError(
            f"{name} must have the shape (rows, ...), not {found.shape}: of one feature take .reshape(-1, 1)."
        )
    return _finite(name, found, columns, missing) if found.dtype.kind == "f" else found


def _of_table(name: str, x: Any) -> np.ndarray:
    """Return a pandas frame as an array; whole numbers stay whole where every column has them."""
    bad = [f"{column} ({dtype})" for column, dtype in x.dtypes.items() if getattr(dtype, "kind", "O") not in NUMBERS]
    if bad:
        more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise StudyError(
            f"The column {bad[0]} of {name} holds no numbers{more}: encode such columns, with pandas.get_dummies say, "
            "or leave them out."
        )
    found = np.asarray(x)
    return x.to_numpy(dtype="float64", na_value=np.nan) if found.dtype.kind == "O" else found


def _of_objects(name: str, found: np.ndarray) -> np.ndarray:
    """Return Python objects as floats; None is a missing number, and text is none."""
    for index, value in np.ndenumerate(found):
        if value is not None and not isinstance(value, (int, float, np.number, np.bool_)):
            raise StudyError(f"{name} must hold numbers: {_where(index)} holds {value!s:.30} ({type(value).__name__}).")
    return found.astype("float64")


def _finite(name: str, found: np.ndarray, columns: tuple[Any, ...] | None, missing: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        floats = found.astype("float32")
    bad = ~np.isfinite(floats)
    if bad.any():
        index = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        raise StudyError(
            f"{name} must hold finite numbers (float32): {_where(index, columns)} holds {found[index]:g}, the first of "
            f"{bad.sum()} such. {missing}"
        )
    return floats


def _where(index: tuple[int, ...], columns: tuple[Any, ...] | None = None) -> str:
    """Return a place in words: its row, and its column where rows are such."""
    if len(index) == 2:
        return f"row {index[0]}, column {index[1] if columns is None else columns[index[1]]}"
    return f"row {index[0]}" + f", at {list(index[1:])}" * (len(index) > 2)
