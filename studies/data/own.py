"""Arrays that a user brings: read from a file, checked, split where there is no test set."""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from studies.data.dataset import Arrays, Dataset
from studies.errors import StudyError

NAMES = ("x_train", "y_train", "x_test", "y_test")


def read(path: Path | str) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file as {name: array}: x_train, y_train, and perhaps x_test, y_test."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in NAMES if name in file.files}
            if not {"x_train", "y_train"} <= set(found):
                held = ", ".join(file.files) or "nothing"
                raise StudyError(f"{path} must hold the arrays x_train and y_train; it holds {held}.")
            return found
    except FileNotFoundError:
        raise StudyError(f"{path} does not exist. Write one: numpy.savez(PATH, x_train=..., y_train=...)") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:  # TypeError: a .npy file
        # NumPy's own message would advise to load pickled objects, which run code.
        raise StudyError(f"{path} is not a whole .npz file of plain arrays, as numpy.savez writes it.") from error


def dataset(
    name: str,
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    *,
    folds: int = 3,
) -> Dataset:
    """Return the checked `Dataset`: floats as float32, whole numbers as they are; without a test set, a quarter of it.

    Raises StudyError, which names the array, what is expected, and what came.
    """
    if (x_test is None) != (y_test is None):
        raise StudyError("x_test and y_test come together: give both, or neither for a quarter of the training rows.")
    x, y = _rows("train", x_train, y_train)
    if x_test is None or y_test is None:
        _check_classes(y, folds + 1)
        x, x_test, y, y_test = _split(x, y)
    x_new, y_new = _rows("test", x_test, y_test)
    if x_new.shape[1:] != x.shape[1:]:
        raise StudyError(f"x_test must hold rows of shape {x.shape[1:]} as x_train does, not {x_new.shape[1:]}.")
    classes = _check_classes(y, folds)
    if y_new.max() >= classes:
        raise StudyError(f"y_test holds the label {y_new.max()}; those of y_train are 0 to {classes - 1}.")
    return Dataset(name, x, y, x_new, y_new)


def _rows(part: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x), np.asarray(y)
    if x.dtype.kind not in "fiub":
        raise StudyError(f"x_{part} must hold numbers, not {x.dtype}.")
    if x.ndim < 2:
        raise StudyError(f"x_{part} must have the shape (rows, ...), not {x.shape}.")
    if y.ndim != 1:
        hint = " Of one-hot labels take y.argmax(1)." if y.ndim == 2 and y.shape[1] > 1 else ""
        raise StudyError(f"y_{part} must have the shape (rows,), not {y.shape}.{hint}")
    if y.dtype.kind not in "iu":
        raise StudyError(f"y_{part} must hold whole-number labels (int), not {y.dtype}: only classes can be compared.")
    if len(x) != len(y) or not len(y):
        raise StudyError(f"x_{part} and y_{part} must have the same number of rows, not {len(x)} and {len(y)}.")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise StudyError(f"x_{part} holds numbers that are not finite (NaN or infinite).")
    if y.min() < 0:
        raise StudyError(f"y_{part} holds the label {y.min()}; labels are 0, 1, ...")
    return (x.astype("float32") if x.dtype.kind == "f" else x), y.astype("int64")


def _check_classes(labels: np.ndarray, least: int) -> int:
    """Return the number of classes; raise where one of them has fewer than `least` rows."""
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise StudyError("y_train holds one class only; a comparison needs two at least.")
    rarest = int(counts.argmin())
    if counts[rarest] < least:
        raise StudyError(
            f"y_train must hold every label from 0 to {len(counts) - 1} in {least} rows at least, for the folds of the "
            f"search{' and the test set' if least > 3 else ''}; label {rarest} has {counts[rarest]}."
        )
    return len(counts)


def _split(x: np.ndarray, y: np.ndarray) -> Arrays:
    from sklearn.model_selection import train_test_split

    return train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
