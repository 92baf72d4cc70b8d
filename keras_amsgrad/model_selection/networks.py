"""Which networks are equal, so that fits of them share a program."""

import hashlib
import json
from collections.abc import Hashable
from typing import Any

import keras
from keras import ops

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.replicas.settings import pure_form
from keras_amsgrad.replicas.strengths import without_strengths

ROWS = 4  # on which the outputs of two networks are compared
PLAIN = (int, float, str, bool, type(None))


def network_key(model: keras.Model, rows: Any) -> Hashable:
    """Return what two networks share if they are equal, whatever their layers and variables are called.

    Compared are configuration, the values of all variables (build both after the same `set_random_seed`), the plain
    attributes of layers that are not Keras's own, and, because a configuration holds no more of a function than its
    name, the outputs and penalties for some `rows` of inputs. Not compared are the numbers that
    `keras_amsgrad.replicas.strengths` lists: rates of Dropout layers, penalties of weights.

    >>> def network(units, name=None):
    ...     keras.utils.set_random_seed(0)
    ...     return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, name=name)])
    >>> x = keras.ops.eye(2)
    >>> network_key(network(3), x) == network_key(network(3, "other"), x) != network_key(network(4), x)
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    for variable in model.variables:
        digest.update(ops.convert_to_numpy(ops.cast(variable, _readable(variable.dtype))).tobytes())
    penalties = tuple(part_key(layer.activity_regularizer) for layer in keras_internals.all_layers(model))
    with without_strengths(model):
        for output in [*keras.tree.flatten(model(rows, training=False)), *model.losses]:
            digest.update(ops.convert_to_numpy(ops.cast(output, "float32")).tobytes())
        return type(model), configuration(model), penalties, digest.hexdigest()


def _readable(dtype: str) -> str:
    return "float32" if dtype.startswith(("bfloat", "float8")) else dtype


def configuration(model: keras.Model) -> str:
    """Return the configuration of a network as text, with layers named by their place in it."""
    layers = keras_internals.all_layers(model)
    places = {layer.name: f"layer {i}" for i, layer in enumerate([model, *layers])}
    own = [
        {name: value for name, value in vars(layer).items() if isinstance(value, PLAIN) and "name" not in name}
        for layer in layers
        if not type(layer).__module__.startswith("keras.")
    ]
    return json.dumps(_renamed([model.get_config(), own], places), default=repr, sort_keys=True)


def _renamed(config: Any, places: dict[str, str]) -> Any:
    if isinstance(config, dict):
        return {str(name): _renamed(value, places) for name, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [_renamed(value, places) for value in config]
    return places.get(config, config) if isinstance(config, str) else config


def part_key(part: Any) -> Hashable:
    """Return what two losses, metrics or callbacks, or lists of them, share if they act alike.

    Objects of Keras are compared by class and settings; functions and objects of others are themselves only.

    >>> part_key(keras.losses.Huber(2.0)) == part_key(keras.losses.Huber(2.0)) != part_key(keras.losses.Huber(3.0))
    True
    """
    if isinstance(part, (list, tuple)):
        return tuple(part_key(each) for each in part)
    if isinstance(part, dict):
        return tuple((name, part_key(each)) for name, each in part.items())
    if isinstance(part, PLAIN):
        return type(part), part
    if not type(part).__module__.startswith("keras."):
        return id(part)
    if isinstance(part, keras.callbacks.Callback):
        return type(part), tuple((name, part_key(value)) for name, value in vars(part).items())
    return _configured(part)


def optimizer_key(optimizer: Any) -> Hashable:
    """Return what two optimizers of replicas share if they make the same updates.

    >>> adam = keras.optimizers.Adam
    >>> optimizer_key(adam(0.1)) == optimizer_key(adam(0.1, name="other")) != optimizer_key(adam(0.2))
    True
    """
    form = pure_form(optimizer)
    numbers = ((name, _configured(value) if callable(value) else value) for name, value in form.numbers.items())
    return form.key, tuple(numbers)


def _configured(part: Any) -> Hashable:
    """Return class, configuration and plain attributes: a configuration of Keras need not hold all arguments."""
    attributes = vars(part)
    function = attributes.get("fn", attributes.get("_fn"))
    if function is not None and not getattr(function, "__module__", "").startswith("keras."):
        return id(part)
    plain = tuple((name, value) for name, value in attributes.items() if isinstance(value, PLAIN))
    config = part.get_config() if hasattr(part, "get_config") else {}
    return type(part), json.dumps(config, default=repr, sort_keys=True), plain, part_key(attributes.get("_fn_kwargs"))
