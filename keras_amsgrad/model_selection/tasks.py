"""What the workers of a search receive, and how one of them trains it."""

import dataclasses
import pickle
import threading
import uuid
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_amsgrad.model_selection.adapter import Adapter
from keras_amsgrad.model_selection.fits import Fit
from keras_amsgrad.model_selection.plans import train_plans
from keras_amsgrad.replicas import random_state
from keras_amsgrad.replicas.chunks import Chunking
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome


class WorkersError(RuntimeError):
    """The workers of a search could not train a chunk; the message says why, and what to do.

    >>> issubclass(WorkersError, RuntimeError)  # what was kept with `resume` stays, and the same search goes on
    True
    """


@dataclasses.dataclass(frozen=True, eq=False)
class SharedSearch:
    """What all chunks of a search need: each worker receives it once where the backend can do that.

    Attributes:
        adapter: The class of the adapter.
        estimator, X, y, sample_weight: What it plans.
        settings: Keras's global settings in the process of the search.
        name: Tells searches apart.
    """

    adapter: type[Adapter]
    estimator: Any
    X: Any
    y: Any
    sample_weight: Any
    settings: dict[str, Any] = dataclasses.field(default_factory=lambda: _settings())
    name: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)


@dataclasses.dataclass(frozen=True, eq=False)
class SharedBatch:
    """What the chunks of a batch of candidates need: the fits, and the seed of those without one of their own."""

    fits: Sequence[Fit]
    seed: int | None
    name: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """A chunk to train.

    Attributes:
        positions: The positions of its fits in the batch, in their order.
        chunking: The division of these fits, which is one chunk.
        backup: The file in which it saves its state; None for none.
        starts: The outcomes from which its fits continue; None for each that starts at the beginning.
        own_strengths: Whether each replica has strengths of its own; see `Replica`.
        resumable: Whether to keep the states from which outcomes can be continued.
    """

    positions: list[int]
    chunking: Chunking
    backup: Path | None
    starts: list[Outcome | None]
    own_strengths: bool
    resumable: bool


class SearchInWorker:
    """A search in the process of a worker: what its chunks share stays from one chunk to the next."""

    def __init__(self, search: SharedSearch) -> None:
        _take_settings(search.settings)
        self.name = search.name
        self.adapter = search.adapter(search.estimator, search.X, search.y, search.sample_weight)
        self.batches: dict[str, SharedBatch] = {}
        self.programs: dict[Hashable, ProgramCache] = {}

    def train(self, batch: SharedBatch, task: Task) -> list[Outcome]:
        # The first copy of a batch serves all its chunks: names of what is kept may hold the `id` of its objects.
        batch = self.batches.setdefault(batch.name, batch)
        fits = [batch.fits[i] for i in task.positions]
        if (seed := batch.seed) is not None:
            self.adapter.draw_seed = lambda: seed
        with random_state.preserved():
            self.adapter.prepare(fits)
            plans = [self.adapter.plan(fit) for fit in fits]
            first = plans[0]
            place = first.program_key, task.own_strengths or first.network.strengths
            programs = self.programs.setdefault(place, ProgramCache(first.network.build))
            # The folder of a search on another machine may not be there.
            there = task.backup is not None and task.backup.parents[1].is_dir()
            return train_plans(
                plans,
                programs,
                starts=task.starts,
                own_strengths=task.own_strengths,
                chunking=task.chunking,
                resumable=task.resumable,
                backup=(lambda positions: task.backup) if there else None,
            )


_one_at_a_time = threading.Lock()  # a backend may run tasks in threads, which share one random state
_search_here: SearchInWorker | None = None


def train_task(
    name: str, batch: SharedBatch, number: int, task: Task, search: SharedSearch | bytes
) -> tuple[int, list[Outcome] | Exception]:
    """Train a chunk in this process; return its number, and its outcomes or what training raised.

    `search` is read where this process does not know the search `name`; bytes are a pickled one.
    """
    global _search_here
    with _one_at_a_time:
        if _search_here is None or _search_here.name != name:
            _search_here = SearchInWorker(pickle.loads(search) if isinstance(search, bytes) else search)
        try:
            return number, _search_here.train(batch, task)
        except Exception as error:
            return number, error


def _settings() -> dict[str, Any]:
    """Return Keras's global settings, on which numbers depend."""
    return {
        "backend": keras.backend.backend(),
        "floatx": keras.config.floatx(),
        "image_data_format": keras.config.image_data_format(),
        "dtype_policy": keras.dtype_policies.serialize(keras.config.dtype_policy()),
    }


def _take_settings(settings: dict[str, Any]) -> None:
    if settings["backend"] != keras.backend.backend():
        raise WorkersError(
            f"A worker has Keras's backend {keras.backend.backend()}, and the search {settings['backend']}. Start all "
            f"workers with KERAS_BACKEND={settings['backend']}."
        )
    keras.config.set_floatx(settings["floatx"])
    keras.config.set_image_data_format(settings["image_data_format"])
    keras.config.set_dtype_policy(keras.dtype_policies.deserialize(settings["dtype_policy"]))
