"""Arrays that a user brings: read from a file, checked, split where there is no test set."""

import functools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from studies.data import streams
from studies.data.dataset import Arrays, Dataset
from studies.data.inputs import form, inputs
from studies.data.labels import classes
from studies.data.targets import check_rows, check_varies, multilabels, numbers, task_of
from studies.data.weights import of_classes
from studies.errors import StudyError, did_you_mean

NAMES = ("x_train", "y_train", "x_test", "y_test")
NOTES = {
    "regression": "y_train holds numbers to predict, a regression: its usual loss is the mean squared error, its score "
    "R².",
    "multilabel": "y_train holds labels of which a row may have several: the usual loss is the mean binary "
    "cross-entropy of the labels, the accuracy the share of labels that are right.",
}


def read(path: Path | str) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file as {name: array}: x_train, y_train, and perhaps x_test, y_test."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: _plain(path, file, name) for name in NAMES if name in file.files}
            if not {"x_train", "y_train"} <= set(found):
                held = ", ".join(file.files) or "nothing"
                raise StudyError(f"{path} must hold the arrays x_train and y_train; it holds {held}.")
            return found
    except FileNotFoundError:
        near = did_you_mean(Path(path).name, [each.name for each in Path(path).parent.glob("*.npz")])
        write = ". Write one: numpy.savez(PATH, x_train=..., y_train=...)"
        raise StudyError(f"{path} does not exist{near or write}") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:  # TypeError: a .npy file
        # NumPy's own message would advise to load pickled objects, which run code.
        raise StudyError(f"{path} is not a whole .npz file of plain arrays, as numpy.savez writes it.") from error


def _plain(path: Path | str, file: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(file[name])
    except ValueError:  # pickled objects may run code
        raise StudyError(
            f"{path} holds {name} as Python objects, which are not read: save {name}.astype(str), or numbers as float."
        ) from None


def dataset(
    name: str,
    x_train: Any,
    y_train: Any = None,
    x_test: Any = None,
    y_test: Any = None,
    *,
    folds: int = 3,
    task: str | None = None,
    class_weight: Any = None,
) -> tuple[Dataset, str]:
    """Return the checked `Dataset`, and a line on what its targets are; without a test set, a quarter of it.

    Inputs are as `inputs` takes them, several inputs among them, or come with their targets as `streams.read` takes
    them; targets are as `labels.classes`, `numbers` or `multilabels` takes them, `class_weight` as `weights.of_classes`
    does. `task` is "classification", "regression" or "multilabel", or None for what `task_of` says. The line is empty
    where labels are the classes 0 .. k - 1 already. Raises StudyError, which names the array, what is expected, and
    what came.
    """
    x_train, y_train = _read("train", x_train, y_train)
    x_test, y_test = _read("test", x_test, y_test)
    if y_train is None:
        raise StudyError("There is no y_train, the targets of x_train.")
    if (x_test is None) != (y_test is None):
        raise StudyError("x_test and y_test come together: give both, or neither for a quarter of the training rows.")
    x = inputs("x_train", x_train, rows=_length(y_train))
    y, y_new, names, note = _targets(y_train, y_test, task or task_of(y_train))
    check = functools.partial(_check_classes, names) if names else check_rows
    _check_rows("train", x, y)
    if y_new is None:
        check(y, folds + 1)
        x, x_new, y, y_new = _split(x, y)
    else:
        x_new = inputs("x_test", x_test, rows=_length(y_test))
        _check_rows("test", x_new, y_new)
    if form(x_new) != form(x):
        raise StudyError(f"x_test must hold rows of shape {form(x)} as x_train does, not {form(x_new)}.")
    check(y, folds)
    weight = None if class_weight is None else of_classes(class_weight, names, y)
    wide = bool(names) and np.ndim(y_train) == 2 and np.shape(y_train)[1] > 1
    found = Dataset(name, x, y, x_new, y_new, class_weight=weight, one_hot=wide)
    if found.task == "regression":
        check_varies("y_train", y)
        check_varies("The quarter of y_train for the test" if x_test is None else "y_test", y_new)
    return found, note


def _length(y: Any) -> int | None:
    return len(y) if hasattr(y, "__len__") else None


def _read(part: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Return inputs and targets, also where `x` is a data set of both."""
    if not streams.is_stream(x):
        return x, y
    if y is not None:
        raise StudyError(f"x_{part} is a data set, which gives the targets too: leave out y_{part}.")
    return streams.read(f"x_{part}", x)


def _targets(y_train: Any, y_test: Any, task: str) -> tuple[np.ndarray, np.ndarray | None, tuple[Any, ...], str]:
    """Return the targets of both sets, the names of the classes where they are such, and a line on them."""
    if task != "classification":
        return *(numbers if task == "regression" else multilabels)(y_train, y_test), (), NOTES[task]
    return classes(y_train, y_test)


def _check_rows(part: str, x: np.ndarray, y: np.ndarray) -> None:
    if len(x) != len(y) or not len(y):
        raise StudyError(f"x_{part} and y_{part} must have the same number of rows, not {len(x)} and {len(y)}.")


def _check_classes(names: tuple[Any, ...], labels: np.ndarray, least: int) -> None:
    """Raise StudyError where there are no two classes, or one of them has fewer than `least` rows."""
    if len(names) < 2:
        raise StudyError(f"y_train holds one class only, {names[0]}; a comparison needs two at least.")
    counts = np.bincount(labels, minlength=len(names))
    rarest = int(counts.argmin())
    if counts[rarest] < least:
        raise StudyError(
            f"y_train must hold every label in {least} rows at least, for the folds of the search"
            f"{' and the test set' if least > 3 else ''}; label {names[rarest]} has {counts[rarest]}."
        )


def _split(x: np.ndarray, y: np.ndarray) -> Arrays:
    from sklearn.model_selection import train_test_split

    return train_test_split(x, y, test_size=0.25, stratify=y if y.ndim == 1 else None, random_state=0)
