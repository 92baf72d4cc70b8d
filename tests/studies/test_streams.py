"""Data sets of batches in place of arrays."""

import keras
import numpy as np
import pytest

from studies.data import own, streams
from studies.errors import StudyError

X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2


class Batches(keras.utils.PyDataset):
    def __init__(self, *parts, endless=False):
        super().__init__()
        self.parts, self.endless = parts, endless

    def __len__(self):
        return -(-len(self.parts[0]) // 6)

    @property
    def num_batches(self):
        return None if self.endless else len(self)

    def __getitem__(self, i):
        return tuple(part[6 * i : 6 * (i + 1)] for part in self.parts)


class Uneven(Batches):
    """Batches of which the later ones lack a column."""

    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        return (x[:, :1] if i else x), y


def of_tensors(*parts):
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices(parts)


@pytest.mark.parametrize(
    "stream",
    [
        lambda: Batches(X, Y),
        lambda: of_tensors(X, Y),
        lambda: of_tensors(X, Y).batch(6),
        lambda: of_tensors(X, Y).batch(6).prefetch(1),
    ],
    ids=["PyDataset", "rows", "batches", "prefetched"],
)
def test_a_data_set_is_the_arrays_that_it_gives(stream):
    found, note = own.dataset("mine", stream(), x_test=stream())
    arrays, _ = own.dataset("mine", X, Y, X, Y)
    assert found.fingerprint == arrays.fingerprint
    assert note == ""


def test_one_hot_rows_are_rows():
    labels = np.eye(3)[np.arange(20) % 3]
    found, _ = own.dataset("mine", of_tensors(X, labels), x_test=of_tensors(X, labels))
    assert found.y_train.tolist() == (np.arange(20) % 3).tolist()


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (lambda: of_tensors(X, Y).repeat(), "x_train has no end: leave out .repeat()."),
        (lambda: Batches(X, Y, endless=True), "x_train has no end: give it a length, __len__."),
        (lambda: Batches(X), "x_train must give (x, y), an array and its targets; (ndarray) came."),
        (lambda: Batches(X[:0], Y[:0]), "x_train gives no rows."),
        (lambda: Uneven(X, Y), "x_train gives rows of unlike shapes, (2,) and (1,)."),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(stream, said):
    with pytest.raises(StudyError) as error:
        own.dataset("mine", stream())
    assert str(error.value) == said


def test_what_is_larger_than_memory_is_refused(monkeypatch):
    monkeypatch.setattr(streams, "MOST_BYTES", 100)
    with pytest.raises(StudyError, match="x_train holds more than 0 GiB; a comparison trains on what fits in memory"):
        own.dataset("mine", Batches(X, Y))


def test_targets_come_once():
    with pytest.raises(StudyError, match="x_train is a data set, which gives the targets too: leave out y_train"):
        own.dataset("mine", Batches(X, Y), Y)
    with pytest.raises(StudyError, match="There is no y_train, the targets of x_train"):
        own.dataset("mine", X)
