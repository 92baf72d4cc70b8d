"""What a replica is, and what becomes of it."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_amsgrad.optimizers import RuleOptimizer

RowNumbers = np.ndarray | Sequence[int]
History = dict[str, list[float]]
Weights = list[np.ndarray]  # the values of `model.variables`


@dataclasses.dataclass(frozen=True, eq=False)
class Replica:
    """One fit: numbers (in an optimizer), a seed, and the rows it trains and validates on.

    Attributes:
        optimizer: An optimizer of this package, not yet used. Only its settings are read.
        seed: Initial weights, dropout and the order of the rows follow from it, a whole number >= 0.
        training: Numbers of the training rows, (n,) integers.
        validation: Numbers of the rows to validate on after every epoch; empty for none.
        outputs_for: Numbers of the rows for which to return the trained network's outputs; empty for none.
    """

    optimizer: RuleOptimizer
    seed: int
    training: RowNumbers
    validation: RowNumbers = ()
    outputs_for: RowNumbers = ()


@dataclasses.dataclass(eq=False)
class Outcome:
    """What a replica's training left.

    Attributes:
        status: "ok"; "stopped" by early stopping; "diverged" when a loss was not finite: that epoch is the last.
        history: {"loss", "accuracy", "val_loss", "val_accuracy": one float an epoch}, as Keras's `fit` reports them.
        weights: The values of `model.variables`, NumPy arrays.
        outputs: The outputs for the rows `outputs_for`, (rows, ...).
        seconds: Its share of the time that its chunk took.
    """

    status: str
    history: History
    weights: Weights
    outputs: np.ndarray | None
    seconds: float
