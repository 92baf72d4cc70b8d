"""Imports point one way, every module has its place, and what should be light stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What the modules of a room may import of this project, besides each other. A room is a folder or a module.
ROOMS = {
    "keras_amsgrad.rules": set(),
    "keras_amsgrad.order": set(),
    "keras_amsgrad.checks": set(),
    "keras_amsgrad.durable": set(),
    "keras_amsgrad.journal": {"keras_amsgrad.durable"},
    "keras_amsgrad.internals": set(),
    "keras_amsgrad": {
        *(f"keras_amsgrad.{room}" for room in ("rules", "order", "checks", "durable", "journal", "internals"))
    },
    "studies.errors": set(),
    "studies.extras": set(),
    "studies.startup": {"keras_amsgrad"},
    "studies.catalog": {"studies.errors"},
    "studies.claims": {"studies.catalog"},
    "studies.records": {"studies.errors", "studies.catalog", "keras_amsgrad.durable", "keras_amsgrad.journal"},
    "studies.data": {"studies.errors", "studies.startup", "studies.catalog"},
    "studies.networks": {
        *("studies.errors", "studies.catalog", "studies.data", "keras_amsgrad", "keras_amsgrad.internals"),
    },
    "studies.lineup": {"studies.errors", "studies.catalog", "studies.data", "studies.networks"},
    "studies.training": {
        *(
            "studies.errors",
            "studies.startup",
            "studies.catalog",
            "studies.records",
            "studies.data",
            "studies.networks",
        ),
        *("keras_amsgrad", "keras_amsgrad.rules", "keras_amsgrad.order"),
    },
    "studies.training.engines": {
        *("studies.errors", "studies.startup", "studies.catalog", "studies.records", "studies.data"),
        *("studies.networks", "studies.training", "keras_amsgrad"),
    },
    "studies.figures": {"studies.catalog", "studies.claims"},
    "studies.results": {"studies.extras", "studies.claims", "studies.records"},
    "studies.report": {
        *(
            "studies.errors",
            "studies.catalog",
            "studies.claims",
            "studies.records",
            "studies.figures",
            "studies.results",
        ),
    },
    "studies.run": {
        *(
            "studies.startup",
            "studies.catalog",
            "studies.data",
            "studies.lineup",
            "studies.records",
            "studies.training",
            "studies.training.engines",
            "studies.report",
        ),
    },
    "studies.arms": {
        *("studies.errors", "studies.startup", "studies.catalog", "studies.training", "keras_amsgrad.internals"),
    },
    "studies.compare": {
        *("studies.errors", "studies.extras", "studies.catalog", "studies.data", "studies.networks", "studies.run"),
        *("studies.arms", "studies.results", "studies.startup", "studies.training.engines"),
    },
    "studies.command_line": {
        *("studies.errors", "studies.extras", "studies.startup", "studies.catalog", "studies.data", "studies.records"),
        *(
            "studies.run",
            "studies.arms",
            "studies.compare",
            "studies.report",
            "studies.results",
            "studies.training.engines",
        ),
    },
    "studies.__main__": {"studies.command_line"},
    "studies": {"studies.errors", "studies.compare", "studies.results"},
    "studies.published": {
        *(
            "studies.errors",
            "studies.catalog",
            "studies.claims",
            "studies.records",
            "studies.results",
            "studies.report",
        ),
    },
}


def modules():
    """Return {dotted name: path} of every module of ours."""
    paths = [path for folder in ("keras_amsgrad", "studies") for path in sorted((ROOT / folder).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


MODULES = modules()


def room_of(module):
    """Return the room that a module is in: of those whose name it begins with, the one with the longest name."""
    return max((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), key=len)


def imports(path):
    """Return the modules that a file imports, anywhere in it; of `from a import b`, a.b where that is a module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & set(MODULES)) or {node.module}
    return found


def ours(path):
    return {name for name in imports(path) if name.split(".")[0] in ("keras_amsgrad", "studies")}


def test_every_module_is_in_a_room_of_its_own():
    """The rooms `studies` and `keras_amsgrad` are for the folders' own modules: a new folder needs a line here."""
    strays = [name for name in MODULES if room_of(name) == "studies" and name != "studies"]
    assert strays == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module):
    room = room_of(module)
    wrong = [name for name in ours(MODULES[module]) if room_of(name) not in ROOMS[room] | {room}]
    assert wrong == []


def test_an_import_of_the_package_is_seen(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("from studies import run\nfrom studies.records.journal import Journal\nimport studies.compare\n")
    assert imports(path) == {"studies.run", "studies.records.journal", "studies.compare"}


def test_studies_has_few_modules_beside_its_folders():
    beside = {path.name for path in (ROOT / "studies").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert len(beside) <= 8, beside


def test_an_engine_is_chosen_before_anything_heavy_is_imported():
    program = "import sys; from studies.training.engines import engine_of; engine_of(jobs=2); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"keras", "joblib", "distributed", "sklearn"} & set(done.stdout.split())


@pytest.mark.parametrize("room", ["catalog", "claims", "records"])
def test_descriptions_claims_and_records_import_neither_keras_nor_matplotlib(room):
    program = f"""if True:
        import importlib, pkgutil, sys, studies.{room} as room
        for module in pkgutil.walk_packages(room.__path__, "studies.{room}."):
            importlib.import_module(module.name)
        print(*sys.modules)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"keras", "tensorflow", "jax", "torch", "matplotlib"} & set(done.stdout.split())


def test_only_one_file_touches_scikeras():
    users = [name for name in MODULES if name.startswith("studies") and "scikeras.wrappers" in imports(MODULES[name])]
    assert users == ["studies.training.estimator"]


def test_private_names_are_used_in_one_module_for_each_package():
    """Keras's and TensorFlow's own modules may change in every version. `model_selection.scikeras` has a test file."""
    private = ("keras.src", "tensorflow.python", "torch._")
    users = [name for name, path in MODULES.items() if any(each.startswith(private) for each in imports(path))]
    assert users == ["keras_amsgrad.internals.keras", "keras_amsgrad.internals.tensorflow"]


def test_importing_the_library_imports_nothing_heavier_than_keras():
    program = "import keras, sys; before = set(sys.modules); import keras_amsgrad; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {name.split(".")[0] for name in done.stdout.split()} == {"keras_amsgrad"}
