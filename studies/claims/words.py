"""Verdicts, numbers and sides of a comparison, in words."""

from collections.abc import Callable, Iterable
from math import isnan
from typing import Any

from studies.catalog.metrics import SCORES, is_accuracy, names_of
from studies.catalog.variant import Variant, named

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
NO_DIFFERENCE = "no practical difference"
INCONCLUSIVE = "inconclusive"
DEPENDS = "depends on the reading"
NOT_RUN = "not run"

Side = dict[str, Any]  # the values that the rows of one side of a comparison have, by column of runs.csv

METRICS = {
    **{column: f"final {name}" for score in SCORES for column, name in names_of("validation", score).items()},
    **{f"best_val_{score}": f"highest validation {words}" for score, words in SCORES.items()},
    "best_val_loss": "lowest validation loss",
}
SCHEDULES = {
    "linear": "linear decay",
    "inverse-sqrt-epoch": "α/√epoch",
    "inverse-sqrt-update": "α/√update",
    "inverse-time": "α/(1 + .14 update)",
    "warm-restarts": "warm restarts",
}
CORRECTION = {True: "corrected", False: "not corrected"}
WITH_OR_WITHOUT = {True: "bias correction", False: "no bias correction"}
OF_COLUMN: dict[str, Callable[[Any], str]] = {
    "schedule": lambda name: SCHEDULES.get(name, "a constant rate"),
    "variant": lambda name: name or "the plain form",
    "learning_rate": lambda alpha: f"α = {alpha:g}",
    "beta_2": lambda beta: f"β₂ = {beta:g}",
    "bias_correction": lambda corrected: CORRECTION.get(corrected, ""),
}


def word(column: str, value: Any) -> str:
    """Return a value of a column of runs.csv in words.

    >>> word("learning_rate", 0.01), word("optimizer", "Adam")
    ('α = 0.01', 'Adam')
    """
    return OF_COLUMN.get(column, str)(value)


def between(a: Side, b: Side) -> tuple[str, str]:
    """Return what tells two sides apart, as two names.

    >>> between({"optimizer": "Adam", "variant": "mnist"}, {"optimizer": "Adam", "variant": "mnist+adamw"})
    ('the plain form', 'adamw')
    >>> between({"optimizer": "Adam", "variant": ""}, {"optimizer": "AdamW", "variant": "weight_decay=0.01"})
    ('Adam', 'AdamW (weight_decay = 0.01)')
    """
    apart = [key for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)]
    # Where the optimizers differ, or else the schedules, what comes with them does not need saying.
    apart = next(([key] for key in ("optimizer", "schedule") if key in apart), apart)
    if apart == ["bias_correction"]:
        return WITH_OR_WITHOUT[a["bias_correction"]], WITH_OR_WITHOUT[b["bias_correction"]]
    a, b = _without_common_variants(a, b), _without_common_variants(b, a)
    if apart == ["optimizer"]:
        return named(a["optimizer"], a["variant"]), named(b["optimizer"], b["variant"])
    first, second = (" and ".join(word(key, each.get(key, "")) for key in apart) for each in (a, b))
    return first, second


def _without_common_variants(side: Side, other: Side) -> Side:
    own, others = (Variant.parse(each.get("variant")) for each in (side, other))
    return side | {"variant": str(own.without(others))}


def shared(a: Side, b: Side) -> str:
    """Return what two sides have in common, as a label.

    >>> shared({"study": "digits", "optimizer": "Adam"}, {"study": "digits", "optimizer": "SGD"})
    'digits'
    """
    same = {key: value for key, value in a.items() if value not in ("", None) and b.get(key) == value}
    return ", ".join(filter(None, (word(key, value) for key, value in same.items())))


def as_text(side: Side) -> str:
    """Return a side as verdicts.csv has it.

    >>> as_text({"study": "digits", "optimizer": "Adam", "variant": ""})
    'study=digits; optimizer=Adam; variant='
    """
    return "; ".join(
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in side.items()
    )


def number(value: float) -> str:
    """Return a number to three digits, with a true minus.

    >>> number(-0.01234), number(1496.7)
    ('−0.0123', '1,497')
    """
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}" if abs(value) < 1e6 else f"{value:.1e}"
    return text.replace("-", "−")


def value_in_words(metric: str, value: float) -> str:
    """Return the mean of a metric: accuracies in percent, R² and losses to four digits."""
    return f"{100 * value:.2f} %" if is_accuracy(metric) else f"{value:.4g}".replace("-", "−")


def interval_in_words(low: float, high: float, unit: str) -> str:
    """Return a 95 % interval in parentheses.

    >>> interval_in_words(-1.0, 2.5, "%")
    '(95 % interval −1 to 2.5 %)'
    """
    if isnan(low) or isnan(high):
        return "(no interval)"
    return f"(95 % interval {number(low)} to {number(high)}{' ' if unit else ''}{unit})"


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence has them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
