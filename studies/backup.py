"""Backups inside a long fit: a killed fit goes on from its last whole epoch, to the bit as if nothing had happened.

Keras's `BackupAndRestore` keeps weights and optimizer but not the history of the epochs before the break, and it
reads by position; here the history is the result.
"""

import json
import time
import warnings
import zipfile

import keras
import numpy as np

from studies.journal import durable

SECONDS_BETWEEN_BACKUPS = 5  # so that small models, which lose no more than that, do not pay for it


class EpochBackup(keras.callbacks.Callback):
    """Save the model's and the optimizer's variables and the history after an epoch, unless that was just done.

    `columns` maps the names that Keras gives to an epoch's numbers to those of the history. `stopping` is Keras's
    `EarlyStopping` or None, a callback before this one: it is told of the epochs before a break.
    """

    def __init__(self, path, columns, stopping=None):
        super().__init__()
        self.path, self.columns, self.stopping = path, columns, stopping
        self.history = {}
        self.saved = time.monotonic()

    def restore(self, model):
        """Set the model back to its last backup and return the number of epochs it has behind it."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                history, values = json.loads(str(file["history"])), [file[str(i)] for i in range(len(file.files) - 1)]
            if [value.shape for value in values] != [tuple(variable.shape) for variable in _variables(model)]:
                raise ValueError("it is of another model")
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            warnings.warn(f"{self.path} is not a whole backup ({error}): the fit starts afresh", stacklevel=2)
            self.path.unlink()
            return 0
        for variable, value in zip(_variables(model), values, strict=True):
            variable.assign(value)
        self.history = history
        return len(next(iter(history.values())))

    def on_train_begin(self, logs=None):
        if self.stopping is not None:
            for epoch, loss in enumerate(self.history.get("train_loss", [])):
                self.stopping.on_epoch_end(epoch, {"loss": loss})

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            self.history.setdefault(self.columns[name], []).append(float(value))
        if self.model.stop_training:  # a fit that goes on from here would train an epoch too many
            return
        if time.monotonic() - self.saved >= SECONDS_BETWEEN_BACKUPS:
            self._save()
            self.saved = time.monotonic()

    def _save(self):
        values = {str(i): keras.ops.convert_to_numpy(v) for i, v in enumerate(_variables(self.model))}
        with durable(self.path) as aside, aside.open("wb") as file:
            np.savez(file, history=json.dumps(self.history), **values)


def _variables(model):
    return [*model.variables, *model.optimizer.variables]
