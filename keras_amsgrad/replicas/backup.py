"""Backups of training under way: what is killed continues from its last saved epoch, to the bit.

A chunk of replicas saves its state and the histories of its replicas; a fit by Keras's `fit` may save its variables and
its history in the same way.
"""

import json
import pathlib
import time
import warnings
import zipfile
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_amsgrad.durable import durable

SECONDS_BETWEEN_BACKUPS = 5  # at least: an epoch may be shorter than it takes to save its state
TIMES_ITS_OWN = 10  # at least so many times as long as the last backup took: a gigabyte takes seconds


class Backup:
    """Saves a state and its history to the file `path`; with None, saves nothing.

    A state is a structure of arrays or variables, a history what JSON holds. Saving takes at most a tenth of the time.
    """

    def __init__(self, path: pathlib.Path | None) -> None:
        self.path, self.due = path, time.monotonic() + SECONDS_BETWEEN_BACKUPS

    def restore(self, state: Any) -> tuple[Any, Any]:
        """Return (the last saved state, its history); without a backup of the shapes of `state`, (`state`, [])."""
        if self.path is None or not self.path.exists():
            return state, []
        try:
            with np.load(self.path, allow_pickle=False) as file:
                history = json.loads(str(file["history"]))
                arrays = [file[str(i)] for i in range(len(file.files) - 1)]
            if [a.shape for a in arrays] != [tuple(leaf.shape) for leaf in keras.tree.flatten(state)]:
                raise ValueError("it belongs to another model")
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            warnings.warn(
                f"{self.path} is not a complete backup ({error}): training starts from the beginning", stacklevel=2
            )
            return state, []
        return keras.tree.pack_sequence_as(state, [ops.convert_to_tensor(a) for a in arrays]), history

    def save(self, state: Any, history: Any, at_once: bool = False) -> None:
        """Save the state after an epoch, unless the last backup is too recent. It is on the disk when this returns.

        `at_once` saves it in any case.
        """
        started = time.monotonic()
        if self.path is None or (started < self.due and not at_once):
            return
        arrays = {str(i): ops.convert_to_numpy(leaf) for i, leaf in enumerate(keras.tree.flatten(state))}
        with durable(self.path) as file:
            np.savez(file, history=json.dumps(history), **arrays)
        ended = time.monotonic()
        self.due = ended + max(SECONDS_BETWEEN_BACKUPS, TIMES_ITS_OWN * (ended - started))

    def remove(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
