"""docs/optimizers.md says which optimizer of another library is which of ours: both sides of every row are run."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_amsgrad

PAGE = (Path(__file__).parents[2] / "docs" / "optimizers.md").read_text()
START = np.array([1.0, -2.0, 0.5, 3.0], "float32")
# Large gradients first, small ones after: what an optimizer remembers of the large ones shows.
GRADIENTS = np.random.default_rng(0).normal(size=(30, 4)) * np.repeat([[10.0], [0.1]], 15, axis=0)
GRADIENTS = GRADIENTS.astype("float32")


def rows(library):
    """Return the rows (theirs, ours) of the table whose heading names `library`."""
    table = PAGE.split(f"| `{library}` | `keras_amsgrad` |")[1].split("\n\n")[0]
    return re.findall(r"^\| `(.+)` \| `(.+)` \|$", table, re.MULTILINE)


def called(code, names, **values):
    """Return what the call in `code`, a line of our own page, makes."""
    return eval(code, {**vars(names), **values})


def path_of_keras(optimizer):
    w, path = keras.Variable(START.copy()), []  # torch would work on START itself
    for g in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [w])
        path.append(keras.ops.convert_to_numpy(w).copy())
    return np.array(path)


def path_of_torch(code):
    torch = pytest.importorskip("torch")
    w, path = torch.tensor(START, requires_grad=True), []
    optimizer = called(code, torch.optim, params=[w])
    for g in GRADIENTS:
        w.grad = torch.tensor(g)
        optimizer.step()
        path.append(w.detach().numpy().copy())
    return np.array(path)


def path_of_optax(code):
    optax = pytest.importorskip("optax")
    optimizer, w, path = called(code, optax), START, []
    state = optimizer.init(w)
    for g in GRADIENTS:
        update, state = optimizer.update(g, state, w)
        w = np.asarray(optax.apply_updates(w, update))
        path.append(w)
    return np.array(path)


PATHS = {
    "keras.optimizers": lambda code: path_of_keras(called(code, keras.optimizers)),
    "torch.optim": path_of_torch,
    "optax": path_of_optax,
}


@pytest.mark.parametrize(
    ("library", "theirs", "ours"),
    [pytest.param(library, *row, id=f"{library}.{row[0]}") for library in PATHS for row in rows(library)],
)
def test_a_row_of_the_migration_tables_trains_alike(library, theirs, ours):
    path = path_of_keras(called(ours, keras_amsgrad))
    moved = np.abs(path[-1] - START).max()
    np.testing.assert_allclose(PATHS[library](theirs), path, rtol=0, atol=1e-3 * moved)


def test_every_library_has_its_rows():
    assert {library: len(rows(library)) for library in PATHS} == {"keras.optimizers": 7, "torch.optim": 7, "optax": 8}
