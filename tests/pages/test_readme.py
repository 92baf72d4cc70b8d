"""The pages hold what they say: every command in README, CONTRIBUTING and docs is run, every file named there is there.

A command that would take long is run in a cheaper form, see `CHEAPER`; what installs or downloads is looked up instead.
Not run here: what installs, which `test_fresh_environments` does, and a study on a cluster, which `test_cluster` does.
"""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from studies.command_line.main import main, make_parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINES = 150  # of a page that is read from its beginning to its end
MADE_LATER = {"mnist/", "results/"}


def commands():
    """Return every line of an indented block as (page, command), without its comment."""
    found = []
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        lines = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
        found += [(page.name, line.split(" #")[0].strip()) for line in lines]
    return list(dict.fromkeys(found))


def install(words, tmp_path):
    """Look up the extras that pip is asked for."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    (wanted,) = (word for word in words[2:] if word != "--editable")
    extras = re.fullmatch(r"\.(?:\[(.*)\])?", wanted).group(1)
    assert set(extras.split(",") if extras else []) <= set(settings["options.extras_require"])


def make(words, tmp_path):
    """Ask make what it would do: it fails where it has no such target."""
    (target,) = words[1:]
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def study(words, tmp_path):
    """Run it at the smallest scale, with the results in a folder of its own."""
    data = os.environ.get("KERAS_AMSGRAD_DATA", "DATA")
    arguments = [data if word == "DATA" else word for word in words[3:]]
    if "--dask" in words or words[3] == "compare":
        make_parser().parse_args(arguments)
        return
    if words[3] == "run":
        arguments += ["--scale", "smoke", "--out", str(tmp_path)]
    assert main(arguments) == 0


def dask(words, tmp_path):
    """Look up the options: both commands run until they are stopped."""
    pytest.importorskip("distributed")
    command = [sys.executable, "-m", f"distributed.cli.dask_{words[1]}", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [word for word in words if word.startswith("--") and word not in said] == []


def published(words, tmp_path):
    """Look up the options: `test_publish` restores the records."""
    command = [sys.executable, ROOT / words[1], "--help"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert [word for word in words if word.startswith("--") and word not in said] == []


def script(words, tmp_path):
    """Run an example."""
    subprocess.run([sys.executable, *words[1:]], cwd=ROOT, check=True)


def shell(words, tmp_path):
    """Check a script's grammar and look up the options in its help: it wants a machine of another kind."""
    subprocess.run(["sh", "-n", words[0]], cwd=ROOT, check=True)
    said = subprocess.run([f"./{words[0]}", "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [word for word in words[1:] if word.startswith("--") and word not in said.split()] == []


CHEAPER = [
    ("pip install", install),
    ("make", make),
    ("python -m studies", study),
    ("dask", dask),
    ("python examples/", script),
    ("python studies/published/publish.py", published),
    ("benchmarks/gpu.sh", shell),
]


def cases():
    for page, command in commands():
        trains = "studies run" in command and "--dask" not in command
        marks = [pytest.mark.slow] if trains else []
        marks += [pytest.mark.needs_data] if trains and "DATA" in command else []
        yield pytest.param(command, marks=marks, id=f"{page}: {command}")


@pytest.mark.parametrize("command", list(cases()))
def test_a_command_works(command, tmp_path):
    way = next((way for start, way in CHEAPER if command.startswith(start)), None)
    assert way is not None, f"say in CHEAPER how to test {command!r}"
    way(shlex.split(command), tmp_path)


def test_the_commands_are_found():
    found = {page: {command for place, command in commands() if place == page} for page in ("README.md", "studies.md")}
    assert {'pip install ".[tensorflow]"', "make study", "make test"} <= found["README.md"]
    assert {"make study", "python -m studies list"} <= found["studies.md"]
    assert len(commands()) >= 20


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_a_page_is_short(name):
    assert len((ROOT / name).read_text().splitlines()) <= LINES


def pieces():
    """Yield the pieces of Python that are whole programs, or need no more than arrays `x` and `y` of a reader."""
    for page in PAGES:
        for code in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            if code.startswith("import keras\n"):
                marks = [pytest.mark.slow] if "studies.compare" in code else []
                yield pytest.param(code, marks=marks, id=f"{page.name}: {code.splitlines()[-1]}")


def test_the_pieces_of_code_are_found():
    names = [case.id.split(":")[0] for case in pieces()]
    assert [names.count(name) for name in ("README.md", "index.md", "comparing.md")] == [3, 2, 1]


@pytest.mark.parametrize("code", list(pieces()))
def test_a_piece_of_code_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(code, {"x": np.eye(6, dtype="float32")[np.arange(30) % 6], "y": np.arange(30) % 3})


def test_the_search_that_can_be_resumed_runs(tmp_path, monkeypatch):
    """The piece of code in docs/searches.md goes on from the search on the page that leads there."""
    monkeypatch.chdir(tmp_path)
    start = next(case.values[0] for case in pieces() if case.id.startswith("index.md: print(search"))
    page = (ROOT / "docs/searches.md").read_text()
    (resumed,) = re.findall(r"^```python\n([^`]*resume=[^`]*)^```", page, re.MULTILINE)
    namespace = {}
    exec(start, namespace)
    exec(resumed, namespace)
    assert list((tmp_path / "my-search").rglob("*.npz"))


def found(name):
    """Yield the files of this name in our own folders; an environment beside them has files of every name."""
    for folder in ("keras_amsgrad", "studies", "tests", "benchmarks", "docs", "examples"):
        yield from (ROOT / folder).rglob(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page):
    text = page.read_text()
    named = set(re.findall(r"`([\w./-]+(?:\.(?:py|md|cfg|txt|toml|yml)|/))`", text)) - MADE_LATER
    linked = {link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link}
    gone = [name for name in named if not (ROOT / name).exists() and not any(found(name))]
    assert gone + [link for link in linked if not (page.parent / link).exists()] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_workflow_calls_targets_that_exist():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    targets = re.findall(r"run: make ([\w-]+)$", text, re.MULTILINE)
    targets += re.search(r"target: \[(.*)\]", text).group(1).split(", ")
    assert {"lint", "test", "test-jax", "test-torch", "test-slow", "test-oldest", "docs", "wheel"} <= set(targets)
    for target in targets:
        make(["make", target], None)
