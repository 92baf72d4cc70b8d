"""What a finished piece of work leaves: one shape for the fits of all engines, one for walks."""

from dataclasses import dataclass
from typing import Any, Self

from studies.records.machine import machine

# From the names that Keras gives to the numbers of an epoch to those of a fit's history: a loss, and one of the scores.
HISTORY = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    "r2": "train_r2",
    "val_loss": "val_loss",
    "val_accuracy": "val_accuracy",
    "val_r2": "val_r2",
}


@dataclass(frozen=True)
class Outcome:
    """What a fit leaves."""

    status: str  # "ok"; "stopped" by early stopping; "diverged" when a number was not finite
    history: dict[str, list[float]]  # by the names of `HISTORY`, a number for each epoch
    seconds: float
    backend: str
    device: str
    versions: dict[str, str]

    @classmethod
    def here(cls, status: str, history: dict[str, list[float]], seconds: float) -> Self:
        """Return the outcome of a fit that this process trained; `history` has Keras's names."""
        columns = {HISTORY[name]: values for name, values in history.items()}
        return cls(status, columns, round(seconds, 3), **machine())


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
