"""A study on a real Dask cluster on loopback: a scheduler and two workers, one of which is killed half-way."""

import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import studies
from benchmarks.crash import records, same_tables
from studies.catalog import STUDIES
from studies.command_line.main import main
from studies.data import official
from studies.records.journal import key
from studies.training import repeats
from studies.training.search import search_fits
from tests.smoke import SMOKE

pytest.importorskip("distributed")

from studies.training.engines.dask import chunks_of

ENVIRONMENT = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def scheduler():
    """The address of a scheduler on loopback."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen([*command, "--no-dashboard"], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        yield _first_address(process.stderr)
    finally:
        process.kill()
        process.communicate()


def _first_address(lines):
    for line in lines:
        if found := re.search(r"tcp://127\.0\.0\.1:\d+", line):
            return found.group()
    raise AssertionError("the scheduler said no address")


@pytest.fixture
def workers(scheduler, tmp_path):
    """Two workers in process groups of their own, without nannies: a killed one stays dead."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-nanny"]
    command += ["--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(tmp_path / "dask")]
    processes = [
        subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True, env=ENVIRONMENT) for _ in range(2)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_cluster_without_workers_is_named(scheduler, tmp_path, capsys):
    assert main(["run", *SMOKE, "--dask", scheduler, "--out", str(tmp_path)]) == 1
    assert "has no workers. Start some: dask worker" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["replicas", "gridsearch"])
def test_a_study_survives_a_killed_worker_and_gives_the_numbers_of_one_process(engine, scheduler, workers, tmp_path):
    spread_out, alone = tmp_path / "spread", tmp_path / "alone"
    own = [*SMOKE, "--engine", engine]
    command = [sys.executable, "-m", "studies", "run", *own, "--dask", scheduler, "--out", str(spread_out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    end = time.monotonic() + 120
    while len(records(spread_out)) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "the study did not get going"
        time.sleep(0.05)
    workers[0].send_signal(signal.SIGKILL)
    error = process.communicate(timeout=240)[1]
    assert process.returncode == 0, error
    assert main(["run", *own, "--out", str(alone)]) == 0
    if engine == "gridsearch":
        assert same_tables(spread_out, alone)
    found, expected = (losses(each) for each in (spread_out, alone))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5)  # other chunks: other last digits


def losses(out):
    """Return the losses of all fits of a folder, by what tells the fits apart."""
    keys = ["stage", "optimizer", "learning_rate", "beta_2", "fold", "seed"]
    runs = studies.results(out).runs
    return runs.set_index(keys)[["train_loss", "val_loss"]].sort_index()


def test_chunks_hold_every_fit_once_those_of_one_program_together():
    data = official.load("digits")
    study = STUDIES["digits"]
    searched = [fit for arm in study.arms for fit in search_fits(study, data, arm)]
    for fits in (
        searched,
        repeats.repeat_fits(study, data, [arm.at(study.search.settings(arm)[0]) for arm in study.arms]),
    ):
        for workers in (1, 2, 7, 1000):
            chunks = chunks_of(fits, workers)
            assert sorted(key(fit) for chunk in chunks for fit in chunk) == sorted(map(key, fits))
            assert all(len({fit.optimizer for fit in chunk}) == 1 for chunk in chunks)
            assert max(map(len, chunks)) <= max(1, -(-len(fits) // (2 * workers)))
    assert len(chunks_of(searched, 1)) == 2  # one for each optimizer
    seen = {frozenset(fit.fold for fit in chunk) for chunk in chunks_of(searched, 3)}
    assert seen == {frozenset({fold}) for fold in range(3)}  # those that share their batches
