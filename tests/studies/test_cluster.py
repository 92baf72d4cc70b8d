"""A study on a real Dask cluster on loopback: a scheduler and two workers, one of which is killed half-way."""

import subprocess
import sys
import time

import pytest

from benchmarks.cluster import ONE_THREAD
from benchmarks.crash import records, same_tables
from studies.command_line.main import main
from tests.smoke import SMOKE

pytest.importorskip("distributed")


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
    end = time.monotonic() + 240
    while len(records(spread_out)) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "the study did not get going"
        time.sleep(0.05)
    dask_workers.kill(0)
    error = process.communicate(timeout=400)[1]
    assert process.returncode == 0, error
    assert main(["run", *own, "--out", str(alone)]) == 0
    assert same_tables(spread_out, alone)
