"""Damaged, foreign and unusable files, folders and addresses: each ends in one clear line, or in a finished study."""

import dataclasses
import json
import os
import subprocess

import numpy as np
import pytest

from benchmarks.crash import records
from studies.catalog import STUDIES
from studies.command_line.main import main
from studies.data import official
from studies.errors import StudyError
from studies.records import tables
from studies.records.journal import Journal
from studies.report.page import write_report
from tests.smoke import SMOKE, a_fit, last_line, train


def test_a_damaged_backup_costs_only_its_fit_a_new_start(data, tmp_path):
    journal = Journal(tmp_path)
    path = journal.backup_path(a_fit(data))
    path.parent.mkdir()
    path.write_bytes(b"PK\3\4 not the rest of it")
    with pytest.warns(UserWarning, match="not a complete backup"):
        assert len(train(a_fit(data), data, journal)["val_loss"]) == 4


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
        official.load("mnist", tmp_path)


def test_names_are_escaped_in_the_report(whole, tmp_path):
    study = dataclasses.replace(STUDIES["digits"].smoke(), title="<script>alert(1)</script>", left_open=("A & B",))
    Journal(tmp_path).plan(study, [])
    page = write_report(tmp_path).read_text()
    assert "<script>alert" not in page
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
    with pytest.raises(StudyError, match="is a file"):
        main(["--debug", "run", *SMOKE, "--out", str(tmp_path / "file" / "results")])
