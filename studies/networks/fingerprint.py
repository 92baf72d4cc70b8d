"""What tells a network from others: its layers, the initial weights that no seed decides, and code that is not Keras's.

A model is built three times, twice under one seed and once under another. What differs under the same seed is no model
to compare optimizers on; what differs only from seed to seed is decided by the seed, and left out.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_amsgrad.descriptions import Description, digest_of
from keras_amsgrad.replicas import random_state
from studies.errors import StudyError

SEEDS = (0, 0, 1)
Pieces = dict[str, str]  # of a model, by path


class Fingerprint(NamedTuple):
    """A network's identity.

    `hash_` stands for everything fixed and Keras's version (3.15, say), `fixed` are the pieces that every build has,
    `unknown` are reasons.
    """

    hash_: str
    fixed: Pieces
    unknown: tuple[str, ...]


class Anatomy(NamedTuple):
    """A model taken apart: `model` and `code` are pieces by path, `unknown` reasons, `internal` paths inside Keras."""

    model: Pieces
    code: Pieces
    unknown: Pieces
    internal: set[str]


def fingerprint(name: str, build: Callable[[], keras.Model], others: dict[str, Any] | None = None) -> Fingerprint:
    """Return the `Fingerprint` of what `build` returns; the process's random state stays as it is.

    `others` are values that belong to the network beside the model, by name: a loss, say.

    Raises StudyError where builds under the same seed differ, or where the seed decides more than weights.
    """
    with random_state.preserved():
        first, again, other = (_under(seed, build) for seed in SEEDS)
    _check_same(name, first.model, again.model, "under the same seed")
    _check_same(name, _shape(first.model), _shape(other.model), "from seed to seed")
    fixed, code = _common(first.model, other.model), _common(first.code, again.code, other.code)
    unknown = first.unknown | {
        path: f"{path.partition('/')[0]} holds values that differ from one build to the next"
        for path, piece in first.code.items()
        if again.code.get(path) != piece and path not in first.internal
    }
    beside = Description()
    for part, value in (others or {}).items():
        beside.add(part, value)
    code, unknown = code | beside.pieces, unknown | beside.unknown
    keras_version = keras.__version__.split(".")[:2]  # another one may compute other numbers
    text = json.dumps([keras_version, sorted(first.model), sorted(fixed.items()), sorted(code.items())])
    return Fingerprint(hashlib.sha256(text.encode()).hexdigest()[:10], fixed, tuple(dict.fromkeys(unknown.values())))


def is_built(model: keras.Model, fixed: Pieces) -> bool:
    """Return whether a model has the pieces that are the same in every build of a network."""
    return fixed.items() <= anatomy(model).model.items()


def _under(seed: int, build: Callable[[], keras.Model]) -> Anatomy:
    keras.utils.set_random_seed(seed)
    return anatomy(build())


def _check_same(name: str, pieces: Pieces, others: Pieces, when: str) -> None:
    differing = [path for path in {**pieces, **others} if pieces.get(path) != others.get(path)]
    if differing:
        raise StudyError(
            f"{name} does not build the same model every time: its {differing[0]} "
            f"{'differ' if differing[0].startswith('layers') else 'differs'} {when}."
        )


def _shape(pieces: Pieces) -> Pieces:
    """Return the pieces of a model that no seed may decide: its layers, and which weights it has."""
    return {path: piece if path.startswith("layers") else "" for path, piece in pieces.items()}


def _common(first: Pieces, *others: Pieces) -> Pieces:
    return {path: piece for path, piece in first.items() if all(each.get(path) == piece for each in others)}


def anatomy(model: keras.Model) -> Anatomy:
    """Return the pieces of a model."""
    parts = _parts(model)
    positions = {id(part): f"layer {k}" for k, part in enumerate(parts)}
    positions |= {id(weight): f"weight {k}" for k, weight in enumerate(model.weights)}
    of_model, code = _weights(model), Description(positions)
    for path, part in _configured(model).items():
        try:
            config = keras.saving.serialize_keras_object(part)
            text = json.dumps(canonical(config, {}), default=repr)
            of_model[path] = hashlib.sha256(text.encode()).hexdigest()
        except Exception as error:  # what a layer's own get_config does
            text = " ".join(str(error).split())[:200]
            code.unknown[path] = f"its configuration cannot be read, for want of a get_config perhaps ({text})"
    for k, part in enumerate(parts):
        _describe(code, f"layer {k} ({type(part).__name__})", part)
    for k, weight in enumerate(model.weights):
        for name in ("regularizer", "constraint"):
            code.add(f"weight {k}/{name}", getattr(weight, name, None))
    return Anatomy(of_model, code.pieces, code.unknown, code.internal)


def _parts(model: keras.Model) -> list[keras.Operation]:
    """Return the model, its layers and its operations, and those of models in it, each once."""
    layers = [model, *model._flatten_layers(include_self=False)]
    operations = [each for layer in layers for each in getattr(layer, "operations", ())]
    return list({id(part): part for part in [*layers, *operations]}.values())


def _configured(model: keras.Model) -> dict[str, keras.Layer]:
    """Return what has a configuration that says how it computes, by path.

    That of a subclassed model says nothing: its code, which is described beside, calls the layers that it holds.
    """
    if has_graph(model):
        return {"layers": model}
    layers = list(model._flatten_layers(include_self=False))
    return {f"layers of part {k}": each for k, each in enumerate(layers) if type(each).__module__.startswith("keras.")}


def has_graph(model: keras.Model) -> bool:
    """Return whether a model's configuration says how it computes: of a Sequential or functional model."""
    return isinstance(model, keras.Sequential) or type(model).__name__ == "Functional"


