"""Numbers and sides of a comparison, in words."""

from collections.abc import Callable
from math import isnan
from typing import Any

METRICS = {
    "train_loss": "final training loss",
    "val_loss": "final validation loss",
    "train_accuracy": "final training accuracy",
    "val_accuracy": "final validation accuracy",
    "best_val_loss": "lowest validation loss",
    "best_val_accuracy": "highest validation accuracy",
}
SCHEDULES = {
    "linear": "linear decay",
    "inverse-sqrt-epoch": "α/√epoch",
    "inverse-sqrt-update": "α/√update",
    "warm-restarts": "warm restarts",
}


def between(first, second):
    """Return what tells two sides apart, as two names.

    >>> between({"variant": "mnist"}, {"variant": "mnist+adamw"})
    ('the plain form', 'adamw')
    """
    apart = [key for key in dict.fromkeys([*first, *second]) if first.get(key) != second.get(key)]
    # Where the optimizers differ, or else the schedules, what comes with them does not need saying.
    apart = next(([key] for key in ("optimizer", "schedule") if key in apart), apart)
    first, second = _without_common_variants(first, second), _without_common_variants(second, first)
    return tuple(" and ".join(_word(key, each.get(key, "")) for key in apart) for each in (first, second))


def _without_common_variants(side, other):
    common = other.get("variant", "").split("+")
    own = (word for word in side.get("variant", "").split("+") if word not in common)
    return side | {"variant": "+".join(own)}


def names(first, second, setting):
    """Return what two sides share, and the setting, as a label."""
    shared = [_word(key, value) for key, value in first.items() if value and second.get(key) == value]
    return ", ".join([*filter(None, shared), *setting_in_words(setting)])


def setting_in_words(setting):
    """Return a setting {column: value} as a list of words."""
    corrected = {True: "corrected", False: "not corrected"}
    written: dict[str, Callable[[Any], str]] = {
        "optimizer": str,
        "learning_rate": lambda value: f"α = {value:g}",
        "beta_2": lambda value: f"β₂ = {value:g}",
        "bias_correction": lambda value: corrected.get(value, ""),
    }
    return [text for column, value in setting.items() if (text := written[column](value))]


def advantage_in_words(metric, part, first, second):
    """Return a part's estimate and interval as a sentence about two sides."""
    loss = metric.endswith("loss")
    better, worse = ("lower", "higher") if loss else ("higher", "lower")
    sign = -1 if part.estimate < 0 else 1
    low, high = sorted((sign * part.low, sign * part.high))
    unit = "%" if loss else "points"
    bounds = "no interval" if isnan(low) else f"95 % interval {number(100 * low)} to {number(100 * high)}"
    return (
        f"the {METRICS[metric]} of {first} is {number(100 * abs(part.estimate))} {unit} "
        f"{better if sign > 0 else worse} than that of {second} ({bounds})"
    )


def number(value):
    """Return a number to three digits, with a true minus.

    >>> number(-0.01234), number(1496.7)
    ('−0.0123', '1,497')
    """
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}" if abs(value) < 1e6 else f"{value:.1e}"
    return text.replace("-", "−")


def _word(key, value):
    if key == "schedule":
        return SCHEDULES.get(value, "a constant rate")
    if key == "variant":
        return value or "the plain form"
    return str(value)
