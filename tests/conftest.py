import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def data_dir():
    """The folder with MNIST and CIFAR-10; tests that ask for it carry the marker `needs_data`."""
    return os.environ["KERAS_AMSGRAD_DATA"]


def pytest_collection_modifyitems(items):
    if not os.environ.get("KERAS_AMSGRAD_DATA"):
        for item in items:
            if item.get_closest_marker("needs_data"):
                item.add_marker(pytest.mark.skip(reason="needs the data folder named by $KERAS_AMSGRAD_DATA"))
