"""Our classes under the names of Keras's, for Keras's own tests."""

import importlib
import importlib.util
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


@keras.saving.register_keras_serializable("keras.optimizers")
class AdamW(k.Adam):
    """Registered under Keras's name: `optimizers.get("adamw")` must be an `optimizers.AdamW`."""

    def __new__(cls, *args, amsgrad=False, **kwargs):
        if amsgrad:
            return k.AMSGrad(*args, **{"weight_decay": 0.004, "epsilon": 1e-7, "name": auto_name("AdamW"), **kwargs})
        return object.__new__(cls)  # not torch's code

    def __init__(self, *args, weight_decay=0.004, epsilon=1e-7, amsgrad=False, **kwargs):
        super().__init__(*args, weight_decay=weight_decay, epsilon=epsilon, **kwargs)


def adamax(*args, epsilon=1e-7, **kwargs):
    return k.AdaMax(*args, epsilon=epsilon, **kwargs)


def nadam(*args, epsilon=1e-7, **kwargs):
    return k.Nadam(*args, epsilon=epsilon, momentum_decay=1.0, **kwargs)


SUBSTITUTES = {"Adam": adam, "AdamW": AdamW, "Adamax": adamax, "Nadam": nadam}
REAL_GET = optimizers.get


def get(identifier):
    """As `keras.optimizers.get`, with our classes under Keras's names."""
    name = identifier["class_name"] if isinstance(identifier, dict) else identifier
    ours = isinstance(identifier, dict) and "keras_amsgrad" in str(identifier.get("registered_name"))
    for known, create in SUBSTITUTES.items():
        if str(name).lower() == known.lower() and not ours:
            return create(**(identifier["config"] if isinstance(identifier, dict) else {}))
    return REAL_GET(identifier)


def load(module):
    """Import one of Keras's test modules with our classes in its tables and under the names that it imports.

    Older versions of Keras, 3.12 among them, come without tests: there the module that asks for them is skipped.
    """
    if importlib.util.find_spec("keras.src.optimizers.optimizer_test") is None:
        pytest.skip("this version of Keras comes without its tests", allow_module_level=True)
    with mock.patch.multiple(optimizers, **SUBSTITUTES):
        tests = importlib.import_module(f"keras.src.{module}")
    for name, create in SUBSTITUTES.items():
        if hasattr(tests, name):
            setattr(tests, name, create)
    return tests


def put_in_keras(monkeypatch):
    """Put our classes in the place of Keras's until `monkeypatch` ends."""
    for name, substitute in {**SUBSTITUTES, "get": get}.items():
        monkeypatch.setattr(optimizers, name, substitute)
