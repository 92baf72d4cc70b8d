"""The state of an optimizer in a file: every value by name, with the settings it belongs to.

Keras stores an optimizer's variables by position, and loads the state of another optimizer into whatever stands at the
same place. Here a value is stored as `iteration`, `beta_1`, ... or `<slot>.<number of the weight>.<its name>`, next to
a header with the format's version, the class and its settings; what does not fit is refused before anything is loaded.

Only weights with slots are numbered: those that Keras overwrites with their gradient (the scales of float8 layers)
stand elsewhere in a model that was loaded. Version 1 numbered all of them, and kept no `..._rest` of running products.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, NoReturn

import keras
import numpy as np

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers.settings import Config, Variable

if TYPE_CHECKING:
    from keras_amsgrad.optimizers.base import RuleOptimizer

Store = MutableMapping[str, Any]  # a group of an HDF5 file, or a dictionary

VERSION = 2
READABLE = (1, 2)
HEADER = "header"


def leaf_name(variable: Variable) -> str:
    """Return the last part of a weight's name, `kernel` of `sequential/dense_1/kernel`.

    Layer names are often numbered automatically and so differ between two builds of one model; the last part does not.
    """
    name = getattr(variable, "path", None) or variable.name
    return str(name).split("/")[-1].split(":")[0]


def slots_of(optimizer: RuleOptimizer) -> dict[str, list[Variable | None]]:
    """Return {slot: one variable, or None, per weight}, with the moving average and the accumulated gradients."""
    if not optimizer.built:
        return {}
    slots = dict(zip(optimizer.slots, optimizer._slots, strict=True))
    if optimizer.use_ema:
        slots["average"] = keras_internals.averages(optimizer)
    if optimizer.gradient_accumulation_steps:
        slots["gradient_accumulator"] = keras_internals.accumulated_gradients(optimizer)
    return slots


def named_slots(optimizer: RuleOptimizer) -> dict[str, Variable]:
    """Return {name: variable} of all that belongs to a weight."""
    if not optimizer.built:
        return {}
    places = numbers_of_weights([slot is not None for slot in optimizer._slots[0]])
    names = [f"{place}.{leaf_name(w)}" for place, w in zip(places, keras_internals.weights(optimizer), strict=True)]
    return {
        f"{slot}.{name}": variable
        for slot, variables in slots_of(optimizer).items()
        for name, variable in zip(names, variables, strict=True)
        if variable is not None
    }


def numbers_of_weights(have_slots: list[bool]) -> list[str]:
    """Return the number of each weight, counted apart for those with and without slots.

    >>> numbers_of_weights([False, True, False, True])
    ['overwritten-0', '0', 'overwritten-1', '1']
    """
    prefixes = ["" if has else "overwritten-" for has in have_slots]
    return [f"{prefix}{prefixes[:i].count(prefix)}" for i, prefix in enumerate(prefixes)]


def named_scalars(optimizer: RuleOptimizer) -> dict[str, Variable]:
    """Return {name: variable} of all that belongs to the optimizer as a whole."""
    of_weights = {id(variable) for variable in named_slots(optimizer).values()}
    return {variable.name: variable for variable in optimizer.variables if id(variable) not in of_weights}


def settings(optimizer: RuleOptimizer) -> Config:
    """Return the settings that give the state its meaning: those of our own classes, not Keras's, as in JSON."""
    ours = optimizer.get_config()
    of_keras = keras.optimizers.Optimizer.get_config(optimizer)
    kept = {name: comparable(name, value) for name, value in ours.items() if name not in of_keras}
    for name in ("use_ema", "gradient_accumulation_steps"):
        kept[name] = ours[name]
    return json.loads(json.dumps(kept))


def comparable(name: str, value: Any) -> Any:
    """Return a setting as it can be compared: of a plain function only that it is one, for its code has no identity."""
    if name == "other_learning_rate" and isinstance(value, float):
        return "a number"  # as the learning rate, which is part of the state
    is_function = isinstance(value, dict) and value.get("class_name") in ("function", "__lambda__")
    return "a function" if is_function else value


def unpickled(cls: type[RuleOptimizer], config: Config, store: Store) -> RuleOptimizer:
    """Return the optimizer that was pickled: `cls` with its settings and state."""
    optimizer = cls.from_config(config)
    optimizer.load_own_variables(store)
    return optimizer


def with_rests(optimizer: RuleOptimizer, values: list[Any]) -> list[Any]:
    """Return the values of all variables, or raise ValueError; a version without `..._rest` variables had fewer."""
    names = [variable.name for variable in optimizer.variables]
    rests = [i for i, name in enumerate(names) if name.endswith("_product_rest")]
    if len(values) == len(names) - len(rests):
        for i in rests:
            values.insert(i, np.zeros(()))
    if optimizer.built and len(values) != len(names):
        raise ValueError(f"`weights` must hold the {len(names)} values of `variables`. Received: {len(values)}")
    return values


