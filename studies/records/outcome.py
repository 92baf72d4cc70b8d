"""What a finished piece of work leaves: one shape for the fits of all engines, one for walks."""

from dataclasses import dataclass
from typing import Any, Self

from studies.records.machine import machine


@dataclass(frozen=True)
class Outcome:
    """What a fit leaves."""

    status: str  # "ok"; "stopped" by early stopping; "diverged" when a number was not finite
    history: dict[str, list[float]]  # train_loss, val_loss, train_accuracy, ...: a number for each epoch
    seconds: float
    backend: str
    device: str
    versions: dict[str, str]

    @classmethod
    def here(cls, status: str, history: dict[str, list[float]], seconds: float, digits: int | None = None) -> Self:
        """Return the outcome of a fit that this process trained; `history` has Keras's names.

        Callbacks add a learning rate to what was measured, which is left out. `digits` is how many significant ones
        the history keeps; None: all.
        """
        measured = {name: values for name, values in history.items() if name != "learning_rate"}
        columns = {_column(name, measured): _rounded(values, digits) for name, values in measured.items()}
        return cls(status, columns, round(seconds, 3), **machine())


def _column(name: str, measured: dict[str, list[float]]) -> str:
    """Return the column of a name of Keras's: those of training rows have no prefix there."""
    other = name.startswith("val_") or (name.startswith("test_") and name.removeprefix("test_") in measured)
    return name if other else f"train_{name}"


def _rounded(values: list[float], digits: int | None) -> list[float]:
    return values if digits is None else [float(f"{value:.{digits}g}") for value in values]


@dataclass(frozen=True)
class WalkOutcome:
    """What a walk leaves: its path as lists over the steps `t`, see `studies.training.walks.paths`."""

    status: str
    backend: str
    device: str
    versions: dict[str, str]
    t: list[int]
    x: list[float]
    average_regret: list[float]
    gamma_min: list[float]
    negative_gamma: list[float]
    largest_step: list[float]

    @classmethod
    def here(cls, path: dict[str, Any]) -> Self:
        """Return the outcome of a walk that this process took, on its processor."""
        return cls("ok", **{**machine(), "device": "cpu:0"}, **path)
