"""The state of an optimizer in a file: every value by name, with the settings it belongs to.

Keras stores an optimizer's variables by position, and loads the state of another optimizer into whatever stands at the
same place. Here a value is stored as `iteration`, `beta_1`, ... or `<slot>.<number of the weight>.<its name>`, next to
a header with the format's version, the class and its settings; what does not fit is refused before anything is loaded.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, NoReturn

import keras
import numpy as np

from keras_amsgrad.optimizers.settings import Config, Variable

if TYPE_CHECKING:
    from keras_amsgrad.optimizers.base import RuleOptimizer

Store = MutableMapping[str, Any]  # a group of an HDF5 file, or a dictionary

VERSION = 1
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
        slots["average"] = optimizer._model_variables_moving_average
    if optimizer.gradient_accumulation_steps:
        slots["gradient_accumulator"] = optimizer._accumulated_gradients
    return slots


def named_slots(optimizer: RuleOptimizer) -> dict[str, Variable]:
    """Return {name: variable} of all that belongs to a weight."""
    weights = optimizer._trainable_variables
    return {
        f"{slot}.{i}.{leaf_name(weights[i])}": variable
        for slot, variables in slots_of(optimizer).items()
        for i, variable in enumerate(variables)
        if variable is not None
    }


def named_scalars(optimizer: RuleOptimizer) -> dict[str, Variable]:
    """Return {name: variable} of all that belongs to the optimizer as a whole."""
    of_weights = {id(variable) for variable in named_slots(optimizer).values()}
    return {variable.name: variable for variable in optimizer.variables if id(variable) not in of_weights}


def settings(optimizer: RuleOptimizer) -> Config:
    """Return the settings that give the state its meaning: those of our own classes, not Keras's, as in JSON."""
    ours = optimizer.get_config()
    of_keras = keras.optimizers.Optimizer.get_config(optimizer)
    kept = {name: comparable(value) for name, value in ours.items() if name not in of_keras}
    for name in ("use_ema", "gradient_accumulation_steps"):
        kept[name] = ours[name]
    return json.loads(json.dumps(kept))


def comparable(value: Any) -> Any:
    """Return a setting as it can be compared: of a plain function only that it is one, for its code has no identity."""
    is_function = isinstance(value, dict) and value.get("class_name") in ("function", "__lambda__")
    return "a function" if is_function else value


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
    check_header(optimizer, store, names)
    scalars = named_scalars(optimizer)
    values = {name: np.asarray(store[name]) for name in names - {HEADER}}
    check_names(optimizer, set(scalars), {name for name in values if "." not in name})
    slots = {name: value for name, value in values.items() if name not in scalars}
    if optimizer.built:
        load_slots(optimizer, slots)
    else:
        optimizer._pending_state = slots
    for name, variable in scalars.items():
        variable.assign(values[name])


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


def check_header(optimizer: RuleOptimizer, store: Store, names: set[str]) -> None:
    if HEADER not in names:
        refuse(optimizer, "it was not written by keras_amsgrad")
    saved = json.loads(np.asarray(store[HEADER]).tobytes().decode())
    if saved["version"] != VERSION:
        refuse(optimizer, f"its format is version {saved['version']}, this package reads version {VERSION}")
    if saved["class"] != type(optimizer).__name__:
        refuse(optimizer, f"it belongs to {saved['class']}, this is {type(optimizer).__name__}")
    here = settings(optimizer)
    different = sorted(name for name in {*here, *saved["settings"]} if here.get(name) != saved["settings"].get(name))
    if different:
        both = [f"{name}={saved['settings'].get(name)!r} there and {here.get(name)!r} here" for name in different]
        refuse(optimizer, "; ".join(both))


def check_names(optimizer: RuleOptimizer, here: set[str], there: set[str]) -> None:
    if here != there:
        missing, unknown = sorted(here - there)[:3], sorted(there - here)[:3]
        refuse(optimizer, f"it is of another model or setting: missing there {missing}, unknown here {unknown}")


def refuse(optimizer: RuleOptimizer, reason: str) -> NoReturn:
    raise ValueError(f"The saved state does not fit optimizer '{optimizer.name}', and nothing was loaded: {reason}.")
