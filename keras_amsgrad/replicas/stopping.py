"""The course of each replica: its history, and when it ends. Keras's own callback decides on early stopping."""

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_amsgrad.replicas.replica import History, Weights


class Seat:
    """Where a replica sits in place of the model that a callback of Keras watches."""

    stop_training = False

    def __init__(self, get_weights: Callable[[], Weights]) -> None:
        self.get_weights = get_weights
        self.restored: Weights | None = None

    def set_weights(self, weights: Weights) -> None:
        self.restored = weights


class Watch:
    """Keras's `EarlyStopping`, or nothing, over one replica.

    `get_weights` is a function without arguments that returns the replica's weights now; it is called only for
    `restore_best_weights`.
    """

    def __init__(self, early_stopping: Any, get_weights: Callable[[], Weights]) -> None:
        self.callback = copy.deepcopy(early_stopping)
        self.seat = Seat(get_weights)
        if self.callback is not None:
            self.callback.set_model(self.seat)
            self.callback.on_train_begin()

    def stops(self, epoch: int, logs: dict[str, float]) -> bool:
        """Return whether training ends with this epoch (from 0), after which `logs` = {name: value} was measured."""
        if self.callback is not None:
            self.callback.on_epoch_end(epoch, logs)
        return self.seat.stop_training

    def best_weights(self) -> Weights | None:
        """Return the weights to go back to at the end of training, or None."""
        if self.callback is not None:
            self.callback.on_train_end()
        return self.seat.restored


class Course:
    """What was measured of each replica of a chunk so far, and which of them go on.

    `size` is the number of places in the chunk, of which the last may be empty. `weights_of(k)` returns the weights
    that replica k has now.
    """

    def __init__(self, count: int, size: int, early_stopping: Any, weights_of: Callable[[int], Weights]) -> None:
        self.running = np.arange(size) < count
        self.history: list[History] = [{} for _ in range(count)]
        self.status = ["ok"] * count
        self.watches = [Watch(early_stopping, functools.partial(weights_of, k)) for k in range(count)]

    def add(
        self, epoch: int, measured: Mapping[str, Sequence[float] | np.ndarray]
    ) -> tuple[list[int], int, list[dict[str, float]]]:
        """Take in {name: (replicas,)} and return (the replicas that ran this epoch, epoch, the logs of each)."""
        ran = np.flatnonzero(self.running).tolist()
        logs = [{name: float(values[k]) for name, values in measured.items()} for k in ran]
        for k, log in zip(ran, logs, strict=True):
            for name, value in log.items():
                self.history[k].setdefault(name, []).append(value)
            stopped = self.watches[k].stops(epoch, log)
            if not all(map(math.isfinite, log.values())):
                self.status[k], self.running[k] = "diverged", False
            elif stopped:
                self.status[k], self.running[k] = "stopped", False
        return ran, epoch, logs

    def replay(self, histories: list[History]) -> int:
        """Take in epochs that were measured before a break, a history for each replica; return their number."""
        epochs = max((len(values) for history in histories for values in history.values()), default=0)
        for epoch in range(epochs):
            names = histories[0]
            measured = {name: [(h[name] + [math.nan] * epochs)[epoch] for h in histories] for name in names}
            self.add(epoch, measured)
        return epochs

    def best_weights(self) -> list[Weights | None]:
        """Return, for each replica, the weights that early stopping goes back to, or None."""
        return [watch.best_weights() for watch in self.watches]


def check_early_stopping(callback: Any, names: Sequence[str]) -> None:
    """Raise unless `callback` is None or an `EarlyStopping` that monitors one of `names`."""
    if callback is None:
        return
    if type(callback) is not keras.callbacks.EarlyStopping:
        raise TypeError(
            f"`early_stopping` must be a keras.callbacks.EarlyStopping or None. Received: {type(callback).__name__}"
        )
    if callback.monitor not in names:
        raise ValueError(
            f"`monitor` of EarlyStopping must be one of {', '.join(names)}, which replicas measure here. "
            f"Received: monitor={callback.monitor!r}"
        )
