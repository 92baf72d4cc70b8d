"""What something was measured on: the card, its driver, and versions; no figure of a GPU goes without them."""

import json
import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("keras", "jax", "jaxlib", "torch", "numpy", "optax", "scikit-learn", "scikeras", "tensorflow")
NO_CARD = "no NVIDIA GPU"
USE_THE_CARD = {
    "jax": "import jax; jax.devices('gpu')",
    "torch": "import torch; torch.zeros(1, device='cuda')",
}


def machine():
    """Return card, cores and versions; a package that is not there has None."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        card = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        card = NO_CARD
    return {"card": card, "cores": os.cpu_count(), "python": platform.python_version(), "versions": versions()}


def blind(card, environment):
    """Return the backends that cannot use the card, if there is one: their figures would be those of the CPU."""
    if card == NO_CARD:
        return []
    checks = {name: [sys.executable, "-c", code] for name, code in USE_THE_CARD.items()}
    return [name for name, check in checks.items() if subprocess.run(check, env=environment).returncode]


def versions():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def write_rows(path, rows, **more):
    """Write the rows of a benchmark with the machine and the command that measured them; whole, or not at all."""
    backend = os.environ.get("KERAS_BACKEND", "")
    command = f"KERAS_BACKEND={backend} python {shlex.join(sys.orig_argv[1:])}"
    write(path, {"machine": machine(), **more, "command": command, "rows": rows})


def rows_from_here(path):
    """Return the rows that a benchmark wrote before on this very machine, with these versions; else none."""
    content = json.loads(path.read_text()) if path and path.exists() else {}
    return content["rows"] if content.get("machine") == machine() else []


def write(path, content):
    """Write a JSON file; it is whole or as it was before, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(content, indent=1))
    aside.replace(path)
