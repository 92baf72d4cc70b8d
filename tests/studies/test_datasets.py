"""Data sets: official formats, and clear errors for what is missing or damaged. The files are made up here."""

import dataclasses
import gzip
import struct

import numpy as np
import pytest

from studies.catalog import STUDIES
from studies.data import official
from studies.data.dataset import CIFAR10_START, Preparation
from studies.errors import StudyError


def idx(array):
    return struct.pack(f">i{array.ndim}i", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def labels(rows, rng):
    """Return as many labels of each class as MNIST has, shuffled."""
    return rng.permutation(np.repeat(np.arange(10, dtype="uint8"), official.MNIST_COUNTS[rows]))


@pytest.fixture(scope="module")
def mnist_arrays():
    rng = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": rng.integers(0, 256, (60000, 28, 28), np.uint8),
        "train-labels-idx1-ubyte": labels(60000, rng),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (10000, 28, 28), np.uint8),
        "t10k-labels-idx1-ubyte": labels(10000, rng),
    }


@pytest.fixture
def mnist_folder(mnist_arrays, tmp_path):
    (tmp_path / "mnist").mkdir()
    for name, array in mnist_arrays.items():
        (tmp_path / "mnist" / name).write_bytes(idx(array))
    return tmp_path


def load(name, folder):
    """Load afresh: the tests change files in place."""
    official._load.cache_clear()
    return official.load(name, folder)


def test_mnist_is_read_raw_and_packed(mnist_folder, mnist_arrays):
    raw = load("mnist", mnist_folder)
    for file in (mnist_folder / "mnist").iterdir():
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), 1))
        file.unlink()
    packed = load("mnist", mnist_folder)
    assert raw.fingerprint == packed.fingerprint
    np.testing.assert_array_equal(raw.x_test, mnist_arrays["t10k-images-idx3-ubyte"])
    np.testing.assert_array_equal(raw.y_train, mnist_arrays["train-labels-idx1-ubyte"])


def test_mnist_is_read_from_npz(tmp_path, mnist_arrays):
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "mnist.npz", **dict(zip(names, mnist_arrays.values(), strict=True)))
    np.testing.assert_array_equal(load("mnist", tmp_path).x_train, mnist_arrays["train-images-idx3-ubyte"])


def test_the_environment_names_the_data_folder(mnist_folder, monkeypatch):
    monkeypatch.setenv("KERAS_AMSGRAD_DATA", str(mnist_folder))
    assert load("mnist", None).x_train.shape == (60000, 28, 28)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda file: file.unlink(), "train-images-idx3-ubyte is missing"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "holds 47040015 bytes instead of 47040016"),
        (lambda file: file.write_bytes(b"\0" * 47040016), "does not begin as an idx file"),
        (lambda file: file.rename(file.with_name(file.name + ".gz")), "ubyte.gz cannot be read"),
    ],
    ids=["missing", "truncated", "wrong magic", "not gzip"],
)
def test_a_damaged_mnist_file_is_named(mnist_folder, damage, said):
    damage(mnist_folder / "mnist" / "train-images-idx3-ubyte")
    with pytest.raises(StudyError, match=said):
        load("mnist", mnist_folder)


@pytest.mark.parametrize(
    ("foreign", "said"),
    [
        (np.full(10000, 10, np.uint8), "holds the label 10"),
        (np.repeat(np.arange(10, dtype="uint8"), 1000), "labels of another data set"),
    ],
    ids=["out of range", "Fashion-MNIST's counts"],
)
def test_foreign_labels_are_refused(mnist_folder, foreign, said):
    (mnist_folder / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(idx(foreign))
    with pytest.raises(StudyError, match=said):
        load("mnist", mnist_folder)


def cifar10_batch(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (10000, 3073), np.uint8)
    rows[:, 0] = np.arange(10000) % 10
    return rows


def test_cifar10_is_read_channels_last(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for k in range(1, 6):
        (folder / f"data_batch_{k}.bin").write_bytes(cifar10_batch(k).tobytes())
    with pytest.raises(StudyError, match="test_batch"):
        load("cifar10", tmp_path)
    (folder / "test_batch.bin").write_bytes(cifar10_batch(6).tobytes())
    data = load("cifar10", tmp_path)
    assert data.x_train.shape == (50000, 32, 32, 3)
    assert data.x_test[7, 3, 5].tolist() == [cifar10_batch(6)[7, 1 + c * 1024 + 3 * 32 + 5] for c in range(3)]


def test_an_unknown_set_and_an_absent_folder_are_named(tmp_path):
    with pytest.raises(StudyError, match="no data set 'mnits'; there are cifar10, digits, mnist"):
        official.load("mnits")
    with pytest.raises(StudyError, match="nowhere does not"):
        official.load("mnist", tmp_path / "nowhere")
    with pytest.raises(StudyError, match="holds neither mnist/"):
        official.load("mnist", tmp_path)


def test_digits_are_split_by_class_and_scaled():
    study = STUDIES["digits"]
    data = official.load("digits").prepared(study)
    assert (len(data.x_train), len(data.x_test), data.classes) == (1347, 450, 10)
    assert data.x_train.dtype == np.float32
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
    assert np.bincount(data.y_test).min() >= 43


def test_a_prepared_set_says_how_another_machine_makes_it_again(tmp_path):
    study = dataclasses.replace(STUDIES["digits"].smoke(), split="shuffled", center=True)
    data = official.load("digits", tmp_path).prepared(study)
    assert data.preparation == Preparation("digits", str(tmp_path), "shuffled", 1200, 400, 16, center=True)
    assert official.prepare(data.preparation).fingerprint == data.fingerprint
    assert official.load("digits").fingerprint != data.fingerprint


@pytest.mark.needs_data
def test_the_real_files_are_what_their_names_say(data_dir):
    mnist, cifar10 = load("mnist", data_dir), load("cifar10", data_dir)
    assert mnist.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(cifar10.y_train).tolist() == [5000] * 10


@pytest.mark.needs_data
def test_images_that_are_not_the_official_ones_are_said_to_be_so(data_dir):
    data = official.load("cifar10", data_dir)
    start = np.array(data.x_train[:1])
    start[0, 0, :3] = CIFAR10_START
    assert dataclasses.replace(data, x_train=start).note == ""
    assert "JPEG" in dataclasses.replace(data, x_train=start + np.uint8(1)).note
    assert official.load("mnist", data_dir).note == ""
