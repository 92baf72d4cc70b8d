"""What a comparison of one's own compares, and over what it searches: names, optimizers and grids as data."""

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from studies.catalog import Arm, Search, Setting
from studies.catalog.bushaev import VARIANTS_OF_ADAM
from studies.errors import StudyError, did_you_mean
from studies.startup import import_keras

Grid = Mapping[str, Sequence[float]]

# What can be compared: Adam and AMSGrad corrected, others as in `bushaev-variants`, the next three as their papers do;
# Keras's own, of which replicas know the rules.
CORRECTED = {name: Arm(name) for name in ("Adam", "AMSGrad")}
OF_NO_STUDY = {name: Arm(name, bias_correction=None) for name in ("RAdam", "AdaBelief")}
OF_NO_STUDY["Yogi"] = Arm("Yogi", bias_correction=False)
OF_STUDIES = {arm.optimizer: arm for arm in VARIANTS_OF_ADAM if arm.optimizer not in CORRECTED}
OF_KERAS = {
    name: Arm(name, bias_correction=None) for name in ("RMSprop", "Adagrad", "Adadelta", "AdamW", "Adamax", "Lion")
}
ARMS = CORRECTED | OF_STUDIES | OF_NO_STUDY | OF_KERAS
GRID = {"learning_rate": (1e-4, 1e-3, 1e-2, 0.1), "beta_2": (0.99, 0.999)}


def check_choices(optimizers: Sequence[Any], grid: Grid, epochs: int = 1) -> tuple[tuple[Arm, ...], Search]:
    """Return the arms of a comparison, the reference first, and its search; raise StudyError for what there is not.

    The reference is Adam: as it is by default where that is among the optimizers, else the first Adam. An arm's variant
    names the settings, outside the grid, in which it differs from the optimizer of that name in `ARMS`.
    """
    _check_grid(grid)
    arms = _with_reference_first(_arms(optimizers, grid))
    names = dict.fromkeys(name for arm in arms for name in arm.numbers)
    for setting in grid:
        if setting not in names:
            near = did_you_mean(str(setting), names) or "."
            raise StudyError(f"There is no {setting} in a grid of these; there are {', '.join(names)}{near}")
    values = {name: tuple(map(float, grid[name])) for name in grid}
    search = Search(values.pop("learning_rate", ()), values.pop("beta_2", ()), epochs=epochs, others=values)
    for arm in arms:
        for each in search.settings(arm):
            _check_setting(arm, each)
    return arms, search


def _arms(optimizers: Sequence[Any], grid: Grid) -> list[Arm]:
    if isinstance(optimizers, str) or not isinstance(optimizers, Iterable):
        raise StudyError(f'optimizers must be a list, ["Adam", "AMSGrad"] say, not {_shown(optimizers)}.')
    arms: list[Arm] = []
    for each in optimizers:
        arm = _named(each, grid) if isinstance(each, str) else _of_object(each, grid)
        if arm not in arms:
            arms.append(arm)
        elif not isinstance(each, str):
            raise StudyError(f"optimizers holds {arm.label} twice: these have the same settings outside the grid.")
    return arms


def _with_reference_first(arms: list[Arm]) -> tuple[Arm, ...]:
    adams = [arm for arm in arms if arm.optimizer == "Adam"]
    if not adams or len(arms) < 2:
        there = [arm.label for arm in arms]
        raise StudyError(
            f"optimizers must be Adam and one other at least, for they are judged against Adam; not {there}."
        )
    reference = next((arm for arm in adams if not arm.variant), adams[0])
    return (replace(reference, variant=""), *(arm for arm in arms if arm is not reference))


def _named(name: str, grid: Grid) -> Arm:
    _check_name(name)
    return replace(ARMS[name], learning_rate=None if "learning_rate" in grid else _usual(name)["learning_rate"])


