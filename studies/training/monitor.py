"""One run under `OptimizerMonitor`: what the optimizer does on a problem, as a record like any other."""

from typing import Any

import keras
import numpy as np

from keras_amsgrad.diagnostics import OptimizerMonitor, Snapshot, gradient_of, layers_of, tail_index
from studies.catalog.fit import Fit
from studies.data.dataset import Dataset
from studies.records.journal import Journal
from studies.training import batchwise

EVERY = 5  # updates between two that are monitored


def train(fit: Fit, data: Dataset, journal: Journal) -> None:
    """Train a fit under the monitor and record it, unless it is recorded already.

    The history has two further columns, each of the monitored updates of this and all earlier epochs:

    train_negative_gamma   the share of weights whose inverse step size shrank in an update
    train_tail_index       Hill's estimate for the gradients of single weights, each over its own root mean square
    """
    if journal.find(fit) is None:
        monitor = OptimizerMonitor(every=EVERY, logs=False)
        journal.write(fit, batchwise.trained(fit, data, [monitor, Summary(monitor)]))


class Summary(keras.callbacks.Callback):
    """Add to the logs of an epoch what a monitor, a callback before this one, has seen so far."""

    def __init__(self, monitor: OptimizerMonitor) -> None:
        super().__init__()
        self.monitor = monitor
        self.gradients: list[np.ndarray] = []  # (weights,) of each monitored update
        self._before: Snapshot | None = None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        due = (int(self.model.optimizer.iterations) + 1) % EVERY == 0
        self._before = Snapshot(self.model.optimizer) if due else None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._before is None:
            return
        after, before = Snapshot(self.model.optimizer), self._before
        pairs = zip(before.moments, after.moments, strict=True)
        parts = [gradient_of(old, new, after.beta_1).ravel() for old, new in pairs]
        self.gradients.append(np.concatenate(parts).astype("float32"))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs.update(negative_gamma=self.negative_gamma(), tail_index=self.tail_index())

    def negative_gamma(self) -> float:
        """Return the mean share of weights with a negative Gamma, layers by their number of weights."""
        sizes = [int(np.prod(weight.shape)) for weight in self.model.trainable_variables]
        layers = layers_of(self.model.optimizer).items()
        of_layer = {layer: sum(sizes[i] for i in indices) for layer, indices in layers}
        rows = [row for row in self.monitor.rows if np.isfinite(row["negative_gamma"])]
        if not rows:
            return float("nan")
        weights = [of_layer[row["layer"]] for row in rows]
        return float(np.average([row["negative_gamma"] for row in rows], weights=weights))

    def tail_index(self) -> float:
        """Return the tail index of the gradients of single weights, each over its own root mean square."""
        if not self.gradients:
            return float("nan")
        gradients = np.stack(self.gradients)
        scale = np.sqrt(np.square(gradients, dtype="float64").mean(0))
        return tail_index(gradients[:, scale > 0] / scale[scale > 0])
