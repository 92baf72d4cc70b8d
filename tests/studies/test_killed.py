"""Studies, fits and workers killed in the middle: nothing finished is lost, and all else is as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

from benchmarks.crash import records, same_tables
from studies.command_line.main import main
from studies.records.journal import Journal
from studies.training import estimator
from studies.training.engines import Replicas
from studies.training.workspace import Workspace
from tests.smoke import SMOKE, a_fit, last_line, train


def start(out, *options):
    command = [sys.executable, "-m", "studies", "run", *SMOKE, *options, "--out", str(out)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_answer_ctrl_c
    )


def _answer_ctrl_c():
    """Undo what a shell does to its background jobs, and so to the tests in one: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_records(out, number):
    end = time.monotonic() + 120
    while len(records(out)) < number:
        assert time.monotonic() < end, "the study did not get going"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["replicas", "gridsearch"])
def test_a_killed_study_goes_on_and_ends_with_the_same_tables(engine, tmp_path):
    """Killed in the search of each optimizer, 12 fits; a fit that was trained again would have other seconds."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main(["run", *SMOKE, "--engine", engine, "--out", str(whole)]) == 0
    kept = {}
    for number in (1, 13):
        process = start(killed, "--engine", engine)
        wait_for_records(killed, number)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert kept.items() <= records(killed).items()
        kept = records(killed)
    assert main(["run", *SMOKE, "--engine", engine, "--out", str(killed)]) == 0
    assert kept.items() <= records(killed).items()
    assert same_tables(whole, killed)


def test_a_fit_goes_on_from_its_last_whole_epoch_to_the_bit(data, tmp_path, monkeypatch):
    save_after_every_epoch(monkeypatch)
    uninterrupted = train(a_fit(data), data, Journal(tmp_path / "whole"))
    epochs = []

    def interrupt(self, epoch, logs=None):
        epochs.append(epoch)
        if epochs == [0, 1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(estimator.EpochClock, "on_epoch_begin", _then(estimator.EpochClock.on_epoch_begin, interrupt))
    journal = Journal(tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        train(a_fit(data), data, journal)
    assert train(a_fit(data), data, journal) == uninterrupted
    assert epochs == [0, 1, 1, 2, 3]
    assert not journal.backup_path(a_fit(data)).exists()


def test_a_fit_that_goes_on_stops_at_the_epoch_at_which_it_would_have_stopped(data, tmp_path, monkeypatch):
    """Losses of 2, 1, 3, 3, ... with a patience of 2 end after the fourth epoch; the break comes after the third."""
    save_after_every_epoch(monkeypatch)
    losses = iter([2.0, 1.0, 3.0, None, 3.0, 4.0, 5.0])

    def measured(self, epoch, logs=None):
        logs["loss"] = next(losses)
        if logs["loss"] is None:
            raise KeyboardInterrupt

    monkeypatch.setattr(estimator.EpochClock, "on_epoch_end", measured)
    fit, journal = a_fit(data, epochs=8, patience=2), Journal(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(fit, data, journal)
    assert train(fit, data, journal)["train_loss"] == [2.0, 1.0, 3.0, 3.0]
    assert journal.find(fit).status == "stopped"


def test_a_chunk_of_replicas_goes_on_from_its_last_whole_epoch_to_the_bit(data, tmp_path, monkeypatch):
    save_after_every_epoch(monkeypatch)
    fits = [a_fit(data, learning_rate=alpha) for alpha in (0.001, 0.01, 1e38)]  # the last diverges at once
    whole, broken, epochs = Journal(tmp_path / "whole"), Journal(tmp_path / "broken"), []
    Replicas().train(fits, Workspace(data, whole, Told(epochs.append)))
    assert epochs == [0, 1, 2, 3]

    def interrupt(epoch):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Replicas().train(fits, Workspace(data, broken, Told(interrupt)))
    again = []
    Replicas().train(fits, Workspace(data, broken, Told(again.append)))
    assert again == [1, 2, 3]
    for fit in fits:
        assert broken.find(fit).history == whole.find(fit).history
    assert not list((tmp_path / "broken" / "unfinished").iterdir())


def test_replicas_that_are_missing_after_a_break_get_the_numbers_they_would_have_got(data, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_amsgrad.replicas.chunks.largest_chunk", lambda *_: 2)
    fits = [a_fit(data, epochs=2, learning_rate=alpha) for alpha in (0.001, 0.003, 0.01, 0.03, 0.1)]
    journal, epochs = Journal(tmp_path), []
    Replicas().train(fits, Workspace(data, journal, Told(lambda epoch: None)))
    before, kept = records(tmp_path), {fit: journal.path(fit).stat().st_mtime_ns for fit in fits[::2]}
    for fit in fits[1::2]:
        journal.path(fit).unlink()
    Replicas().train(fits, Workspace(data, journal, Told(epochs.append)))
    assert sorted(epochs) == [0, 0, 1, 1]  # two of the three chunks
    after = records(tmp_path)
    assert kept == {fit: journal.path(fit).stat().st_mtime_ns for fit in kept}  # not written again
    for name in before:
        histories = [json.loads(each[name])["outcome"]["history"] for each in (before, after)]
        assert histories[0] == histories[1]


class Told:
    """In place of a study's progress: calls `on_epoch` with every epoch, from 0, that a chunk has behind it."""

    def __init__(self, on_epoch):
        self.on_epoch = on_epoch

    def under_way(self, work, epoch, epochs):
        self.on_epoch(epoch)


def save_after_every_epoch(monkeypatch):
    for pause in ("SECONDS_BETWEEN_BACKUPS", "TIMES_ITS_OWN"):
        monkeypatch.setattr(f"keras_amsgrad.replicas.backup.{pause}", 0)


def _then(first, second):
    def both(self, epoch, logs=None):
        first(self, epoch, logs)
        second(self, epoch, logs)

    return both


@pytest.mark.slow
def test_ctrl_c_says_how_to_continue(tmp_path):
    process = start(tmp_path, "--engine", "gridsearch", "--epochs", "20")
    wait_for_records(tmp_path, 1)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130, error
    assert "the same command continues" in error
    assert "Traceback" not in error
    kept = records(tmp_path)
    assert kept
    assert not list(tmp_path.rglob("*.part"))
    assert main(["run", *SMOKE, "--epochs", "20", "--out", str(tmp_path)]) == 0
    assert kept.items() <= records(tmp_path).items()


@pytest.mark.slow
def test_a_killed_worker_process_ends_in_one_line_and_a_second_run_finishes(whole, tmp_path):
    process = start(tmp_path, "--jobs", "2")
    wait_for_records(tmp_path, 1)
    os.kill(_busiest_child(process.pid), signal.SIGKILL)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "A worker process was killed" in last_line(error)
    assert "Traceback" not in error
    assert main(["run", *SMOKE, "--out", str(tmp_path)]) == 0
    assert len(records(tmp_path)) == len(records(whole))


def _busiest_child(pid):
    """Return the child process that has used the most processor time: a worker, not joblib's resource tracker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(map(int, children), key=lambda child: int(Path(f"/proc/{child}/stat").read_text().split()[13]))


def test_many_fits_in_one_process_share_one_program(data, tmp_path):
    estimator._programs.clear()
    for seed in range(3):
        train(a_fit(data, epochs=1, seed=seed, learning_rate=0.01 * (seed + 1)), data, Journal(tmp_path))
    assert len(estimator._programs) == 1
    assert isinstance(next(iter(estimator._programs.values()))[0], keras.Model)
