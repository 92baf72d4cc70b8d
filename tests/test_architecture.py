"""Imports point one way, and what should be light stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A module may import, of this project, only what stands here.
ALLOWED = {
    "keras_amsgrad/rules.py": set(),
    "keras_amsgrad/order.py": set(),
    "keras_amsgrad/checks.py": set(),
    "studies/catalog/network.py": set(),
    "studies/catalog/synthetic.py": {f"studies.catalog.{name}" for name in ("bushaev", "korzeniowski", "mcgill")},
    "studies/catalog/mcgill.py": {"studies.catalog.network"},
    "studies/catalog/korzeniowski.py": {"studies.catalog.network"},
    "studies/catalog/perez.py": {"studies.catalog.network"},
    "studies/catalog/bushaev.py": {"studies.catalog.network"},
    "studies/losses.py": set(),
    "studies/errors.py": set(),
    "studies/frames.py": {"studies"},
    "studies/own/__init__.py": {
        *("studies.catalog", "studies.errors", "studies.frames", "studies.own", "studies.run"),
    },
    "studies/own/models.py": {"studies.errors"},
    "studies/own/data.py": {"studies.datasets", "studies.errors"},
    "studies/journal.py": {"studies.errors"},
    "studies/models.py": set(),
    "studies/startup.py": set(),
    "studies/datasets.py": {"studies.errors", "studies.startup"},
    "studies/tables.py": {"studies.errors", "studies.journal"},
    "studies/report.py": {
        "studies",
        "studies.catalog",
        "studies.figures",
        "studies.figures.style",
        "studies.figures.svg",
        "studies.frames",
    },
}


def imports(path):
    """Return the modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return found


@pytest.mark.parametrize("module", ALLOWED)
def test_a_lower_module_imports_no_higher_one(module):
    ours = {name for name in imports(ROOT / module) if name.split(".")[0] in ("keras_amsgrad", "studies")}
    assert ours <= ALLOWED[module]


def test_the_library_knows_nothing_of_studies():
    for path in (ROOT / "keras_amsgrad").rglob("*.py"):
        assert not [name for name in imports(path) if name.split(".")[0] == "studies"], path


def test_claims_know_the_catalog_and_nothing_else_of_ours():
    for path in (ROOT / "studies" / "claims").rglob("*.py"):
        ours = {name for name in imports(path) if name.split(".")[0] in ("keras_amsgrad", "studies")}
        assert all(name.startswith(("studies.claims", "studies.catalog")) for name in ours), path


def test_figures_know_the_catalog_and_nothing_else_of_ours():
    for path in (ROOT / "studies" / "figures").glob("*.py"):
        ours = {name for name in imports(path) if name.split(".")[0] in ("keras_amsgrad", "studies")}
        assert all(name.startswith(("studies.figures", "studies.catalog")) for name in ours), path


def test_descriptions_claims_and_records_need_neither_keras_nor_matplotlib():
    described = [path for name in ("catalog", "claims") for path in (ROOT / "studies" / name).rglob("*.py")]
    for path in [*described, ROOT / "studies" / "journal.py"]:
        assert not {name.split(".")[0] for name in imports(path)} & {"keras", "matplotlib", "keras_amsgrad"}, path


def test_only_one_file_touches_scikeras():
    users = [
        path.name for path in (ROOT / "studies").rglob("*.py") if any("scikeras" in name for name in imports(path))
    ]
    assert users == ["estimator.py"]


def test_importing_the_library_imports_nothing_heavier_than_keras():
    program = "import keras, sys; before = set(sys.modules); import keras_amsgrad; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {name.split(".")[0] for name in done.stdout.split()} == {"keras_amsgrad"}
