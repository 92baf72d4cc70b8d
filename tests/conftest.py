import os
import re
import subprocess
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ONE_THREAD = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def data_dir():
    """The folder with MNIST and CIFAR-10; tests that ask for it carry the marker `needs_data`."""
    return os.environ["KERAS_AMSGRAD_DATA"]


@pytest.fixture(scope="module")
def data():
    """The data of the smallest run there is, see `tests.smoke`."""
    from studies.catalog import STUDIES
    from studies.data import official

    return official.load("digits").prepared(STUDIES["digits"].smoke())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results folder of an uninterrupted run of `tests.smoke.SMOKE`."""
    from studies.command_line.main import main
    from tests.smoke import SMOKE

    out = tmp_path_factory.mktemp("whole")
    assert main(["run", *SMOKE, "--out", str(out)]) == 0
    return out


@pytest.fixture
def scheduler():
    """The address of a Dask scheduler on loopback."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen([*command, "--no-dashboard"], stderr=subprocess.PIPE, text=True, env=ONE_THREAD)
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
def dask_workers(scheduler, tmp_path):
    """Two Dask workers in process groups of their own, without nannies: a killed one stays dead."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-nanny"]
    command += ["--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(tmp_path / "dask")]
    processes = [
        subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True, env=ONE_THREAD) for _ in range(2)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def pytest_collection_modifyitems(items):
    if not os.environ.get("KERAS_AMSGRAD_DATA"):
        for item in items:
            if item.get_closest_marker("needs_data"):
                item.add_marker(pytest.mark.skip(reason="needs the data folder named by $KERAS_AMSGRAD_DATA"))
