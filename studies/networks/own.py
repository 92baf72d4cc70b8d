"""Models that a user brings: found by name, and told apart by what they are."""

import importlib
import re
import sys
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras

from studies.errors import StudyError, did_you_mean
from studies.networks.fingerprint import fingerprint, is_built
from studies.networks.parts import Parts


@dataclass(frozen=True, eq=False)
class OwnNetwork:
    """A network by its identity: what builds it, what every build has, and what it is trained with."""

    build: Callable[[], Any]
    fixed: dict[str, str]
    parts: Parts


USUAL = Parts()
# Functions that came as objects, by name: those of a notebook cannot be imported.
_given: dict[str, Callable[[], Any]] = {}
# By identity.
_networks: dict[str, OwnNetwork] = {}


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


def identified(name: str, rows: Any = None, parts: Parts = USUAL) -> str:
    """Return "MODULE:FUNCTION@HASH" for a function: with what it builds, so that a changed model is another.

    Where something in the model cannot be told from another of its kind, the identity is good for this run only.
    `rows` are inputs as Keras takes them, for models that are built when they first see some.
    """
    build = _function(name)  # imported before any seed is set: a module may draw random numbers while it is imported
    found = fingerprint(name, lambda: built(name, rows), parts.pieces())
    identity = f"{name}@{found.hash_}"
    if found.unknown:
        identity += f"+{uuid.uuid4().hex[:10]}"
        more = f", and {len(found.unknown) - 1} more" if len(found.unknown) > 1 else ""
        print(
            f"studies: {name} is trained anew in every run, for a change in it could not be seen: "
            f"{found.unknown[0]}{more}.",
            file=sys.stderr,
        )
    _networks[identity] = OwnNetwork(build, found.fixed, parts)
    return identity


def known(identities: Iterable[str]) -> dict[str, OwnNetwork]:
    """Return the networks of some identities, for another process to `know`."""
    return {identity: _networks[identity] for identity in identities if identity in _networks}


def know(networks: dict[str, OwnNetwork]) -> None:
    """Take networks that another process has identified."""
    _networks.update(networks)


def network(identity: str, rows: Any = None) -> keras.Model:
    """Return a new network by its identity; raise StudyError where its function builds another now."""
    name, own = identity.rpartition("@")[0], _networks[identity]
    model = _built(name, own.build, rows)
    if not is_built(model, own.fixed):
        raise StudyError(f"{name} does not build the same model every time: it changed while the fits were made.")
    return model


def parts(identity: str) -> Parts:
    """Return what the network of an identity is trained with; nothing of its own where it is the project's."""
    return _networks[identity].parts if identity in _networks else USUAL


def built(name: str, rows: Any = None) -> keras.Model:
    """Return what a function builds, a Keras model. One without a keras.Input sees `rows` to be built."""
    return _built(name, _function(name), rows)


def _built(name: str, build: Callable[[], Any], rows: Any) -> keras.Model:
    try:
        model = build()
    except StudyError:
        raise
    except Exception as error:  # the user's own code
        raise StudyError(f"{name} fails: {line_of(error)}") from error
    if not isinstance(model, keras.Model):
        raise StudyError(f"{name} must return a Keras model, not {_kind(model)}.")
    if not model.built and rows is not None:
        try:
            model(rows)
        except Exception as error:  # whatever its layers and the backend do
            raise StudyError(f"{name} fails on the first rows of x_train: {line_of(error)}") from error
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
    """Return an error in one line, without the colours that Keras puts into some."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    return f"{type(error).__name__}: {' '.join(text.split())[:300]}"
