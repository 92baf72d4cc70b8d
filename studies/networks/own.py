"""Models that a user brings: found by name, told apart by what they are, checked before anything trains."""

import importlib
import sys
import uuid
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from studies.errors import StudyError, did_you_mean
from studies.networks.fingerprint import Fingerprint, fingerprint, is_built

ROWS = 32  # that show whether a model takes the data
# Functions that came as objects, by name: those of a notebook cannot be imported.
_given: dict[str, Callable[[], keras.Model]] = {}
# What every build of a network has, by its identity; filled when it is first seen in a process.
_fixed: dict[str, dict[str, str]] = {}


def named(function: object) -> str:
    """Return "MODULE:FUNCTION" for a function given as an object or by that name already.

    A name stands for what can be imported, also where an object of that name was given before.
    """
    if isinstance(function, str):
        _given.pop(function, None)
        return function
    builds = _checked_function("The model", function)
    name = f"{function.__module__}:{getattr(function, '__qualname__', type(function).__name__)}"
    _given[name] = builds
    return name


def identified(name: str) -> str:
    """Return "MODULE:FUNCTION@HASH" for a function: with what it builds, so that a changed model is another.

    Where something in the model cannot be told from another of its kind, the identity is good for this run only.
    """
    found = _fingerprint(name)
    identity = f"{name}@{found.hash_}"
    if found.unknown:
        identity += f"+{uuid.uuid4().hex[:10]}"
        more = f", and {len(found.unknown) - 1} more" if len(found.unknown) > 1 else ""
        print(
            f"studies: {name} is trained anew in every run, for a change in it could not be seen: "
            f"{found.unknown[0]}{more}.",
            file=sys.stderr,
        )
    _fixed[identity] = found.fixed
    return identity


def network(identity: str) -> keras.Model:
    """Return a new network from "MODULE:FUNCTION@HASH"; raise StudyError where the function builds another now."""
    name, _, hash_ = identity.rpartition("@")
    if identity not in _fixed:  # another process
        found = _fingerprint(name)
        if found.hash_ != hash_.partition("+")[0]:
            raise StudyError(f"{name} does not build the same model in every process.")
        _fixed[identity] = found.fixed
    model = built(name)
    if not is_built(model, _fixed[identity]):
        raise StudyError(f"{name} does not build the same model every time: it changed while the fits were made.")
    return model


def _fingerprint(name: str) -> Fingerprint:
    _function(name)  # imported before any seed is set: a module may draw random numbers while it is imported
    return fingerprint(name, lambda: built(name))


def built(name: str) -> keras.Model:
    """Return what a function builds, a Keras model that is built and not compiled."""
    try:
        model = _function(name)()
    except StudyError:
        raise
    except Exception as error:  # the user's own code
        raise StudyError(f"{name} fails: {_line(error)}") from error
    if not isinstance(model, keras.Model):
        raise StudyError(f"{name} must return a Keras model, not {_kind(model)}.")
    if not (isinstance(model, keras.Sequential) and model.built) and type(model).__name__ != "Functional":
        raise StudyError(
            f"{name} must return a Sequential or functional model that begins with a keras.Input, "
            f"not {'one without it' if isinstance(model, keras.Sequential) else _kind(model)}."
        )
    if model.compiled:
        raise StudyError(f"{name} returns a compiled model. Leave `compile` out: the comparison chooses the optimizer.")
    return model


def check(name: str, x: np.ndarray, classes: int, from_logits: bool = False) -> int:
    """Return the number of outputs of a model that takes rows of `x` (n, ...): `classes`, or one sigmoid for two.

    Raises StudyError unless the outputs are probabilities, or logits where the model is said to end in these.
    """
    model = _of_one_output(name, x)
    count = 1 if classes == 2 and model.output_shape == (None, 1) else classes
    if model.output_shape != (None, count):
        raise StudyError(
            f"{name} must end in one output for each of the {classes} classes, (None, {classes}), "
            f"not in {model.output_shape}."
        )
    if count == 1:
        _check_one_output(name, model, from_logits)
    outputs = _outputs(name, model, x)
    if count > 1:
        _check_probabilities(name, outputs, from_logits)
    elif (outputs < 0).any() or (outputs > 1).any():
        raise StudyError(f"The output of {name} is not a probability: end it in a sigmoid.")
    return count


