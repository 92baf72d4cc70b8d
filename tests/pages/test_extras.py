"""Where packages of an extra are missing, one line names the extra."""

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from studies.extras import PACKAGES

ROOT = Path(__file__).parents[2]
IN_PIP = {"sklearn": "scikit-learn"}


def without(packages, program, *arguments, backend="tensorflow"):
    """Run a program in a Python that cannot import some packages."""
    blocked = f"import runpy, sys; sys.modules.update(dict.fromkeys({list(packages)})); "
    command = [sys.executable, "-c", blocked + program, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)


@pytest.mark.parametrize(
    ("module", "backend"),
    [
        *(("keras_amsgrad", backend) for backend in ("tensorflow", "jax", "torch")),
        ("keras_amsgrad.model_selection", "jax"),
    ],
)
def test_without_its_backend_keras_amsgrad_names_the_extra(module, backend):
    done = without([backend], f"import {module}", backend=backend)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: Keras's backend {backend} is not installed")
    assert f'pip install "keras_amsgrad[{backend}]"' in last


def test_another_module_that_keras_lacks_is_not_taken_for_a_backend():
    done = without(["numpy"], "import keras_amsgrad")
    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError: import of numpy halted")


@pytest.mark.parametrize("package", ["sklearn", "scikeras"])
def test_a_search_without_its_extra_names_it(package):
    done = without([package], "import keras_amsgrad.model_selection")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: keras_amsgrad.model_selection needs scikit-learn and scikeras")
    assert last.endswith('pip install "keras_amsgrad[search]"')


@pytest.mark.parametrize(
    ("packages", "arguments", "extra"),
    [
        (["matplotlib", "sklearn"], ["run", "digits"], "studies"),
        (["pandas"], ["report"], "studies"),
        (["filelock"], ["compare", "m:f", "--data", "x.npz"], "studies"),
        (["distributed"], ["run", "digits", "--dask", "tcp://localhost:1"], "dask"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_study_without_its_extra_ends_with_code_1_and_one_line(packages, arguments, extra):
    done = without(packages, "runpy.run_module('studies', run_name='__main__', alter_sys=True)", *arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"studies: error: {', '.join(packages)} not found.")
    assert f"'.[{extra}]'" in done.stderr


def test_a_study_without_a_backend_names_its_extra():
    done = without(["tensorflow"], "runpy.run_module('studies', run_name='__main__', alter_sys=True)", "run", "digits")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert 'pip install "keras_amsgrad[tensorflow]"' in done.stderr


def test_a_comparison_in_python_names_the_extra():
    done = without(["pandas"], "import studies; studies.results()")
    assert done.stderr.splitlines()[-1].endswith("pip install --editable '.[studies]'")


def test_listing_studies_needs_no_extra():
    done = without(PACKAGES["studies"], "runpy.run_module('studies', run_name='__main__', alter_sys=True)", "list")
    assert done.returncode == 0, done.stderr
    assert "mcgill-logistic" in done.stdout


def test_the_smallest_example_needs_no_extra():
    own = set(PACKAGES["studies"]) - {"rich"}  # which Keras needs itself
    done = without(own, "runpy.run_path('examples/minimal.py', run_name='__main__')")
    assert "validation accuracy after 10 epochs: 0.9" in done.stdout, done.stderr


def extras():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    return dict(settings["options.extras_require"])


@pytest.mark.parametrize("extra", PACKAGES)
def test_the_packages_of_an_extra_are_those_of_setup_cfg(extra):
    listed = set(re.findall(r"^([\w-]+) >=", extras()[extra], re.MULTILINE)) - {"tensorflow"}  # which Keras asks for
    assert sorted(listed) == sorted(IN_PIP.get(name, name) for name in PACKAGES[extra])


def test_joblib_is_new_enough_for_an_initializer():
    """Joblib 1.4 does not know the argument `initializer` of `joblib.parallel_config`, which worker processes need."""
    assert "joblib >= 1.5" in extras()["studies"]


def test_the_oldest_versions_that_are_tested_are_the_lower_bounds():
    """`make test-oldest` installs what constraints-oldest.txt says."""
    text = (ROOT / "constraints-oldest.txt").read_text()
    tested = {name.lower(): version for name, version in re.findall(r"^([\w-]+)==(\S+)$", text, re.MULTILINE)}
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    wanted = "\n".join([settings["options"]["install_requires"], extras()["backends"]])
    bounds = dict(re.findall(r"^([\w-]+) >= (\S+)$", wanted, re.MULTILINE))
    assert len(bounds) > 15
    for name, bound in bounds.items():
        version = tested[name.lower()].split(".")
        assert version[: len(bound.split("."))] == bound.split("."), name
        assert set(version[len(bound.split(".")) :]) <= {"0"}, name
    assert "<" not in wanted
