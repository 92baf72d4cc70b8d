"""Faults tried for real: each ends in one clear line, or in a finished study; nothing finished is lost."""

import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.crash import crash_until_done, records, same_tables
from studies import backup, datasets, estimator, tables, training
from studies.__main__ import main
from studies.catalog import STUDIES, Arm
from studies.errors import StudyError
from studies.journal import Journal
from studies.replicas import train_as_replicas
from studies.report import write_report

SMOKE = ["digits", "--scale", "smoke", "--seeds", "1"]


@pytest.fixture(scope="module")
def data():
    return datasets.load("digits").prepared(STUDIES["digits"].smoke())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results folder of an uninterrupted run of SMOKE."""
    out = tmp_path_factory.mktemp("whole")
    assert main(["run", *SMOKE, "--out", str(out)]) == 0
    return out


def a_fit(data, epochs=4, **settings):
    fit = training.fit_of(STUDIES["digits"].smoke(), data, Arm("AMSGrad"), stage="repeat", epochs=epochs)
    return dataclasses.replace(fit, **{"learning_rate": 0.01, "beta_2": 0.99, **settings})


def train(fit, data, journal):
    training.repeat([fit], STUDIES["digits"], data, journal)
    return journal.find(fit)["history"]


def start(out, *options):
    command = [sys.executable, "-m", "studies", "run", *SMOKE, *options, "--out", str(out)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_answer_ctrl_c
    )


def _answer_ctrl_c():
    """Undo what a shell does to its background jobs, and so to the tests in one: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_records(out, number, seconds=120):
    end = time.monotonic() + seconds
    while len(records(out)) < number:
        assert time.monotonic() < end, "the study did not get going"
        time.sleep(0.05)


def last_line(text):
    return text.strip().splitlines()[-1]


# Killed in the middle


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["replicas", "gridsearch"])
def test_a_killed_study_goes_on_and_ends_with_the_same_tables(engine, tmp_path):
    arguments, whole = [*SMOKE, "--engine", engine], tmp_path / "whole"
    assert main(["run", *arguments, "--out", str(whole)]) == 0
    tmp_path = tmp_path / "killed"
    counts = crash_until_done(tmp_path, kills=2, arguments=arguments, shortest=5, longest=10)
    assert (counts["lost"], counts["retrained"]) == (0, 0)
    assert same_tables(whole, tmp_path)


def test_a_fit_goes_on_from_its_last_whole_epoch_to_the_bit(data, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "SECONDS_BETWEEN_BACKUPS", 0)
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
    monkeypatch.setattr(backup, "SECONDS_BETWEEN_BACKUPS", 0)
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
    assert journal.find(fit)["status"] == "stopped"


def test_a_chunk_of_replicas_goes_on_from_its_last_whole_epoch_to_the_bit(data, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_amsgrad.replicas.backup.SECONDS_BETWEEN_BACKUPS", 0)
    fits = [a_fit(data, learning_rate=alpha) for alpha in (0.001, 0.01, 1e38)]  # the last diverges at once
    whole, broken, epochs = Journal(tmp_path / "whole"), Journal(tmp_path / "broken"), []
    train_as_replicas(fits, STUDIES["digits"], data, whole, Told(epochs.append))
    assert len(epochs) == 4 + 1  # and once when all was recorded

    def interrupt(number):
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_as_replicas(fits, STUDIES["digits"], data, broken, Told(_counted(interrupt)))
    again = []
    train_as_replicas(fits, STUDIES["digits"], data, broken, Told(again.append))
    assert len(again) == 3 + 1
    for fit in fits:
        assert broken.find(fit)["history"] == whole.find(fit)["history"]
    assert not list((tmp_path / "broken" / "unfinished").iterdir())


def test_replicas_that_are_missing_after_a_break_get_the_numbers_they_would_have_got(data, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_amsgrad.replicas.chunks.largest_chunk", lambda *_: 2)
    fits = [a_fit(data, epochs=2, learning_rate=alpha) for alpha in (0.001, 0.003, 0.01, 0.03, 0.1)]
    journal, epochs = Journal(tmp_path), []
    train_as_replicas(fits, STUDIES["digits"], data, journal, Told(lambda fits: None))
    before = records(tmp_path)
    for fit in fits[1::2]:
        journal.path(fit).unlink()
    train_as_replicas(fits, STUDIES["digits"], data, journal, Told(epochs.append))
    assert len(epochs) == 2 * (2 + 1)  # two of the three chunks
    after = records(tmp_path)
    assert sum(before[name] == after[name] for name in before) == 3  # not written again
    for name in before:
        histories = [json.loads(each[name])["outcome"]["history"] for each in (before, after)]
        assert histories[0] == histories[1]


class Told:
    """In place of a study's progress: `under_way` is called after every epoch, and when a chunk is recorded."""

    def __init__(self, under_way):
        self.under_way = under_way


def _counted(function):
    calls = itertools.count(1)
    return lambda fits: function(next(calls))


def _then(first, second):
    def both(self, epoch, logs=None):
        first(self, epoch, logs)
        second(self, epoch, logs)

    return both


def test_a_damaged_backup_costs_only_its_fit_a_new_start(data, tmp_path):
    journal = Journal(tmp_path)
    path = journal.backup_path(a_fit(data))
    path.parent.mkdir()
    path.write_bytes(b"PK\3\4 not the rest of it")
    with pytest.warns(UserWarning, match="not a whole backup"):
        assert len(train(a_fit(data), data, journal)["val_loss"]) == 4


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


# Damaged or foreign files


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda text: "",
        lambda text: text.replace('"status": "ok"', '"status": "diverged"'),
        lambda text: text.replace('"schema": ', '"schema": -'),
        lambda text: "[]",
    ],
    ids=["torn", "empty", "changed by hand", "older schema", "not a record"],
)
def test_a_damaged_record_is_set_aside_and_its_fit_runs_again(data, tmp_path, damage):
    journal, fit = Journal(tmp_path), a_fit(data, epochs=1)
    history = train(fit, data, journal)
    path = journal.path(fit)
    path.write_text(damage(path.read_text()))
    with pytest.warns(UserWarning, match="is not whole"):
        assert journal.find(fit) is None
    assert path.with_suffix(".damaged").exists()
    assert train(fit, data, journal) == history


