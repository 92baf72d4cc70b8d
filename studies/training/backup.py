"""Backups inside a long fit: a killed fit continues from its last saved epoch, to the bit.

Keras's `BackupAndRestore` keeps weights and optimizer but not the history of the epochs before the break; here the
history is the result.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_amsgrad.replicas.backup import Backup


class EpochBackup(keras.callbacks.Callback):
    """Keep the history of a fit, and save it with the variables of model and optimizer, as `Backup` does, after epochs.

    `stopping` are callbacks before this one, of Keras's `EarlyStopping`: they are told of the epochs before a break.
    """

    def __init__(self, path: Path | None, stopping: Sequence[keras.callbacks.Callback] = ()) -> None:
        super().__init__()
        self.backup, self.stopping = Backup(path), stopping
        self.history: dict[str, list[float]] = {}

    def restore(self, model: keras.Model) -> int:
        """Set the model back to its last backup and return the number of epochs it has behind it."""
        variables = _variables(model)
        values, history = self.backup.restore(variables)
        if not history:
            return 0
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        self.history = history
        return len(next(iter(history.values())))

    def on_train_begin(self, logs: Any = None) -> None:
        for epoch, loss in enumerate(self.history.get("loss", [])):
            for callback in self.stopping:
                callback.on_epoch_end(epoch, {"loss": loss})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        if not self.model.stop_training:  # a fit that goes on from where it stopped would train an epoch too many
            self.backup.save(_variables(self.model), self.history)


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