def _of_object(optimizer: Any, grid: Grid) -> Arm:
    """Return the arm of an optimizer: what differs from the defaults of its class, unless a grid replaces it."""
    import_keras()
    import keras

    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise StudyError(
            f'optimizers must hold names and optimizers, ["Adam", AMSGrad()] say, not {_shown(optimizer)}.'
        )
    name = type(optimizer).__name__
    _check_name(name)
    _check_class(optimizer)
    config, defaults, by_name = _config(optimizer), _usual(name), ARMS[name]
    own = {setting: value for setting, value in config.items() if value != defaults[setting]}
    for setting, value in own.items():
        if not (value is None or (isinstance(value, numbers.Real) and math.isfinite(value))):
            raise StudyError(f"{setting} of {name} must be a number: a comparison takes no schedules and functions.")
    usual = defaults | {"bias_correction": by_name.bias_correction} | by_name.options
    told = [f"{key}={value}" for key, value in config.items() if value != usual[key] and key not in grid]
    fields = {"learning_rate", "beta_2", "bias_correction"}
    return Arm(
        name,
        learning_rate=None if "learning_rate" in grid else config["learning_rate"],
        beta_2=None if "beta_2" in grid else own.get("beta_2"),
        bias_correction=config.get("bias_correction"),
        options={setting: own[setting] for setting in own if setting not in fields | set(grid)},
        variant="+".join(told).replace("e+", "e"),
    )


def _check_name(name: str) -> None:
    if name not in ARMS:
        near = did_you_mean(name, ARMS) or "."
        raise StudyError(f"There is no optimizer {name!r}; there are {', '.join(ARMS)}{near}")


def _check_class(optimizer: Any) -> None:
    """Raise StudyError for what is not of the class that its name stands for, and for what no setting says."""
    from keras_amsgrad.internals.keras import not_decayed
    from studies.training.build import class_of

    kind, name = type(optimizer), type(optimizer).__name__
    package = class_of(name).__module__.partition(".")[0]
    if not isinstance(optimizer, class_of(name)) or kind.__module__.partition(".")[0] != package:
        meant = "keras.optimizers" if package == "keras" else package
        raise StudyError(f"{name} must be {meant}.{name}, not {kind.__module__}.{name}.")
    if any(not_decayed(optimizer)):
        raise StudyError(f"{name} must be without `exclude_from_weight_decay`: a comparison takes settings alone.")


def _usual(name: str) -> dict[str, Any]:
    """Return the default settings of a class."""
    import_keras()
    from studies.training.build import class_of

    return _config(class_of(name)())


def _config(optimizer: Any) -> dict[str, Any]:
    """Return the settings of an optimizer, floats as the shortest that are the same in float32."""
    return {name: _shortest(value) for name, value in optimizer.get_config().items() if name != "name"}


def _shortest(value: Any) -> Any:
    """Return a number from a float32 variable as it was set: .001 rather than .0010000000474974513."""
    import numpy as np

    if isinstance(value, (bool, int)) or not isinstance(value, numbers.Real):
        return value
    short = np.float32(value)
    return float(str(short)) if short == value else float(value)


def _check_setting(arm: Arm, setting: Setting) -> None:
    """Raise StudyError unless the optimizer can be made with a setting."""
    from studies.training.build import class_of, settings_of

    try:
        class_of(arm.optimizer)(setting.learning_rate, **settings_of(arm.at(setting)))
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise StudyError(f"{arm.optimizer} cannot have {setting}: {reason}") from error


def _check_grid(grid: Grid) -> None:
    """Raise StudyError unless a grid has lists of finite numbers."""
    if not isinstance(grid, Mapping) or not grid:
        raise StudyError(f'grid must be a dictionary, {{"learning_rate": [0.001, 0.01]}} say, not {_shown(grid)}.')
    for setting, values in grid.items():
        if isinstance(values, str) or not hasattr(values, "__len__"):
            raise StudyError(f"The grid's values of {setting} must be a list, [{values}] say, not {values!r}.")
        lowest, allowed = (0, "numbers above 0") if setting == "learning_rate" else (-math.inf, "numbers")
        good = [isinstance(value, numbers.Real) and lowest < float(value) < math.inf for value in values]
        if not good or not all(good):
            raise StudyError(f"The grid's values of {setting} must be {allowed}, one at least; not {list(values)}.")


def _shown(value: object) -> str:
    """Return a value in a line, without the addresses and newlines of its own text where it is long."""
    text = repr(value)
    return text if len(text) < 60 and "\n" not in text else f"a {type(value).__name__}"
