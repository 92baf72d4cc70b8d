"""Backups of training under way: how often, and when they are safe."""

import itertools
import os

import numpy as np
import pytest

from keras_amsgrad.durable import durable
from keras_amsgrad.replicas import backup
from studies.records import journal


@pytest.mark.parametrize(
    ("seconds", "saved"),
    [
        pytest.param(0, [5, 10, 15, 20, 25], id="one that takes no time, every five seconds"),
        pytest.param(2, [5, 27], id="one that takes two seconds, not before twenty more have passed"),
    ],
)
def test_backups_take_a_small_share_of_the_time(seconds, saved, tmp_path, monkeypatch):
    now, found = [0], []
    monkeypatch.setattr(backup.time, "monotonic", lambda: now[0])

    def save(*_, **arrays):
        found.append(now[0])
        now[0] += seconds

    monkeypatch.setattr(np, "savez", save)
    kept = backup.Backup(tmp_path / "chunk.npz")
    for _ in itertools.takewhile(lambda _: now[0] < 28, itertools.count()):
        kept.save({"weights": []}, [])
        now[0] += 1
    assert found == saved


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function after which nothing can be flushed to the disk."""

    def full(descriptor):
        raise OSError("No space left on device")

    return lambda: monkeypatch.setattr(os, "fsync", full)


def test_a_backup_is_on_the_disk_before_it_takes_the_place_of_the_last_one(tmp_path, monkeypatch, full_disk):
    monkeypatch.setattr(backup, "SECONDS_BETWEEN_BACKUPS", 0)
    kept = backup.Backup(tmp_path / "fit.npz")
    kept.save([np.zeros(3)], [1])
    kept.due = 0
    full_disk()
    with pytest.raises(OSError, match="No space left"):
        kept.save([np.ones(3)], [2])
    state, history = kept.restore([np.zeros(3)])
    assert (np.asarray(state[0]).tolist(), history) == ([0, 0, 0], [1])
    assert [path.name for path in tmp_path.iterdir()] == ["fit.npz"]


def test_a_record_is_on_the_disk_before_it_takes_the_place_of_the_last_one(tmp_path, full_disk):
    path = tmp_path / "record.json"
    journal.write(path, {"work": 1})
    full_disk()
    with pytest.raises(OSError, match="No space left"):
        journal.write(path, {"work": 2})
    assert journal.read(path)["work"] == 1
    assert list(tmp_path.iterdir()) == [path]


def test_two_processes_may_write_the_same_file(tmp_path, monkeypatch):
    """The fit of a Dask worker that was lost goes to another worker, and the first may be alive after all."""
    path = tmp_path / "record.json"
    with durable(path) as first:
        first.write(b"first")
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with durable(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
        monkeypatch.undo()
    assert path.read_bytes() == b"first"


def test_a_run_removes_what_killed_processes_were_writing(tmp_path):
    left = [tmp_path / name for name in ("records/digits/a.json.12.part", "unfinished/a.npz.12.part")]
    other = tmp_path / "downloads" / "a.part"
    for path in (*left, other):
        path.parent.mkdir(parents=True)
        path.touch()
    with journal.Journal(tmp_path).locked():
        assert [path.exists() for path in (*left, other)] == [False, False, True]