def check_regression(name: str, x: np.ndarray, y: np.ndarray) -> None:
    """Raise StudyError unless a model takes rows of `x` (n, ...) and predicts numbers such as `y` (n, outputs)."""
    model, count = _of_one_output(name, x), y.shape[1]
    way_out = f"end it in Dense({count}) without an activation, or give classes, whole numbers or names."
    if model.output_shape != (None, count):
        raise StudyError(
            f"{name} must end in as many outputs as y_train has numbers in a row, (None, {count}), not in "
            f"{model.output_shape}: {way_out}"
        )
    outputs = _outputs(name, model, x)
    if np.allclose(outputs.sum(1), 1, atol=1e-3) and (outputs >= 0).all():
        raise StudyError(f"{name} ends in a softmax, and y_train holds numbers to predict: {way_out}")
    if getattr(model.layers[-1], "activation", None) is keras.activations.sigmoid and (y.min() < 0 or y.max() > 1):
        raise StudyError(
            f"{name} ends in a sigmoid, from 0 to 1, and y_train holds {y.min():g} to {y.max():g}: {way_out}"
        )


def _check_probabilities(name: str, outputs: np.ndarray, from_logits: bool) -> None:
    sums_to_one = np.allclose(outputs.sum(1), 1, atol=1e-3) and (outputs >= 0).all()
    if not sums_to_one and not from_logits:
        raise StudyError(f"The outputs of {name} are not probabilities: end it in a softmax, or say from_logits.")
    if sums_to_one and from_logits:
        raise StudyError(f"The outputs of {name} are probabilities already: leave out from_logits.")


def _check_one_output(name: str, model: keras.Model, from_logits: bool) -> None:
    """Refuse a softmax of one output, and logits: Keras counts accuracy above .5, which is wrong for a logit."""
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax:
        raise StudyError(f"The output of {name} is always 1, as a softmax of one output is: end it in a sigmoid.")
    if from_logits:
        raise StudyError(f"{name} has one output, which must be a probability: end it in a sigmoid, not in logits.")


def _of_one_output(name: str, x: np.ndarray) -> keras.Model:
    """Return what a function builds; raise StudyError unless it has one output, and one input for rows of `x`."""
    model = built(name)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        counts = f"{len(model.inputs)} and {len(model.outputs)}"
        raise StudyError(f"{name} must have one input and one output, not {counts}.")
    _check_input(name, model, x)
    return model


def _outputs(name: str, model: keras.Model, x: np.ndarray) -> np.ndarray:
    try:
        return keras.ops.convert_to_numpy(model(x[:ROWS]))
    except Exception as error:  # whatever its layers and the backend do
        raise StudyError(f"{name} fails on the first rows of x_train: {_line(error)}") from error


def _check_input(name: str, model: keras.Model, x: np.ndarray) -> None:
    expected = model.input_shape[1:]
    fits = len(expected) == x.ndim - 1 and all(e in (None, n) for e, n in zip(expected, x.shape[1:], strict=True))
    if not fits:
        raise StudyError(f"{name} takes rows of shape {expected}; those of x_train have shape {x.shape[1:]}.")
    for layer in model.layers:
        if isinstance(layer, keras.layers.Embedding) and layer.input is model.inputs[0]:
            _check_tokens(name, layer.input_dim, x)


def _check_tokens(name: str, size: int, x: np.ndarray) -> None:
    if x.min() < 0 or x.max() >= size:
        raise StudyError(f"The Embedding of {name} takes 0 to {size - 1}; x_train holds {x.min()} to {x.max()}.")


def _function(name: str) -> Callable[[], Any]:
    if name in _given:
        return _given[name]
    module, _, path = name.partition(":")
    try:
        found = importlib.import_module(module)
    except Exception as error:  # the user's own code
        raise StudyError(f"The module {module} cannot be imported: {_line(error)}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            near = did_you_mean(part, [each for each in dir(found) if callable(getattr(found, each))]) or "."
            raise StudyError(f"There is no {path} in the module {module} ({getattr(found, '__file__', module)}){near}")
        found = getattr(found, part)
    return _checked_function(name, found)


def _checked_function(name: str, given: object) -> Callable[[], Any]:
    if isinstance(given, keras.Model):  # which can be called, on inputs
        raise StudyError(
            f"{name} must be a function that builds the model, not a model ({type(given).__name__}): every fit needs a "
            "new one. Give the function that makes it, or lambda: keras.models.clone_model(MODEL)."
        )
    if not callable(given):
        raise StudyError(f"{name} must be a function that builds the model, not {_kind(given)}.")
    return given


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _line(error: Exception) -> str:
    """Return an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
