"""A study on a real Dask cluster on loopback: a scheduler and two workers, one of which is killed half-way."""

import subprocess
import sys
import time

import pandas as pd
import pytest

import studies
from benchmarks.cluster import ONE_THREAD
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


def test_a_cluster_without_workers_is_named(scheduler, tmp_path, capsys):
    assert main(["run", *SMOKE, "--dask", scheduler, "--out", str(tmp_path)]) == 1
    assert "has no workers. Start some: dask worker" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["replicas", "gridsearch"])
def test_a_study_survives_a_killed_worker_with_the_numbers_of_one_process(engine, scheduler, dask_workers, tmp_path):
    spread_out, alone = tmp_path / "spread", tmp_path / "alone"
    own = [*SMOKE, "--engine", engine]
    command = [sys.executable, "-m", "studies", "run", *own, "--dask", scheduler, "--out", str(spread_out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ONE_THREAD)
    end = time.monotonic() + 120
    while len(records(spread_out)) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "the study did not get going"
        time.sleep(0.05)
    dask_workers.kill(0)
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
