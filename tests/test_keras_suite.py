"""Keras's own optimizer tests, as the installed Keras ships them, with our classes in the place of Keras's.

Exceptions, each a skip below with its reason, are the tests of what only Keras's own class has.
"""

import importlib
import re
from unittest import mock

import keras
import pytest
from keras.src import optimizers
from keras.src.utils.naming import auto_name

import keras_amsgrad as k

keras.optimizers.Adam()  # torch's own versions must exist before the names they derive from are replaced


# Functions, for two reasons: Keras's `amsgrad=True` is a class here, and on torch Keras puts its own code in the place
# of any *class* it finds under these names.
def adam(*args, amsgrad=False, epsilon=1e-7, **kwargs):
    return (k.AMSGrad if amsgrad else k.Adam)(*args, epsilon=epsilon, **kwargs)


def adamw(*args, weight_decay=0.004, name=None, **kwargs):
    return adam(*args, weight_decay=weight_decay, name=name or auto_name("AdamW"), **kwargs)


def adamax(*args, epsilon=1e-7, **kwargs):
    return k.AdaMax(*args, epsilon=epsilon, **kwargs)


def nadam(*args, epsilon=1e-7, **kwargs):
    return k.Nadam(*args, epsilon=epsilon, momentum_decay=1.0, **kwargs)


SUBSTITUTES = {"Adam": adam, "AdamW": adamw, "Adamax": adamax, "Nadam": nadam}


def load(module):
    """Import one of Keras's test modules with our classes in its tables and under the names that it imports."""
    with mock.patch.multiple(optimizers, **SUBSTITUTES):
        tests = importlib.import_module(f"keras.src.optimizers.{module}")
    for name, create in SUBSTITUTES.items():
        if hasattr(tests, name):
            setattr(tests, name, create)
    return tests


@pytest.fixture(autouse=True)
def skip_what_is_not_ours(request):
    """Cases for Keras's other optimizers, where they are slow: on JAX, 10 s each."""
    test, case = re.fullmatch(r"(.*?)(\d*)", request.node.name).groups()
    if test == "test_gradient_accumulation_with_weigth_decay" and case not in {"0", "2", "6", "8"}:
        pytest.skip("not one of ours")


@pytest.fixture(autouse=True)
def ours_in_keras(monkeypatch):
    real = optimizers.get

    def get(identifier):
        name = identifier["class_name"] if isinstance(identifier, dict) else identifier
        for known, create in SUBSTITUTES.items():
            if str(name).lower() == known.lower():
                return create(**(identifier["config"] if isinstance(identifier, dict) else {}))
        return real(identifier)

    for name, substitute in {**SUBSTITUTES, "get": get}.items():
        monkeypatch.setattr(optimizers, name, substitute)


class TestAdam(load("adam_test").AdamTest):
    pass


class TestAdamax(load("adamax_test").AdamaxTest):
    pass


class TestNadam(load("nadam_test").NadamTest):
    @pytest.mark.skip(reason="asks for `_u_product`, a variable of Keras's own; ours is kept as a logarithm")
    def test_build_with_empty_var_list(self):
        pass


class TestOptimizer(load("optimizer_test").OptimizerTest):
    @pytest.mark.skip(reason="counts Adam's variables; ours also has the betas and their products")
    def test_setting_lr_to_callable_untracks_lr_var(self):
        pass

    @pytest.mark.skip(reason="asserts that the name `adamw` is Keras's own class")
    def test_get_method(self):
        pass


class TestSparse(load("optimizer_sparse_test").OptimizerSparseTest):
    pass


@pytest.mark.parametrize("create", SUBSTITUTES.values())
def test_it_is_our_code_that_runs(create):
    weights = keras.Variable([1.0, 2.0])
    optimizer = create()
    assert type(optimizer).__module__.startswith("keras_amsgrad")
    ours = mock.patch.object(type(optimizer), "_settings", side_effect=RuntimeError("ours"))
    with ours, pytest.raises(RuntimeError, match="ours"):
        optimizer.apply([keras.ops.ones(2)], [weights])


@pytest.mark.parametrize("name", ["adam", "adamw", "adamax", "nadam"])
def test_a_name_finds_our_class(name):
    assert type(optimizers.get(name)).__module__.startswith("keras_amsgrad")
