"""How tests run, also those in docstrings: in full float32, and without modules of backends that are not installed."""

import importlib.util
import os

from studies.startup import FULL_FLOAT32

os.environ.update(FULL_FLOAT32 | os.environ)

collect_ignore_glob = [
    path
    for name in ("tensorflow", "torch")
    if importlib.util.find_spec(name) is None
    for path in (f"keras_amsgrad/optimizers/{name}_backend.py", f"keras_amsgrad/internals/{name}.py")
]
