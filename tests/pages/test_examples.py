"""The examples run as a reader would run them."""

import importlib.util
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments, backend=None):
    environment = {**os.environ, **({"KERAS_BACKEND": backend} if backend else {})}
    command = [sys.executable, EXAMPLES / name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(package):
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


def test_minimal():
    assert "validation accuracy after 10 epochs: 0.9" in run("minimal.py")


def test_adam_can_fail(tmp_path):
    said = run("adam_can_fail.py", tmp_path / "figure.png")
    assert "Adam ends at x = +1.00" in said
    assert "AMSGrad ends at x = -0.9" in said
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_adam_can_fail_has_a_constraint_that_every_keras_takes():
    """Keras 3.10 to 3.14 refuse a function."""
    variable = keras.Variable(0.0)
    kind = runpy.run_path(str(EXAMPLES / "adam_can_fail.py"))["Interval"]
    assert issubclass(kind, keras.constraints.Constraint)
    variable.constraint = kind()
    assert float(variable.constraint(keras.ops.convert_to_tensor(-3.0))) == -1
    assert "lambda" not in (EXAMPLES / "adam_can_fail.py").read_text()


@needs("optuna")
def test_optuna_is_told_every_trial_of_every_batch():
    said = run("optuna_batches.py", "2")
    first, second = map(float, re.findall(r"^batch \d: best validation accuracy (\S+)", said, re.MULTILINE))
    assert 0.9 < first <= second
    assert said.endswith("finished trials: 16 of 16\n")


def test_seeds_and_folds_have_means_and_spreads_of_their_fits():
    table = {line[:6].strip(): line for line in run("seeds_and_folds.py").splitlines()}
    *rows, means, deviations = (
        [float(number) for number in re.findall(r"\d\.\d{3}", table[name])]
        for name in ("fold 0", "fold 1", "fold 2", "mean", "std")
    )
    fits, sides = np.array(rows)[:, :5], np.array(rows)[:, 5:]
    assert 0.9 < fits.min() < fits.max()
    assert np.transpose([fits.mean(1), fits.std(1, ddof=1)]) == pytest.approx(sides, abs=0.002)
    assert np.array([fits.mean(0), fits.std(0, ddof=1)]) == pytest.approx(np.array([means, deviations]), abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "questions"), [("compare_convolutional.py", 2), ("compare_text.py", 2)], ids=["convolutional", "text"]
)
def test_a_comparison_of_ones_own_model_answers_each_question(name, questions, tmp_path):
    said = run(name, tmp_path)
    answers = [line for line in said.splitlines() if "than Adam's." in line]
    assert len(answers) == questions
    assert all("; n = 10; p = " in line for line in answers)
    assert (tmp_path / "report.html").is_file()


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        pytest.param("mirrored_strategy.py", "tensorflow", marks=needs("tensorflow")),
        pytest.param("data_parallel.py", "jax", marks=needs("jax")),
    ],
)
def test_one_model_trains_on_two_devices(name, backend):
    said = run(name, backend=backend)
    assert "devices: 2" in said
    assert float(said.split()[-1]) > 0.85  # the devices' shares of a batch are not always the same
