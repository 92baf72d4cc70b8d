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
    def here(cls, status: str, history: dict[str, list[float]], seconds: float) -> Self:
        """Return the outcome of a fit that this process trained; `history` has Keras's names.

        Callbacks add a learning rate to what was measured, which is left out.
        """
        measured = {name: values for name, values in history.items() if name != "learning_rate"}
        columns = {name if name.startswith("val_") else f"train_{name}": values for name, values in measured.items()}
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
