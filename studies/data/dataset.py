"""Data sets, and how a study's rows are made of one: split, cut, scaled and centred."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from studies.catalog import NetworkStudy

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x_train, y_train, x_test, y_test

# The first three pixels of the official training images.
CIFAR10_START = [[59, 62, 63], [43, 46, 45], [50, 48, 43]]
JPEG_NOTE = (
    "The CIFAR-10 images behind this figure are not the official ones to the bit: this project's copy went through "
    "JPEG once (about 30 dB)."
)


@dataclass(frozen=True)
class Preparation:
    """How a data set was made of official files, so that another machine can make it again: see `official.prepare`.

    With the defaults, the set is as it was loaded.
    """

    name: str
    data_dir: str = ""  # where `official.load` is to look; empty: where it looks by itself
    split: str = ""  # a key of `SPLITS`
    train_rows: int | None = None  # None: all rows
    test_rows: int | None = None
    divide_by: float | None = None  # None: inputs as they come
    center: bool = False

    def by(self, study: "NetworkStudy | Preparation") -> "Preparation":
        """Return the preparation with what a `NetworkStudy` says of it."""
        names = ("split", "train_rows", "test_rows", "divide_by", "center")
        return replace(self, **{name: getattr(study, name) for name in names})


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs `x` (rows, ...) and targets `y`, for training and for the test.

    Several inputs are a structured array (rows,), see `studies.data.inputs`.
    Targets are classes, whole numbers (rows,); the numbers that a regression predicts, floats (rows, outputs); or
    labels of which a row may have several, whole numbers 0 and 1 (rows, labels).
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    preparation: Preparation | None = None  # None: arrays that only this process has
    class_weight: tuple[float, ...] | None = None  # of each class in the loss of training; None: all count alike
    one_hot: bool = False  # whether classes came one-hot: a loss of the user's gets them so

    @property
    def classes(self) -> int:
        return int(self.y_train.max()) + 1

    @property
    def task(self) -> str:
        """What the targets ask for: "classification", "regression" or "multilabel"."""
        if self.y_train.ndim == 1:
            return "classification"
        return "regression" if self.y_train.dtype.kind == "f" else "multilabel"

    @property
    def note(self) -> str:
        """What a reader of results on this set has to know; empty where the set is the official one."""
        same = self.name != "cifar10" or self.x_train[0, 0, :3].tolist() == CIFAR10_START
        return "" if same else JPEG_NOTE

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of every number in the set, in order."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).view("uint8").data)
        if self.class_weight is not None:
            digest.update(repr(self.class_weight).encode())
        return digest.hexdigest()[:16]

    def prepared(self, study: "NetworkStudy | Preparation") -> "Dataset":
        """Return the set as a study trains on it: its split, cut to its rows, pixels as float32, scaled and centred.

        `study` is a `NetworkStudy` or a `Preparation`: both say how.
        """
        parts = SPLITS[study.split](self)
        rows = (study.train_rows, study.train_rows, study.test_rows, study.test_rows)
        x_train, y_train, x_test, y_test = (part[:number] for part, number in zip(parts, rows, strict=True))
        if study.divide_by is not None:
            x_train, x_test = (x.astype("float32") / np.float32(study.divide_by) for x in (x_train, x_test))
        if study.center:
            mean = x_train.mean(0, dtype="float64").astype("float32")
            x_train, x_test = x_train - mean, x_test - mean
        preparation = self.preparation and self.preparation.by(study)
        return Dataset(self.name, x_train, y_train, x_test, y_test, preparation, self.class_weight, self.one_hot)


def _official(data: Dataset) -> Arrays:
    return data.x_train, data.y_train, data.x_test, data.y_test


def _shuffled(data: Dataset) -> Arrays:
    """Return as many training and test rows as officially, out of all of them in a random order."""
    order = np.random.default_rng(0).permutation(len(data.y_train) + len(data.y_test))
    x, y = np.concatenate([data.x_train, data.x_test])[order], np.concatenate([data.y_train, data.y_test])[order]
    rows = len(data.y_train)
    return x[:rows], y[:rows], x[rows:], y[rows:]


def _first_50000(data: Dataset) -> Arrays:
    return data.x_train[:50000], data.y_train[:50000], data.x_train[50000:], data.y_train[50000:]


def _fifth_batch(data: Dataset) -> Arrays:
    """Return all training rows, and the last fifth of them as test rows."""
    rows = len(data.y_train) * 4 // 5
    return data.x_train, data.y_train, data.x_train[rows:], data.y_train[rows:]


# By name.
SPLITS: dict[str, Callable[[Dataset], Arrays]] = {
    "": _official,
    "shuffled": _shuffled,
    "first-50000": _first_50000,
    "fifth-batch": _fifth_batch,
}
