"""Arrays and tables of inputs that a user brings, as arrays of finite numbers.

Several inputs of a model are one structured array, with a field for each input: its rows are chosen, joined and told
apart as those of any array. `fed` gives them back one by one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from studies.errors import StudyError

ROWS = 32  # that show whether a model takes the data
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


def several(x: Any, rows: int | None = None) -> dict[str, Any] | None:
    """Return the inputs of a model that has several, {name: values}; None where `x` is the values of one.

    These are a dictionary, a structured array, or a list or tuple of arrays with as many `rows` each as there are
    targets: their names are "0", "1", ... . A list of anything else is the rows of one input.

    >>> sorted(several([np.zeros((9, 2)), np.zeros((9, 3))], rows=9))
    ['0', '1']
    >>> several([np.zeros(2), np.zeros(2)], rows=2) is None
    True
    """
    if isinstance(x, Mapping):
        return {str(name): part for name, part in x.items()}
    if isinstance(x, np.ndarray) and x.dtype.names:
        return {name: x[name] for name in x.dtype.names}
    if isinstance(x, (list, tuple)) and len(x) != rows and all(_has_rows(part, rows) for part in x):
        return {str(k): part for k, part in enumerate(x)}
    return None


def _has_rows(part: Any, rows: int | None) -> bool:
    return len(getattr(part, "shape", ())) > 0 and len(part) == rows


def fed(x: np.ndarray) -> Any:
    """Return inputs as Keras takes them: an array; of several inputs a dictionary, or a list where they have no names.

    >>> {name: part.shape for name, part in fed(inputs("x", {"a": [[1], [2]], "b": [[1, 2], [3, 4]]})).items()}
    {'a': (2, 1), 'b': (2, 2)}
    """
    if not x.dtype.names:
        return x
    parts = {name: np.ascontiguousarray(x[name]) for name in x.dtype.names}
    return list(parts.values()) if all(name.isdigit() for name in parts) else parts


def first_rows(x: np.ndarray) -> Any:
    """Return the rows, as Keras takes them, on which models are tried and built: at most `ROWS`."""
    return fed(x[:ROWS])


def form(x: np.ndarray) -> Any:
    """Return the shape of a row; of several inputs {name: shape}."""
    return {name: x.dtype[name].shape for name in x.dtype.names} if x.dtype.names else x.shape[1:]


def inputs(name: str, x: Any, missing: str = FILL, rows: int | None = None) -> np.ndarray:
    """Return inputs (rows, ...): floats as float32, whole numbers as they are. A Series is one column.

    Several inputs, as `several` finds them for so many `rows`, become one structured array (rows,).

    Raises StudyError, which names the array, and the row and column of what is no finite number; `missing` says what to
    do about these.

    >>> inputs("x", [[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    named = several(x, rows)
    if named is not None:
        return _together(name, {key: inputs(f"{name}[{key!r}]", _column(part), missing) for key, part in named.items()})
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


def _column(part: Any) -> Any:
    """Return the values of one of several inputs; a single number for each row is a column."""
    return np.reshape(part, (-1, 1)) if not hasattr(part, "iloc") and np.ndim(part) == 1 else part


def _together(name: str, parts: dict[str, np.ndarray]) -> np.ndarray:
    counts = {key: len(part) for key, part in parts.items()}
    if len(set(counts.values())) != 1:
        raise StudyError(f"The inputs in {name} must have the same number of rows, not {counts or 'none'}.")
    return as_fields(parts)


def as_fields(parts: dict[str, np.ndarray]) -> np.ndarray:
    """Return arrays {name: (rows, ...)} with as many rows as the fields of one structured array (rows,)."""
    fields = [(key, part.dtype, part.shape[1:]) for key, part in parts.items()]
    found = np.empty(len(next(iter(parts.values()))), fields)
    for key, part in parts.items():
        found[key] = part
    return found


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
