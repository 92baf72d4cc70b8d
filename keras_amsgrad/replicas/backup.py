"""Backups inside a long chunk: a killed chunk goes on from its last whole epoch, to the bit."""

import json
import pathlib
import time
import warnings
import zipfile

import keras
import numpy as np
from keras import ops

from keras_amsgrad.replicas.program import State
from keras_amsgrad.replicas.replica import History

SECONDS_BETWEEN_BACKUPS = 5  # so that short epochs do not pay for them
TIMES_ITS_OWN = 10  # and so much longer than the last one took: a gigabyte takes seconds


class Backup:
    """Keeps the state of a chunk and the histories of its replicas in the file `path`; without one, nothing."""

    def __init__(self, path: pathlib.Path | None) -> None:
        self.path, self.due = path, time.monotonic() + SECONDS_BETWEEN_BACKUPS

    def restore(self, state: State) -> tuple[State, list[History]]:
        """Return (the state after the last saved epoch, the histories until then); `state` is that before the first."""
        if self.path is None or not self.path.exists():
            return state, []
        try:
            with np.load(self.path, allow_pickle=False) as file:
                histories = json.loads(str(file["histories"]))
                arrays = [file[str(i)] for i in range(len(file.files) - 1)]
            if [a.shape for a in arrays] != [tuple(leaf.shape) for leaf in keras.tree.flatten(state)]:
                raise ValueError("it is of another model")
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            warnings.warn(f"{self.path} is not a whole backup ({error}): its replicas start afresh", stacklevel=2)
            return state, []
        return keras.tree.pack_sequence_as(state, [ops.convert_to_tensor(a) for a in arrays]), histories

    def save(self, state: State, histories: list[History]) -> None:
        """Save after an epoch, unless that was just done."""
        started = time.monotonic()
        if self.path is None or started < self.due:
            return
        arrays = {str(i): ops.convert_to_numpy(leaf) for i, leaf in enumerate(keras.tree.flatten(state))}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".part.npz")
        np.savez(aside, histories=json.dumps(histories), **arrays)
        aside.replace(self.path)
        ended = time.monotonic()
        self.due = ended + max(SECONDS_BETWEEN_BACKUPS, TIMES_ITS_OWN * (ended - started))

    def remove(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
