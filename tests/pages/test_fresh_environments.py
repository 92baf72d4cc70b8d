"""Each piece of code in README runs in a new environment, after exactly the pip lines above it.

On JAX and torch, the first line installs the extra of that name in the place of `tensorflow`, and the optimizer and the
search are run: those need no TensorFlow.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^    (?P<pip>pip install [^\n]+)$|^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


def steps(backend):
    """Return README's pip lines and pieces of code in their order, as ("pip" | "code", text), for this backend."""
    found = [(step.lastgroup, step[step.lastgroup]) for step in STEP.finditer((ROOT / "README.md").read_text())]
    if backend != "tensorflow":
        found = found[: next(i for i, (_, text) in enumerate(found) if "[studies]" in text)]
    return [(kind, text.replace('".[tensorflow]"', f'".[{backend}]"')) for kind, text in found]


def test_readme_installs_tensorflow_first_and_search_before_the_search():
    found = steps("tensorflow")
    assert [text.split("#")[0].strip() for kind, text in found if kind == "pip"] == [
        'pip install ".[tensorflow]"',
        'pip install ".[search]"',
        'pip install --editable ".[studies]"',
    ]
    assert [kind for kind, _ in found] == ["pip", "code"] * 3
    assert steps("jax")[0][1].startswith('pip install ".[jax]"')


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what git has of this folder, so that pip's build leaves nothing here."""
    folder = tmp_path_factory.mktemp("checkout")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["xargs", "-0", "cp", "--parents", "-t", str(folder)], cwd=ROOT, input=files, check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_what_readme_says_runs_in_a_new_environment(backend, checkout, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "environment"], check=True)
    binaries = tmp_path / "environment" / "bin"
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "KERAS_BACKEND": backend,
        "MPLBACKEND": "agg",
    }

    def run(command, folder):
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for i, (kind, text) in enumerate(steps(backend)):
        if kind == "pip":
            run(text, checkout)
        else:
            (elsewhere / f"step_{i}.py").write_text(text, encoding="utf-8")
            run(f"python step_{i}.py", elsewhere)
        if i == 1:
            assert "validation accuracy after 10 epochs: 0.9" in run("python examples/minimal.py", checkout)
    run("pip check", elsewhere)
    is_there = "import importlib.util as u; print(u.find_spec('tensorflow') is not None)"
    assert run(f'python -c "{is_there}"', elsewhere).strip() == str(backend == "tensorflow")
