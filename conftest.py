"""Doctests of a module for another backend than those installed cannot be collected."""

import importlib.util

UPDATES = {"tensorflow": "tensorflow_updates.py", "torch": "torch_updates.py"}

collect_ignore = [
    f"keras_amsgrad/optimizers/{module}" for name, module in UPDATES.items() if importlib.util.find_spec(name) is None
]
