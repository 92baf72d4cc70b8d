"""The notebooks run from beginning to end, hold the output of such a run, and install what they import."""

import configparser
import re
import sys
from pathlib import Path

import pytest

from tests.pages.test_sentences import typed, weighing

nbformat = pytest.importorskip("nbformat", reason="needs the extra test")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def cells(path):
    """Return the cells of a notebook: those that install, and the others."""
    found = nbformat.read(path, as_version=4).cells
    installs = [cell for cell in found if "install" in cell.metadata.get("tags", [])]
    return installs, [cell for cell in found if cell not in installs]


def kinds(cell):
    """Return which kinds of output a cell has, without what it wrote to the standard error."""
    outputs = [each for each in cell.get("outputs", []) if each.get("name") != "stderr"]
    return [(each.output_type, tuple(sorted(each.get("data", {})))) for each in outputs]


def test_there_are_three_notebooks():
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_one_cell_installs_an_extra_and_nothing_else_does(path):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    (cell,), others = cells(path)
    extras = re.fullmatch(r'%pip install --quiet (?:--editable )?"\.\.\[([\w,]+)\]"(?: \w+)*', cell.source).group(1)
    assert set(extras.split(",")) <= set(settings["options.extras_require"])
    assert not any("pip install" in each.source for each in others if each.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_holds_the_output_of_one_run_and_no_typed_result(path):
    installs, others = cells(path)
    code = [cell for cell in others if cell.cell_type == "code"]
    assert [cell.execution_count for cell in installs + code] == list(range(1, len(code) + 2))
    assert sum(bool(kinds(cell)) for cell in code) >= 3
    assert not [each for cell in code for each in cell.outputs if each.output_type == "error" or "stderr" in str(each)]
    assert weighing([each for cell in others if cell.cell_type == "markdown" for each in typed(cell.source)]) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_and_shows_what_it_holds(path, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="needs the extra test")
    pytest.importorskip("ipykernel", reason="needs the extra test")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    installs, others = cells(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell not in installs]
    client = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.create_kernel_manager().kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    client.execute()
    assert [kinds(cell) for cell in notebook.cells] == [kinds(cell) for cell in others]