def test_a_record_under_another_name_is_not_believed(data, tmp_path):
    journal, fit, other = Journal(tmp_path), a_fit(data, epochs=1), a_fit(data, epochs=1, seed=1)
    train(fit, data, journal)
    journal.path(fit).rename(journal.path(other))
    with pytest.warns(UserWarning, match="record of other work"):
        assert journal.find(other) is None


def test_the_report_leaves_out_a_damaged_record_and_says_what_is_missing(whole, tmp_path):
    subprocess.run(["cp", "-r", f"{whole}/.", tmp_path], check=True)
    next((tmp_path / "records" / "digits").iterdir()).write_text("{")
    with pytest.warns(UserWarning, match="is not whole"):
        page = write_report(tmp_path).read_text()
    assert f"{len(records(whole)) - 1} of {len(records(whole))} fits are done" in page


def test_a_study_that_changed_since_does_not_mix_its_records(whole, tmp_path):
    subprocess.run(["cp", "-r", f"{whole}/.", tmp_path], check=True)
    assert main(["run", *SMOKE, "--epochs", "1", "--out", str(tmp_path)]) == 0
    runs = tables.runs(tables.records(tmp_path))
    assert set(runs["epochs"]) == {1}
    assert len(runs) == len(records(whole))


def test_a_pickle_in_the_data_folder_is_never_loaded(tmp_path):
    np.savez(tmp_path / "mnist.npz", x_train=np.array([{"a": 1}], object))
    with pytest.raises(StudyError, match="not Keras's mnist"):
        datasets.load("mnist", tmp_path)


def test_names_are_escaped_in_the_report(whole, tmp_path):
    study = dataclasses.replace(STUDIES["digits"].smoke(), title="<script>alert(1)</script>", source="A & B")
    Journal(tmp_path).plan(study, [])
    page = write_report(tmp_path).read_text()
    assert "<script>" not in page
    assert "A &amp; B" in page


# A folder that cannot be used


def test_two_runs_in_one_folder_are_refused(tmp_path, capsys):
    with Journal(tmp_path).locked():
        assert main(["run", *SMOKE, "--out", str(tmp_path)]) == 1
    assert "Another run is at work" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["run", *SMOKE, "--out", str(tmp_path / "file" / "results")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(tmp_path / "file") in error


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_ends_in_one_line_and_loses_nothing(tmp_path, capsys):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        assert main(["run", "digits", "--scale", "smoke", "--out", str(tmp_path)]) == 1
        assert "No space left on device" in last_line(capsys.readouterr().err)
        assert not list(tmp_path.rglob("*.part"))
        for path in (tmp_path / "records").rglob("*.json"):
            assert json.loads(path.read_text())["outcome"]["status"] == "ok"
    finally:
        subprocess.run(["umount", tmp_path], check=True)


# The seams


def test_a_wrong_dask_address_is_named(tmp_path, capsys):
    assert main(["run", *SMOKE, "--dask", "tcp://127.0.0.1:9", "--out", str(tmp_path)]) == 1
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in last_line(capsys.readouterr().err)


def test_conflicting_options_are_bad_usage(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "digits", "--jobs", "2", "--dask", "tcp://127.0.0.1:8786"])
    assert stop.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_debug_shows_the_traceback(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        main(["--debug", "run", *SMOKE, "--out", str(tmp_path / "file" / "results")])


def test_many_fits_in_one_process_share_one_program(data, tmp_path):
    estimator._programs.clear()
    for seed in range(3):
        train(a_fit(data, epochs=1, seed=seed, learning_rate=0.01 * (seed + 1)), data, Journal(tmp_path))
    assert len(estimator._programs) == 1
    assert isinstance(next(iter(estimator._programs.values()))[0], keras.Model)
