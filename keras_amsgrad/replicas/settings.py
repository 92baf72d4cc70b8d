"""The optimizers of replicas: what must be equal within one program, and the numbers that may differ."""

import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_amsgrad.optimizers import RuleOptimizer

# The numbers of an optimizer that may differ within a program. Whether it corrects the bias counts as 1 or 0.
NUMBERS = ("learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay", "bias_correction")
LEFT_ALONE = {
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


def check_optimizer(optimizer: RuleOptimizer) -> None:
    """Raise unless the engine can run `optimizer`: a rule of this package that works weight by weight.

    Raises:
        TypeError: Another kind of optimizer.
        ValueError: A setting of Keras that the engine does not know.
    """
    name = type(optimizer).__name__
    if not isinstance(optimizer, RuleOptimizer) or not optimizer.pure:
        raise TypeError(
            "`optimizer` must be one of keras_amsgrad whose step follows from a weight's own gradient and slots (Adam, "
            "AMSGrad, AdaMax, Nadam with `momentum_decay=None`). "
            f"Received: {name}. Train it with `model.fit` or scikit-learn's GridSearchCV."
        )
    config = optimizer.get_config()
    for setting, allowed in LEFT_ALONE.items():
        if config.get(setting, allowed) != allowed:
            raise ValueError(
                f"`{setting}` of {name} must be {allowed} for replicas. Received: {setting}={config[setting]!r}. "
                "Train it with `model.fit` or scikit-learn's GridSearchCV."
            )
    for setting in ("learning_rate", "beta_1", "beta_2"):
        _check_number_or_schedule(name, setting, number_or_schedule(optimizer, setting))


def _check_number_or_schedule(name: str, setting: str, value: Any) -> None:
    schedules = keras.optimizers.schedules.LearningRateSchedule
    if not isinstance(value, (float, schedules)):
        raise ValueError(
            f"`{setting}` of {name} must be a number or a LearningRateSchedule for replicas. "
            f"Received: {setting}={value!r}"
        )


def number_or_schedule(optimizer: RuleOptimizer, setting: str) -> Any:
    """Return one of `NUMBERS` as a float, or as the schedule that it is; no weight decay is 0."""
    if setting == "learning_rate":
        value = optimizer._learning_rate  # the property would already have asked the schedule
        return float(ops.convert_to_numpy(value)) if isinstance(value, keras.Variable) else value
    value = getattr(optimizer, setting)
    if callable(value):
        return value
    return 0.0 if value is None else float(value)


def program_key(optimizer: RuleOptimizer) -> tuple[Any, ...]:
    """Return what two optimizers must share to run in one program: all but their numbers."""
    config = {key: value for key, value in optimizer.get_config().items() if key not in (*NUMBERS, "name")}
    # A schedule or a decay is part of the program; their numbers are not.
    scheduled = [callable(number_or_schedule(optimizer, setting)) for setting in _numbers_of(optimizer)]
    return type(optimizer), json.dumps(config, default=repr), str(scheduled), bool(optimizer.weight_decay)


def _numbers_of(optimizer: RuleOptimizer) -> list[str]:
    return [setting for setting in NUMBERS if hasattr(optimizer, setting)]


def columns(optimizers: Sequence[RuleOptimizer]) -> dict[str, np.ndarray]:
    """Return {setting: float32 array (replicas,)} of all settings that are numbers; schedules are left out."""
    values = {setting: [number_or_schedule(o, setting) for o in optimizers] for setting in _numbers_of(optimizers[0])}
    return {
        setting: np.array(numbers, "float32") for setting, numbers in values.items() if not any(map(callable, numbers))
    }


def scheduled(optimizers: Sequence[RuleOptimizer]) -> dict[str, list[Any]]:
    """Return {setting: one schedule for each replica} of the settings that are schedules."""
    values = {setting: [number_or_schedule(o, setting) for o in optimizers] for setting in _numbers_of(optimizers[0])}
    return {setting: schedules for setting, schedules in values.items() if all(map(callable, schedules))}
