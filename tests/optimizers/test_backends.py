"""The modules of the backends have the same functions."""

import ast
from pathlib import Path

import pytest

import keras_amsgrad.optimizers

FOLDER = Path(keras_amsgrad.optimizers.__file__).parent
BACKENDS = {name: FOLDER / f"{name}_backend.py" for name in ("jax", "tensorflow", "torch")}


def functions(path):
    """Return {name: names of the arguments} of the functions in a module that is not imported, JAX's in it included."""
    tree, found = ast.parse(path.read_text()), {}
    for each in tree.body:
        if isinstance(each, ast.FunctionDef):
            found[each.name] = [argument.arg for argument in each.args.args]
        elif isinstance(each, ast.ImportFrom) and each.module == "keras_amsgrad.optimizers.jax_backend":
            found |= {alias.asname: functions(BACKENDS["jax"])[alias.name] for alias in each.names}
    return found


@pytest.mark.parametrize("name", ["tensorflow", "torch"])
def test_backends_have_the_same_functions(name):
    shared, own = functions(BACKENDS["jax"]), functions(BACKENDS[name])
    assert len(shared) == 7
    assert {function: own.get(function) for function in shared} == shared
