"""Data sets by name: official files from a folder, else Keras's own download; digits come with scikit-learn."""

import gzip
import os
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np

from studies.data.dataset import Arrays, Dataset, Preparation
from studies.errors import StudyError
from studies.startup import import_keras


def load(name: str, data_dir: Path | str | None = None) -> Dataset:
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
    x_train, y_train, x_test, y_test = _load(name, str(data_dir or os.environ.get("KERAS_AMSGRAD_DATA") or ""))
    preparation = Preparation(name, str(Path(data_dir).absolute()) if data_dir else "")
    return Dataset(name, x_train, y_train, x_test, y_test, preparation)


def prepare(preparation: Preparation) -> Dataset:
    """Return the `Dataset` of a `Preparation`, made again from the files of this machine."""
    return load(preparation.name, preparation.data_dir).prepared(preparation)


@cache
def _load(name: str, folder: str) -> Arrays:
    if folder and not Path(folder).is_dir():
        raise StudyError(f"The data folder {folder} does not exist.")
    return LOADERS[name](Path(folder) if folder else None)


def _digits(folder: Path | None) -> Arrays:
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

MNIST_SOURCE = "Get the four files of MNIST (train-images-idx3-ubyte.gz, ...), or mnist.npz as Keras distributes it."
CIFAR10_SOURCE = "Get the binary version of CIFAR-10 (cifar-10-binary.tar.gz) and unpack it there."


def _mnist(folder: Path | None) -> Arrays:
    if folder is None:
        return _download("mnist", MNIST_SOURCE)
    if (folder / "mnist").is_dir():
        return _mnist_idx(folder / "mnist")
    for file in (folder / "mnist.npz", folder / "mnist" / "mnist.npz"):
        if file.exists():
            return _mnist_npz(file)
    raise StudyError(f"{folder} holds neither mnist/ nor mnist.npz. {MNIST_SOURCE}")


def _mnist_idx(folder: Path) -> Arrays:
    if not any(folder.glob("*ubyte*")) and (folder / "mnist.npz").exists():
        return _mnist_npz(folder / "mnist.npz")
    found = []
    for part, rows in (("train", 60000), ("t10k", 10000)):
        images = _idx(folder / f"{part}-images-idx3-ubyte", (rows, 28, 28))
        labels = _idx(folder / f"{part}-labels-idx1-ubyte", (rows,))
        found.append((images, _checked_labels(labels, MNIST_COUNTS, folder / f"{part}-labels-idx1-ubyte")))
    return *found[0], *found[1]


def _idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
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


def _existing(*paths: Path) -> Path:
    for path in paths:
        if path.exists():
            return path
    raise StudyError(f"{paths[0]} is missing (so is {paths[-1].name}). {MNIST_SOURCE}")


def _content(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise StudyError(f"{path} cannot be read: {error}. {MNIST_SOURCE}") from error


def _mnist_npz(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[key] for key in ("x_train", "y_train", "x_test", "y_test")]
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(f"{path} is not Keras's mnist.npz: {error}. {MNIST_SOURCE}") from error
    if [a.shape for a in arrays] != [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]:
        raise StudyError(f"{path} holds arrays of shapes {[a.shape for a in arrays]}, not MNIST's. {MNIST_SOURCE}")
    y_train, y_test = (_checked_labels(labels, MNIST_COUNTS, path) for labels in arrays[1::2])
    return arrays[0], y_train, arrays[2], y_test


def _cifar10(folder: Path | None) -> Arrays:
    if folder is None:
        return _download("cifar10", CIFAR10_SOURCE)
    folder = folder / "cifar-10-batches-bin"
    batches = [_cifar10_batch(folder / f"data_batch_{k}.bin") for k in range(1, 6)]
    x_test, y_test = _cifar10_batch(folder / "test_batch.bin")
    x_train, y_train = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    y_train, y_test = (_checked_labels(labels, CIFAR10_COUNTS, folder) for labels in (y_train, y_test))
    return x_train, y_train, x_test, y_test


def _cifar10_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read one batch: 10,000 rows of one label byte and 3 x 32 x 32 pixel bytes."""
    if not path.exists():
        raise StudyError(f"{path} is missing. {CIFAR10_SOURCE}")
    content = np.fromfile(path, np.uint8)
    if content.size != 10000 * 3073:
        raise StudyError(f"{path} holds {content.size} bytes instead of {10000 * 3073}. {CIFAR10_SOURCE}")
    rows = content.reshape(10000, 3073)
    x = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), rows[:, 0]


def _checked_labels(labels: np.ndarray, counts: dict[int, list[int]], path: Path) -> np.ndarray:
    if labels.max() > 9:
        raise StudyError(f"{path} holds the label {labels.max()}; labels are 0 to 9.")
    if np.bincount(labels, minlength=10).tolist() != counts[len(labels)]:
        raise StudyError(f"{path} holds labels of another data set: the classes do not occur as often as they should.")
    return labels.astype("int64")


def _download(name: str, source: str) -> Arrays:
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
