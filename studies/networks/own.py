"""Models that a user brings: found by name, and told apart by what they are."""

import importlib
import sys
import uuid
from collections.abc import Callable
from typing import Any

import keras

from studies.errors import StudyError, did_you_mean
from studies.networks.fingerprint import Fingerprint, fingerprint, is_built

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
        raise StudyError(f"{name} fails: {line_of(error)}") from error
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


def _function(name: str) -> Callable[[], Any]:
    if name in _given:
        return _given[name]
    module, _, path = name.partition(":")
    try:
        found = importlib.import_module(module)
    except Exception as error:  # the user's own code
        raise StudyError(f"The module {module} cannot be imported: {line_of(error)}") from error
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


def line_of(error: Exception) -> str:
    """Return an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
