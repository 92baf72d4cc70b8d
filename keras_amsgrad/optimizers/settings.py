"""Settings of an optimizer: their ranges, and those that may follow a schedule of the step."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_amsgrad.checks import number
from keras_amsgrad.rules import Tensor

Variable = Any  # a keras.Variable, or a tf.Variable where TensorFlow distributes
Config = dict[str, Any]
Numbers = dict[str, Any]  # the numbers of one update: the keyword arguments of a rule, and `decay`
NewScalars = list[tuple[Variable, Tensor]]  # variables and what to assign to them
SCHEDULED = ("beta_1", "beta_2", "weight_decay", "other_learning_rate")  # besides the learning rate
LARGEST_OF = {"float32": 1.8e19, "float64": 1.3e154}  # gradients whose squares are still finite
Setting = float | Callable[..., Any]  # a number, or a schedule of the step


def acting_dtype() -> str:
    """Return the type in which the settings of an optimizer act: float32, or float64 where that is `floatx`."""
    return arithmetic_dtype(keras.config.floatx())


def positive(name: str, value: Any) -> float | None:
    return None if value is None else number(name, value, "a number > 0 or None", lambda x: x > 0, dtype=acting_dtype())


def checked_learning_rate(value: Any, name: str = "learning_rate") -> Setting:
    """Return a learning rate that Keras accepts: a float >= 0, or a schedule or callable as it is."""
    if callable(value) or isinstance(value, (dict, keras.Variable)):
        return value
    return number(name, value, "a number >= 0, a schedule or a callable", lambda x: x >= 0, acting_dtype())


def checked_beta(name: str, value: Any) -> Setting:
    """Return a decay rate as a float in [0, 1), or a callable of the step as it is."""
    if callable(value):
        return value
    allowed = "a number in [0, 1) or a callable of the step"
    return number(name, value, allowed, lambda x: 0 <= x < 1, dtype=acting_dtype())


def checked_keras_arguments(arguments: Config) -> Config:
    """Return the arguments of `keras.optimizers.Optimizer`, or refuse those that Keras would take and misread.

    Keras ignores a negative `clipnorm` and `clipvalue`, and takes any `weight_decay` and `loss_scale_factor`.
    """
    result = dict(arguments)
    for name in {"clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"} & set(arguments):
        result[name] = positive(name, arguments[name])
    decay = arguments.get("weight_decay")
    if decay is not None and not callable(decay):
        result["weight_decay"] = number(
            "weight_decay", decay, "a number >= 0, a callable of the step or None", lambda x: x >= 0, acting_dtype()
        )
    steps = arguments.get("gradient_accumulation_steps")
    if steps is not None:
        allowed = "an integer >= 2 or None"
        number("gradient_accumulation_steps", steps, allowed, lambda x: x == math.floor(x) and x >= 2)
    return result


def at_step(setting: Any, step: Tensor) -> Tensor:
    """Return the value of a setting at `step` = 0, 1, ...: that of its schedule, or the setting itself."""
    return setting(step) if callable(setting) else setting


def serialized(setting: Any) -> Any:
    """Return a setting as `get_config` holds it: a schedule as a dictionary, a number as it is."""
    return keras.saving.serialize_keras_object(setting) if callable(setting) else setting


def deserialized(config: Config, custom_objects: Config | None = None) -> Config:
    """Return a configuration with its schedules, besides the learning rate's, made from their dictionaries."""
    schedules = {
        name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
        for name in SCHEDULED
        if isinstance(config.get(name), dict)
    }
    return {**config, **schedules}


def shortest_float(variable: Tensor) -> float:
    """Return a scalar variable as the shortest decimal that rounds to it: .999 rather than .9990000128746033."""
    return float(str(ops.convert_to_numpy(variable)))


def arithmetic_dtype(dtype: Any) -> str:
    """Return the type in which an update of weights of type `dtype` is computed and its slots are kept.

    At least float32: in bfloat16 a beta of .999 is 1, in float16 a squared gradient of 1e-4 is 0.

    >>> arithmetic_dtype("bfloat16"), arithmetic_dtype("float64")
    ('float32', 'float64')
    """
    dtype = keras.backend.standardize_dtype(dtype)
    return "float64" if dtype == "float64" else "float32"
