import os

import pytest

from benchmarks import cluster

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


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
    with cluster.scheduler() as address:
        yield address


@pytest.fixture
def dask_workers(scheduler, tmp_path):
    """Two workers of the scheduler."""
    with cluster.Workers(scheduler, 2, tmp_path / "dask") as workers:
        yield workers


def pytest_collection_modifyitems(items):
    if not os.environ.get("KERAS_AMSGRAD_DATA"):
        for item in items:
            if item.get_closest_marker("needs_data"):
                item.add_marker(pytest.mark.skip(reason="needs the data folder named by $KERAS_AMSGRAD_DATA"))
