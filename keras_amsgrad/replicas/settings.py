"""The optimizers of replicas: what must be equal within one program, and the numbers that may differ."""

import dataclasses
import json
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers import RuleOptimizer
from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.keras_rules import RULES, Rule, keras_rule
from keras_amsgrad.rules import Step

# The numbers of our own rules. Whether one corrects the bias counts as 1 or 0.
OWN_NUMBERS = ("beta_1", "beta_2", "epsilon", "bias_correction")
CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")  # the first that is set acts, as in Keras
LEFT_ALONE = ("loss_scale_factor", "gradient_accumulation_steps")
# What `get_config` holds of every optimizer.
OF_ALL = (
    *("name", "learning_rate", "weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency"),
    *CLIPPING,
    *LEFT_ALONE,
)

LARGEST = float(np.finfo("float32").max)

# Why mixed_float16 is refused. After an overflow dynamic loss scaling skips an update, so that replicas of one program
# would no longer be at the same update.
LOSS_SCALING = (
    "Keras scales the loss of mixed_float16 models dynamically, which replicas cannot do. Use mixed_bfloat16, or train "
    "with `model.fit` or scikit-learn's GridSearchCV."
)


@dataclasses.dataclass(frozen=True, eq=False)
class PureForm:
    """An optimizer as the engine runs it.

    Attributes:
        key: Hashable; equal for optimizers that can run in one program, each with its own numbers.
        step: The rule's step; see `Rule`.
        slots: {name: initial value} of what belongs to a weight, in the order in which `step` takes it.
        numbers: {name: float, or a schedule of the update 0, 1, ...}: those of `step`, "weight_decay" (0 for none) and,
            where it is used, the one that `clip` names and "ema_momentum".
        clip: "clipnorm", "global_clipnorm", "clipvalue" or None.
        decays: Whether weights decay.
        not_decayed: A regular expression that finds the names of weights that do not decay, or None.
        averages: Whether the average of every weight is kept and is its final value.
        overwrites_every: The number of updates after which the averages replace the weights, or None.
    """

    key: Hashable
    step: Callable[..., Step]
    slots: dict[str, float]
    numbers: dict[str, Any]
    clip: str | None
    decays: bool
    not_decayed: str | None
    averages: bool
    overwrites_every: int | None

    @property
    def arrays(self) -> int:
        """How many arrays of the size of a weight are kept beside it."""
        return len(self.slots) + self.averages


def pure_form(optimizer: Any) -> PureForm:
    """Return the pure form of an optimizer: of Keras's own by their rules, of this package's by their `step`.

    Raises:
        UnsupportedError: Another kind of optimizer, or a setting of Keras that the engine does not know.
    """
    name, rule = type(optimizer).__name__, _rule(optimizer)
    for setting in LEFT_ALONE:
        if (value := getattr(optimizer, setting)) is not None:
            raise UnsupportedError(
                f"`{setting}` of {name} must be None for replicas. Received: {setting}={value!r}. "
                "Train it with `model.fit` or scikit-learn's GridSearchCV."
            )
    excluded, not_decayed = keras_internals.not_decayed(optimizer)
    decays = bool(optimizer.weight_decay)
    if decays and excluded:
        raise UnsupportedError(
            "`exclude_from_weight_decay` must be given `var_names` for replicas: a `var_list` is of another model. "
            f"Received: {name}"
        )
    clip = next((each for each in CLIPPING if (getattr(optimizer, each) or 0) > 0), None)
    averages = bool(optimizer.use_ema)
    overwrites_every = (averages and optimizer.ema_overwrite_frequency) or None
    used = ("learning_rate", "weight_decay", *([clip] if clip else ()), *(["ema_momentum"] if averages else ()))
    numbers = {each: number_or_schedule(optimizer, each) for each in used} | rule.numbers
    for setting, value in numbers.items():
        _check_number_or_schedule(name, setting, value)
    # A schedule or a decay is part of the program; their numbers are not.
    scheduled = tuple(setting for setting, value in numbers.items() if callable(value))
    how = (clip, decays, not_decayed if decays else None, averages, overwrites_every)
    return PureForm((rule.kind, scheduled, how), rule.step, rule.slots, numbers, *how)


def _rule(optimizer: Any) -> Rule:
    name = type(optimizer).__name__
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise UnsupportedError(f"{LOSS_SCALING} Received: {name}")
    if isinstance(optimizer, RuleOptimizer) and optimizer.pure:
        return _own_rule(optimizer)
    rule = keras_rule(optimizer)
    if rule is None:
        raise UnsupportedError(
            "`optimizer` must be one of keras_amsgrad whose step follows from a weight's own gradient and slots (Adam, "
            "AMSGrad, AdaMax, RAdam, AdaBelief, Yogi, Nadam with `momentum_decay=None`) or one of keras.optimizers: "
            f"{', '.join(RULES)}. Received: {name}. Train it with `model.fit` or scikit-learn's GridSearchCV."
        )
    return rule


def _own_rule(optimizer: RuleOptimizer) -> Rule:
    def step(g: Any, *slots: Any, t: Any, learning_rate: Any, **numbers: Any) -> Step:
        return optimizer.step(g, *slots, alpha=learning_rate, t=t, **numbers)

    config = {key: value for key, value in optimizer.get_config().items() if key not in (*OF_ALL, *OWN_NUMBERS)}
    numbers = {each: number_or_schedule(optimizer, each) for each in OWN_NUMBERS if hasattr(optimizer, each)}
    return Rule((type(optimizer), json.dumps(config, default=repr)), step, dict.fromkeys(optimizer.slots, 0.0), numbers)


def check_optimizer(optimizer: Any) -> None:
    """Raise UnsupportedError unless replicas can have this optimizer; the message says why."""
    pure_form(optimizer)


def _check_number_or_schedule(name: str, setting: str, value: Any) -> None:
    schedule = isinstance(value, keras.optimizers.schedules.LearningRateSchedule)
    schedule = schedule or (setting == "weight_decay" and hasattr(value, "get_config"))
    # A number that is infinite in float32 would reach other replicas, see `layout.along_row`.
    if not schedule and not (isinstance(value, float) and abs(value) <= LARGEST):
        raise UnsupportedError(
            f"`{setting}` of {name} must be a number or a LearningRateSchedule for replicas, and finite. "
            f"Received: {setting}={value!r}"
        )


def number_or_schedule(optimizer: Any, setting: str) -> Any:
    """Return a setting as a float, or as the schedule that it is; no weight decay is 0."""
    if setting == "learning_rate":
        value = keras_internals.learning_rate(optimizer)
        return float(ops.convert_to_numpy(value)) if isinstance(value, keras.Variable) else value
    value = getattr(optimizer, setting)
    if callable(value):
        return value
    return 0.0 if value is None else float(value)


def columns(forms: Sequence[PureForm]) -> dict[str, np.ndarray]:
    """Return {setting: float32 array (replicas,)} of all settings that are numbers; schedules are left out."""
    return {
        setting: np.array(values, "float32")
        for setting, values in _values(forms).items()
        if not any(map(callable, values))
    }


def scheduled(forms: Sequence[PureForm]) -> dict[str, list[Any]]:
    """Return {setting: one schedule for each replica} of the settings that are schedules."""
    return {setting: values for setting, values in _values(forms).items() if all(map(callable, values))}


def _values(forms: Sequence[PureForm]) -> dict[str, list[Any]]:
    return {setting: [form.numbers[setting] for form in forms] for setting in forms[0].numbers}