def save(optimizer: RuleOptimizer, store: Store) -> None:
    header = {"version": VERSION, "class": type(optimizer).__name__, "settings": settings(optimizer)}
    store[HEADER] = np.frombuffer(json.dumps(header).encode(), dtype="uint8")
    for name, variable in {**named_scalars(optimizer), **named_slots(optimizer)}.items():
        store[name] = keras.ops.convert_to_numpy(variable)


def load(optimizer: RuleOptimizer, store: Store) -> None:
    """Load what `save` stored, or raise ValueError and leave the optimizer as it was.

    The slots of an optimizer that is not built yet wait until it is. The state of an optimizer that never saw its
    weights is that of a fresh one: slots of zeros.
    """
    names = set(store.keys())
    if not names:
        warnings.warn(f"The file holds no state for optimizer '{optimizer.name}', which stays as it is.", stacklevel=2)
        return
    version = check_header(optimizer, store, names)
    scalars = named_scalars(optimizer)
    values = {name: np.asarray(store[name]) for name in names - {HEADER}}
    if version == 1:
        values = of_version_2(values, scalars)
    check_names(optimizer, set(scalars), {name for name in values if "." not in name})
    slots = {name: value for name, value in values.items() if name not in scalars}
    if optimizer.built:
        load_slots(optimizer, slots)
    else:
        optimizer._pending_state = slots
    for name, variable in scalars.items():
        variable.assign(values[name])


def of_version_2(values: dict[str, np.ndarray], scalars: dict[str, Variable]) -> dict[str, np.ndarray]:
    """Return the values of a file of version 1 under the names of version 2."""
    parts = {name: name.split(".", 2) for name in values if "." in name}
    with_slots = {int(i) for slot, i, _ in parts.values() if slot != "gradient_accumulator"}
    indices = sorted({int(i) for _, i, _ in parts.values()})
    places = dict(zip(indices, numbers_of_weights([i in with_slots for i in indices]), strict=True))
    renamed = {f"{slot}.{places[int(i)]}.{leaf}": values[name] for name, (slot, i, leaf) in parts.items()}
    rests = {name: np.zeros((), scalars[name].dtype) for name in scalars if name.endswith("_rest")}
    return {**rests, **{name: value for name, value in values.items() if name not in parts}, **renamed}


def load_pending(optimizer: RuleOptimizer) -> None:
    """Load the slots that came before the optimizer was built."""
    slots, optimizer._pending_state = optimizer._pending_state, None
    if slots is not None:
        load_slots(optimizer, slots)


def load_slots(optimizer: RuleOptimizer, values: dict[str, np.ndarray]) -> None:
    variables = named_slots(optimizer)
    if not values:
        values = {name: np.zeros(variable.shape, variable.dtype) for name, variable in variables.items()}
    check_names(optimizer, set(variables), set(values))
    for name, variable in variables.items():
        if tuple(variable.shape) != values[name].shape:
            refuse(optimizer, f"`{name}` has shape {values[name].shape} there and {tuple(variable.shape)} here")
    for name, variable in variables.items():
        variable.assign(values[name])


def check_header(optimizer: RuleOptimizer, store: Store, names: set[str]) -> int:
    """Return the version of the format in which `store` was written, or raise if it is not for `optimizer`."""
    if HEADER not in names:
        refuse(optimizer, "it was not written by keras_amsgrad")
    saved = json.loads(np.asarray(store[HEADER]).tobytes().decode())
    if saved["version"] not in READABLE:
        allowed = " and ".join(map(str, READABLE))
        refuse(optimizer, f"its format is version {saved['version']}, this package reads versions {allowed}")
    if saved["class"] != type(optimizer).__name__:
        refuse(optimizer, f"it belongs to {saved['class']}, this is {type(optimizer).__name__}")
    here = settings(optimizer)
    different = sorted(name for name in {*here, *saved["settings"]} if here.get(name) != saved["settings"].get(name))
    if different:
        both = [f"{name}={saved['settings'].get(name)!r} there and {here.get(name)!r} here" for name in different]
        refuse(optimizer, "; ".join(both))
    return saved["version"]


def check_names(optimizer: RuleOptimizer, here: set[str], there: set[str]) -> None:
    if here != there:
        missing, unknown = sorted(here - there)[:3], sorted(there - here)[:3]
        refuse(optimizer, f"it is of another model or setting: missing there {missing}, unknown here {unknown}")


def refuse(optimizer: RuleOptimizer, reason: str) -> NoReturn:
    raise ValueError(f"The saved state does not fit optimizer '{optimizer.name}', and nothing was loaded: {reason}.")
