"""How often a chunk of replicas is backed up."""

import itertools

import numpy as np
import pytest

from keras_amsgrad.replicas import backup


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
        (tmp_path / "chunk.part.npz").touch()

    monkeypatch.setattr(np, "savez", save)
    kept = backup.Backup(tmp_path / "chunk.npz")
    for _ in itertools.takewhile(lambda _: now[0] < 28, itertools.count()):
        kept.save({"weights": []}, [])
        now[0] += 1
    assert found == saved
