"""Data sets by name: official files from a folder, else Keras's own download; digits come with scikit-learn."""

import gzip
import hashlib
import os
import struct
import zlib
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from studies.errors import StudyError
from studies.startup import import_keras


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images `x` (rows, height, width[, channels]) and integer labels `y` (rows,), for training and for the test."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def classes(self):
        return int(self.y_train.max()) + 1

    @property
    def note(self):
        """What a reader of results on this set has to know; empty where the set is the official one."""
        same = self.name != "cifar10" or self.x_train[0, 0, :3].tolist() == CIFAR10_START
        return "" if same else JPEG_NOTE

    @cached_property
    def fingerprint(self):
        """A short hash of every number in the set, in order."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]

    def prepared(self, study):
        """Return the set as a study trains on it: its split, cut to its rows, pixels as float32, scaled and centred."""
        parts = SPLITS[study.split](self)
        rows = (study.train_rows, study.train_rows, study.test_rows, study.test_rows)
        x_train, y_train, x_test, y_test = (part[:number] for part, number in zip(parts, rows, strict=True))
        if study.divide_by is not None:
            x_train, x_test = (x.astype("float32") / np.float32(study.divide_by) for x in (x_train, x_test))
        if study.center:
            mean = x_train.mean(0, dtype="float64").astype("float32")
            x_train, x_test = x_train - mean, x_test - mean
        return replace(self, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def _official(data):
    return data.x_train, data.y_train, data.x_test, data.y_test


def _shuffled(data):
    """Return as many training and test rows as officially, out of all of them in a random order."""
    order = np.random.default_rng(0).permutation(len(data.y_train) + len(data.y_test))
    x, y = np.concatenate([data.x_train, data.x_test])[order], np.concatenate([data.y_train, data.y_test])[order]
    rows = len(data.y_train)
    return x[:rows], y[:rows], x[rows:], y[rows:]


def _first_50000(data):
    return data.x_train[:50000], data.y_train[:50000], data.x_train[50000:], data.y_train[50000:]


def _fifth_batch(data):
    """Return all training rows, and the last fifth of them as test rows."""
    rows = len(data.y_train) * 4 // 5
    return data.x_train, data.y_train, data.x_train[rows:], data.y_train[rows:]


# From the name of a split to a function that returns x_train, y_train, x_test, y_test.
SPLITS = {"": _official, "shuffled": _shuffled, "first-50000": _first_50000, "fifth-batch": _fifth_batch}


def load(name, data_dir=None):
    """Return the `Dataset` called `name`: "digits", "mnist" or "cifar10".

    MNIST is looked for in `data_dir`, then in the folder named by $KERAS_AMSGRAD_DATA: the four idx files (raw or .gz)
    in `mnist/`, or `mnist.npz`. CIFAR-10: the binary version, in `cifar-10-batches-bin/`. Where neither folder is
    given, Keras downloads them.

    Raises StudyError, which names the file, what was expected, and where to get it.

    >>> load("digits").x_train.shape
    (1347, 8, 8)
    """
    if name not in LOADERS:
        raise StudyError(f"There is no data set {name!r}; there are {', '.join(sorted(LOADERS))}.")
    return _load(name, str(data_dir or os.environ.get("KERAS_AMSGRAD_DATA") or ""))


@cache
def _load(name, folder):
    if folder and not Path(folder).is_dir():
        raise StudyError(f"The data folder {folder} does not exist.")
    return Dataset(name, *LOADERS[name](Path(folder) if folder else None))


def _digits(folder):
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8).astype("uint8")
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
    return x_train, y_train, x_test, y_test


# How often each label occurs: what tells these sets from others in the same format (Fashion-MNIST, say).
MNIST_COUNTS = {
    60000: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    10000: [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}
CIFAR10_COUNTS = {50000: [5000] * 10, 10000: [1000] * 10}

# The first three pixels of the official training images.
CIFAR10_START = [[59, 62, 63], [43, 46, 45], [50, 48, 43]]
JPEG_NOTE = (
    "The CIFAR-10 images behind this figure are not the official ones to the bit: this project's copy went through "
    "JPEG once (about 30 dB)."
)

MNIST_SOURCE = "Get the four files of MNIST (train-images-idx3-ubyte.gz, ...), or mnist.npz as Keras distributes it."
CIFAR10_SOURCE = "Get the binary version of CIFAR-10 (cifar-10-binary.tar.gz) and unpack it there."


def _mnist(folder):
    if folder is None:
        return _download("mnist", MNIST_SOURCE)
    if (folder / "mnist").is_dir():
        return _mnist_idx(folder / "mnist")
    for file in (folder / "mnist.npz", folder / "mnist" / "mnist.npz"):
        if file.exists():
            return _mnist_npz(file)
    raise StudyError(f"{folder} holds neither mnist/ nor mnist.npz. {MNIST_SOURCE}")


def _mnist_idx(folder):
    if not any(folder.glob("*ubyte*")) and (folder / "mnist.npz").exists():
        return _mnist_npz(folder / "mnist.npz")
    arrays = []
    for part, rows in (("train", 60000), ("t10k", 10000)):
        images = _idx(folder / f"{part}-images-idx3-ubyte", (rows, 28, 28))
        labels = _idx(folder / f"{part}-labels-idx1-ubyte", (rows,))
        arrays += [images, _checked_labels(labels, MNIST_COUNTS, folder / f"{part}-labels-idx1-ubyte")]
    return arrays


def _idx(path, shape):
    """Read one idx file (raw or .gz): magic 0x0000080k, k sizes as big-endian int32, then the bytes."""
    path = _existing(path, path.with_name(path.name + ".gz"))
    content = _content(path)
    header = 4 + 4 * len(shape)
    expected = struct.pack(f">i{len(shape)}i", 0x0800 + len(shape), *shape)
    if content[:header] != expected:
        raise StudyError(f"{path} does not begin as an idx file of shape {shape} does. {MNIST_SOURCE}")
    if len(content) != header + int(np.prod(shape)):
        raise StudyError(f"{path} holds {len(content)} bytes instead of {header + int(np.prod(shape))}. {MNIST_SOURCE}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _existing(*paths):
    for path in paths:
        if path.exists():
            return path
    raise StudyError(f"{paths[0]} is missing (so is {paths[-1].name}). {MNIST_SOURCE}")


def _content(path):
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise StudyError(f"{path} cannot be read: {error}. {MNIST_SOURCE}") from error


def _mnist_npz(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[key] for key in ("x_train", "y_train", "x_test", "y_test")]
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(f"{path} is not Keras's mnist.npz: {error}. {MNIST_SOURCE}") from error
    if [a.shape for a in arrays] != [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]:
        raise StudyError(f"{path} holds arrays of shapes {[a.shape for a in arrays]}, not MNIST's. {MNIST_SOURCE}")
    y_train, y_test = (_checked_labels(labels, MNIST_COUNTS, path) for labels in arrays[1::2])
    return arrays[0], y_train, arrays[2], y_test


def _cifar10(folder):
    if folder is None:
        return _download("cifar10", CIFAR10_SOURCE)
    folder = folder / "cifar-10-batches-bin"
    batches = [_cifar10_batch(folder / f"data_batch_{k}.bin") for k in range(1, 6)]
    x_test, y_test = _cifar10_batch(folder / "test_batch.bin")
    x_train, y_train = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    y_train, y_test = (_checked_labels(labels, CIFAR10_COUNTS, folder) for labels in (y_train, y_test))
    return x_train, y_train, x_test, y_test


def _cifar10_batch(path):
    """Read one batch: 10,000 rows of one label byte and 3 x 32 x 32 pixel bytes."""
    if not path.exists():
        raise StudyError(f"{path} is missing. {CIFAR10_SOURCE}")
    content = np.fromfile(path, np.uint8)
    if content.size != 10000 * 3073:
        raise StudyError(f"{path} holds {content.size} bytes instead of {10000 * 3073}. {CIFAR10_SOURCE}")
    rows = content.reshape(10000, 3073)
    x = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), rows[:, 0]


def _checked_labels(labels, counts, path):
    if labels.max() > 9:
        raise StudyError(f"{path} holds the label {labels.max()}; labels are 0 to 9.")
    if np.bincount(labels, minlength=10).tolist() != counts[len(labels)]:
        raise StudyError(f"{path} holds labels of another data set: the classes do not occur as often as they should.")
    return labels.astype("int64")


def _download(name, source):
    import_keras()
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # whatever the network does
        raise StudyError(
            f"{name} could not be downloaded ({error}). {source} Then name the folder with --data-dir "
            "or $KERAS_AMSGRAD_DATA."
        ) from error
    return x_train, y_train.ravel().astype("int64"), x_test, y_test.ravel().astype("int64")


LOADERS = {"digits": _digits, "mnist": _mnist, "cifar10": _cifar10}