def _weights(model: keras.Model) -> Pieces:
    found = {}
    for k, weight in enumerate(model.weights):
        array = keras.ops.convert_to_numpy(weight)
        trained = "trainable" if weight.trainable else "frozen"
        found[f"weight {k} ({trained}, {weight.dtype} {array.shape})"] = digest_of(array)
    return found


def _describe(code: Description, path: str, part: keras.Operation) -> None:
    kind = type(part)
    if isinstance(part, keras.Model) and kind.__module__.startswith("keras."):
        return  # its layers are parts
    code.layer(path, part)
    if not isinstance(part, keras.Layer):  # an operation: what it was called with may be a function
        for k, node in enumerate(part._inbound_nodes):
            called = [*node.arguments.args, *node.arguments.kwargs.values()]
            code.add(f"{path}/called {k}", [each for each in called if callable(each)])
    elif hasattr(part, "save_assets"):
        code.add(f"{path}/assets", _assets(part))
    if isinstance(part, keras.Layer) and not part.weights:  # boundaries of a Discretization, say
        store: dict[str, object] = {}
        part.save_own_variables(store)
        code.add(f"{path}/state", {name: np.asarray(value) for name, value in store.items()})


def _assets(layer: keras.Layer) -> dict[str, bytes]:
    """Return the files that Keras would store for a layer, a vocabulary say: {name: bytes}."""
    with tempfile.TemporaryDirectory() as folder:
        layer.save_assets(folder)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def canonical(config: Any, places: dict[str, int]) -> Any:
    """Return a configuration without the names of layers and operations; references to them by `places`, {name: place}.

    Names are left out where a configuration names a layer, and nowhere else: an activation may have the same name.
    """
    if isinstance(config, (list, tuple)):
        return [canonical(each, places) for each in config]
    if not isinstance(config, dict):
        return digest_of(config) if isinstance(config, np.ndarray) else config
    kind, content = config.get("class_name"), config.get("config") or {}
    if kind == "__keras_tensor__":
        return {**config, "config": content | {"keras_history": _reference(content["keras_history"], places)}}
    if kind == "__lambda__":
        return kind  # the function itself is described with its layer
    if "input_layers" in config and "output_layers" in config:
        places = {layer["name"]: k for k, layer in enumerate(config["layers"])}
        ends = {name: _reference(config[name], places) for name in ("input_layers", "output_layers")}
        config = config | ends
    if isinstance(content, dict) and "name" in content and "DTypePolicy" not in str(kind):
        config = {name: value for name, value in config.items() if name != "name"}
        config["config"] = {name: value for name, value in content.items() if name != "name"}
    return {str(name): canonical(value, places) for name, value in config.items()}


def _reference(ends: Any, places: dict[str, int]) -> Any:
    """Return [name, node, tensor], or such lists in lists or dicts, with the layer's place for its name."""
    if isinstance(ends, dict):
        return {name: _reference(each, places) for name, each in ends.items()}
    if len(ends) == 3 and isinstance(ends[0], str):
        return [places[ends[0]], *ends[1:]]
    return [_reference(each, places) for each in ends]
