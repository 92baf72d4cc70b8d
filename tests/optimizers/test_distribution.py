"""Two devices train as one."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.models import BACKEND, OPTIMIZERS


@pytest.mark.skipif(BACKEND == "torch", reason="Keras has no distribution on torch")
def test_two_devices_train_as_one():
    """MirroredStrategy on TensorFlow, `keras.distribution.DataParallel` on JAX."""
    root = pathlib.Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-m", "tests.distributed"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    differences = json.loads(done.stdout)
    refused = differences.pop("refused", None)
    assert differences.pop("devices") == 2
    assert len(differences) == len(OPTIMIZERS)
    assert max(differences.values()) < 2e-5, differences
    if BACKEND == "tensorflow":
        assert "`gradient_accumulation_steps` must be None under MirroredStrategy" in refused[0]
        assert "`ema_overwrite_frequency` must be None under MirroredStrategy" in refused[1]
