"""Keras's own tests of training, saving, callbacks and models, with our classes in the place of Keras's Adam family.

Those that never come to an optimizer of that family are left out. `EXCEPTIONS` says why each exception is one.
"""

import inspect
import unittest

import keras
import pytest

from keras_amsgrad.optimizers import RuleOptimizer
from tests.stand_ins import load, put_in_keras

pytest.importorskip("jax", reason="Keras's tests of its trainers import JAX, whatever the backend")
if keras.backend.backend() == "tensorflow":  # several minutes; on JAX and torch about one, in `make test-backends`
    pytestmark = pytest.mark.slow

MODULES = [
    "trainers.trainer_test",
    *(f"saving.{name}_test" for name in ("file_editor", "saving_lib")),
    *(
        f"callbacks.{name}_test"
        for name in ("early_stopping", "learning_rate_scheduler", "monitor_callback", "reduce_lr_on_plateau")
    ),
    *(f"models.{name}_test" for name in ("cloning", "functional", "model", "variable_mapping")),
]
EXCEPTIONS = {
    "test_scalar_weight": "counts the arrays that Adam stores; ours also has a header, the betas and their products",
}


def source(thing):
    return inspect.getsource(inspect.unwrap(thing))


def cases(tests):
    """Yield (name, test case) of a module, without the tests that never come to an optimizer of the Adam family."""
    own = {name: x for name, x in vars(tests).items() if getattr(x, "__module__", None) == tests.__name__}
    found = {name: x for name, x in own.items() if isinstance(x, type) and issubclass(x, unittest.TestCase)}
    helpers = {name for name, x in own.items() if name not in found and callable(x) and "adam" in source(x).lower()}
    for name, case in found.items():
        methods = {each: source(getattr(case, each)) for each in dir(case) if each.startswith("test")}
        foreign = [
            each for each, text in methods.items() if not any(word in text for word in ("adam", "Adam", *helpers))
        ]
        if len(foreign) < len(methods):
            yield name, type(name, (case,), dict.fromkeys(foreign))


for module in MODULES:
    for name, case in cases(load(module)):
        globals()[f"Test{module.partition('.')[2]}{name}"] = case
del case


@pytest.fixture(autouse=True)
def ours_in_keras(request, monkeypatch):
    for pattern, reason in EXCEPTIONS.items():
        if pattern in request.node.name:
            pytest.skip(reason)
    put_in_keras(monkeypatch)


def test_a_name_finds_our_class():
    assert isinstance(keras.src.optimizers.get("adam"), RuleOptimizer)
