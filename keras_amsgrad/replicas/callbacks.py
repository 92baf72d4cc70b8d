"""The history of each replica, and when its training ends. Keras's own callbacks decide, for each replica alone."""

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.replica import History, Weights

CHANGE_LEARNING_RATE = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
# TerminateOnNaN has nothing to do: a replica ends with the epoch in which its loss is not finite.
SUPPORTED = (keras.callbacks.EarlyStopping, *CHANGE_LEARNING_RATE, keras.callbacks.TerminateOnNaN)


class CallbackOptimizer:
    """What a callback of Keras sees as the optimizer: the learning rate of one replica, in Keras's precision."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> np.float32:
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = np.float32(value)


class CallbackModel:
    """What a callback of Keras sees as its model: the weights, metrics and learning rate of one replica."""

    stop_training = False

    def __init__(self, get_weights: Callable[[], Weights], metrics: Sequence[Any], learning_rate: float) -> None:
        self.get_weights, self.metrics = get_weights, metrics
        self.optimizer = CallbackOptimizer(learning_rate)
        self.restored: Weights | None = None

    def set_weights(self, weights: Weights) -> None:
        self.restored = weights


class ReplicaCallbacks:
    """Copies of callbacks, applied to one replica."""

    def __init__(self, callbacks: Sequence[Any], model: CallbackModel) -> None:
        self.callbacks, self.model = [_copied(callback) for callback in callbacks], model
        for callback in self.callbacks:
            callback.set_model(model)
            callback.on_train_begin()

    def learning_rate(self, epoch: int) -> np.float32:
        """Begin an epoch, from 0, and return its learning rate."""
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch)
        return self.model.optimizer.learning_rate

    def stop(self, epoch: int, logs: dict[str, Any]) -> bool:
        """End an epoch in which `logs` = {name: value} was measured, to which callbacks may add.

        Returns whether training ends with it.
        """
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)
        return self.model.stop_training

    def best_weights(self) -> Weights | None:
        """Return the weights to restore at the end of training, or None."""
        for callback in self.callbacks:
            callback.on_train_end()
        return self.model.restored


def _copied(callback: Any) -> Any:
    """Return a copy of a callback without the model that it was used for."""
    alone = copy.copy(callback)
    alone.set_model(None)
    return copy.deepcopy(alone)


class ChunkHistory:
    """What was measured of each replica of a chunk so far, and which of them still train.

    Args:
        epochs: The number of epochs of each replica.
        callbacks: Callbacks of Keras, to be copied for each replica.
        metrics: The `metrics` of the model.
        numbers: The columns of the optimizers' numbers; callbacks may change the learning rates.
        weights_of: A function that returns the weights that replica k has now.
    """

    def __init__(
        self,
        epochs: Sequence[int],
        callbacks: Sequence[Any],
        metrics: Sequence[Any],
        numbers: dict[str, np.ndarray],
        weights_of: Callable[[int], Weights],
    ) -> None:
        self.epochs, count = epochs, len(epochs)
        self.running = np.asarray(epochs) > 0
        self.history: list[History] = [{} for _ in range(count)]
        self.status = ["ok"] * count
        self.numbers = numbers
        self.changes_numbers = any(isinstance(callback, CHANGE_LEARNING_RATE) for callback in callbacks)
        rates = numbers["learning_rate"] if self.changes_numbers else np.zeros(count)
        models = [CallbackModel(functools.partial(weights_of, k), metrics, rates[k]) for k in range(count)]
        self.callbacks = [ReplicaCallbacks(callbacks, model) for model in models]

    def begin(self, epoch: int) -> dict[str, np.ndarray]:
        """Begin an epoch, from 0, and return the columns of the optimizers' numbers in it."""
        if self.changes_numbers:
            rates = self.numbers["learning_rate"].copy()
            for k in np.flatnonzero(self.running):
                rates[k] = self.callbacks[k].learning_rate(epoch)
            self.numbers = {**self.numbers, "learning_rate": rates}
        return self.numbers

    def add(
        self,
        epoch: int,
        measured: Mapping[str, Sequence[Any] | np.ndarray],
        unseen: Mapping[str, Sequence[Any] | np.ndarray] | None = None,
    ) -> tuple[list[int], int, list[dict[str, Any]]]:
        """Add {name: (replicas,)} and return (the replicas that trained in this epoch, epoch, the logs of each).

        Callbacks do not see what is `unseen`.
        """
        ran = np.flatnonzero(self.running).tolist()
        logs = [{name: _plain(values[k]) for name, values in measured.items()} for k in ran]
        for k, log in zip(ran, logs, strict=True):
            stopped = self.callbacks[k].stop(epoch, log)
            log |= {name: _plain(values[k]) for name, values in (unseen or {}).items()}
            for name, value in log.items():
                self.history[k].setdefault(name, []).append(value)
            if not all(math.isfinite(log.get(name, 0.0)) for name in ("loss", "val_loss")):
                self.status[k], self.running[k] = "diverged", False
            elif stopped:
                self.status[k], self.running[k] = "stopped", False
            elif epoch + 1 >= self.epochs[k]:
                self.running[k] = False
        return ran, epoch, logs

    def replay(self, histories: list[History]) -> int:
        """Add the epochs that a backup holds, a history for each replica; return their number."""
        epochs = max((len(values) for history in histories for values in history.values()), default=0)
        for epoch in range(epochs):
            names = histories[0]
            measured = {name: [(h[name] + [math.nan] * epochs)[epoch] for h in histories] for name in names}
            self.begin(epoch)
            self.add(epoch, measured)
        return epochs

    def best_weights(self) -> list[Weights | None]:
        """Return, for each replica, the weights that early stopping restores, or None."""
        return [callbacks.best_weights() for callbacks in self.callbacks]


def _plain(value: Any) -> Any:
    """Return a float, or an array for a metric that has several values."""
    return float(value) if np.ndim(value) == 0 else value


def check_callbacks(callbacks: Sequence[Any], names: Sequence[str], metrics: Sequence[Any], scheduled: bool) -> None:
    """Raise UnsupportedError unless `callbacks` can be applied to each replica by itself.

    Args:
        callbacks: Callbacks of Keras.
        names: What is measured in an epoch, which a callback may monitor.
        metrics: The `metrics` of the model.
        scheduled: Whether the learning rate of a replica is a schedule.
    """
    for callback in callbacks:
        kind, monitor = type(callback), getattr(callback, "monitor", None)
        if kind not in SUPPORTED:
            known = ", ".join(each.__name__ for each in SUPPORTED)
            raise UnsupportedError(f"Callbacks of replicas must be of keras.callbacks: {known}. Received: {callback}")
        if monitor is not None and monitor not in names:
            raise UnsupportedError(
                f"`monitor` of {kind.__name__} must be one of {', '.join(names)}, which replicas measure here. "
                f"Received: monitor={monitor!r}"
            )
        if getattr(callback, "raise_error", False):
            raise UnsupportedError(f"Replicas have no {kind.__name__} with raise_error=True.")
        if scheduled and kind in CHANGE_LEARNING_RATE:
            raise UnsupportedError(f"{kind.__name__} needs a learning rate that is a number, not a schedule.")
        if monitor is not None:  # Keras decides here whether more is better, and raises where it does not know
            model = CallbackModel(list, metrics, 1.0)
            ReplicaCallbacks([callback], model).stop(0, dict.fromkeys(names, 0.0))
