"""One study means the same on every backend: the same loss, so the same distribution of results."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import dataclasses, json, sys
from studies.catalog import STUDIES, Arm
from studies.run import run
from studies.results import results

study = dataclasses.replace(
    STUDIES["digits"], search=None, epochs=4, seeds=4, arms=(Arm("Adam", 0.01, 0.99), Arm("AMSGrad", 1.0, 0.99))
)
run(study, sys.argv[1], verbose=0)
runs = results(sys.argv[1]).runs
print(json.dumps({name: list(mine["train_loss"]) for name, mine in runs.groupby("optimizer")}))
"""


def losses(backend, out):
    """Return {optimizer: final training losses (4,)} of a small study at a usual rate, and at one far too large."""
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(out)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_study_ends_alike_on_every_backend(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    ours, theirs = losses("tensorflow", tmp_path / "tensorflow"), losses(backend, tmp_path / backend)
    for name in ours:  # initial weights differ between backends, so the runs do too: as far as seeds do
        spread = max(ours[name]) - min(ours[name]) + max(theirs[name]) - min(theirs[name])
        apart = abs(sum(ours[name]) - sum(theirs[name])) / 4
        assert apart < 2 * spread, (name, ours[name], theirs[name])
        assert 0.5 < sum(ours[name]) / sum(theirs[name]) < 2, (name, ours[name], theirs[name])
