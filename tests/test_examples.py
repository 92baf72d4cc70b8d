"""The examples run as a reader would run them."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name, *arguments):
    done = subprocess.run([sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_minimal():
    assert "validation accuracy after 10 epochs: 0.9" in run("minimal.py")


def test_adam_can_fail(tmp_path):
    said = run("adam_can_fail.py", tmp_path / "figure.png")
    assert "Adam ends at x = +1.00" in said
    assert "AMSGrad ends at x = -0.9" in said
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
