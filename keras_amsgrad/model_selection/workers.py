"""Chunks of replicas on the workers of joblib's active backend: processes of this machine, or of a cluster."""

import contextlib
import dataclasses
import pickle
import threading
import uuid
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import BACKENDS, ParallelBackendBase, get_active_backend

from keras_amsgrad.model_selection.adapter import Adapter
from keras_amsgrad.model_selection.fits import Fit, warn
from keras_amsgrad.model_selection.plans import Plan
from keras_amsgrad.replicas import random_state
from keras_amsgrad.replicas.chunks import Chunking
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome
from keras_amsgrad.replicas.training import train


class WorkersError(RuntimeError):
    """The workers of a search could not train a chunk; the message says why, and what to do."""


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


class JoblibWorkers:
    """The workers of joblib's active backend, for one search. Use it in a `with` statement.

    Attributes:
        count: How many chunks they train at the same time.
    """

    def __init__(self, backend: ParallelBackendBase, n_jobs: int | None, search: SharedSearch) -> None:
        self.search, self.count = search, effective_n_jobs(n_jobs)
        self.parallel = Parallel(n_jobs=n_jobs, backend=backend, batch_size=1, return_as="generator_unordered")

    def __enter__(self) -> "JoblibWorkers":
        with _explained():
            self.parallel.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.parallel.__exit__(*error)

    def for_call(self, batch: SharedBatch, positions: Sequence[int], **how: Any) -> "CallWorkers":
        """Return the workers as `replicas.train` uses them for the fits at some positions of a batch."""
        return CallWorkers(self, batch, positions, **how)

    def outcomes(self, batch: SharedBatch, tasks: Sequence[Task]) -> Iterator[tuple[int, list[Outcome]]]:
        """Train tasks; yield the number of each and its outcomes, as they finish.

        Raises:
            WorkersError: A worker ended, or could not receive a task.
            Exception: What training raised in a worker.
        """
        with _explained():
            running = self.parallel(self._call(batch, number, task) for number, task in enumerate(tasks))
        with contextlib.closing(running):
            for _ in tasks:
                with _explained():
                    number, result = self._result(next(running))
                if isinstance(result, Exception):
                    raise result
                yield number, result

    def _call(self, batch: SharedBatch, number: int, task: Task) -> Any:
        return delayed(_train)(self.search.name, batch, number, task, self.search)

    def _result(self, found: Any) -> tuple[int, list[Outcome] | Exception]:
        return found


class DaskWorkers(JoblibWorkers):
    """The workers of a Dask cluster: each receives the search once, and trains in processes below it."""

    def __init__(self, backend: Any, n_jobs: int | None, search: SharedSearch) -> None:
        from keras_amsgrad import dask

        with _explained():
            self.dask, self.pickled = dask, dask.pickled(search)
            # joblib would send a large argument to one worker, and lose it with that worker.
            everywhere = type(backend)(client=backend.client, scatter=[self.pickled], **backend.submit_kwargs)
        super().__init__(everywhere, n_jobs, search)

    def _call(self, batch: SharedBatch, number: int, task: Task) -> Any:
        call = _train, (self.search.name, batch, number, task)
        return delayed(self.dask.in_own_process)(self.dask.pickled(call), self.pickled)

    def _result(self, found: bytes) -> tuple[int, list[Outcome] | Exception]:
        return self.dask.unpickled(found)


@dataclasses.dataclass(frozen=True, eq=False)
class CallWorkers:
    """Workers for one call of `replicas.train`; see `keras_amsgrad.replicas.training.Workers`.

    Attributes:
        workers: Those of the search.
        batch: The batch of candidates.
        positions: The position in the batch of each replica of the call.
        starts, own_strengths, resumable: See `Task`; `starts` has one outcome, or None, for each replica of the call.
    """

    workers: JoblibWorkers
    batch: SharedBatch
    positions: Sequence[int]
    starts: Sequence[Outcome | None]
    own_strengths: bool
    resumable: bool

    @property
    def count(self) -> int:
        return self.workers.count

    def train(self, chunking: Chunking, backups: Sequence[Path | None]) -> Iterator[tuple[int, list[Outcome]]]:
        tasks = [
            Task(
                [self.positions[i] for i in part],
                Chunking(((tuple(range(len(part))), size),), chunking.steps),
                backup,
                [self.starts[i] for i in part],
                self.own_strengths,
                self.resumable,
            )
            for (part, size), backup in zip(chunking.parts, backups, strict=True)
        ]
        return self.workers.outcomes(self.batch, tasks)


@contextlib.contextmanager
def workers_of(n_jobs: int | None, search: SharedSearch) -> Iterator[JoblibWorkers | None]:
    """Give the workers that `n_jobs` and joblib's active backend stand for; None where this process trains all chunks.

    This process trains with all cores. So it does with `n_jobs` of None or 1, with `n_jobs=-1` for processes of this
    machine, and with backends that share memory.
    """
    backend, of_context = get_active_backend()
    forks = type(backend) is BACKENDS["multiprocessing"]
    if forks and n_jobs != 1:
        warn(
            "Keras cannot train in the processes of joblib's backend 'multiprocessing', so this process trains all "
            "fits. Use the backend 'loky'."
        )
    shares_memory = getattr(backend, "supports_sharedmem", False)
    all_cores = isinstance(backend, BACKENDS["loky"]) and (of_context if n_jobs is None else n_jobs) in (None, 1, -1)
    if n_jobs == 1 or forks or shares_memory or all_cores:
        yield None
        return
    kind = DaskWorkers if hasattr(backend, "data_futures") else JoblibWorkers
    with kind(backend, n_jobs, search) as workers:
        yield workers


def train_plans(
    plans: Sequence[Plan],
    programs: ProgramCache,
    *,
    starts: Sequence[Outcome | None],
    own_strengths: bool,
    **how: Any,
) -> list[Outcome]:
    """Train plans that are alike; return the outcome of each, and None for those that `how` counts as finished.

    Args:
        plans: Plans with the same `key`.
        programs: The programs of their `program_key`.
        starts: The outcomes from which they continue; None for each that starts at the beginning.
        own_strengths: Whether each replica has strengths of its own; see `Replica`.
        how: Further arguments of `replicas.train`.
    """
    plan = plans[0]
    replicas = [
        each.replica(start, each.network.strengths if own_strengths else None)
        for each, start in zip(plans, starts, strict=True)
    ]
    metrics, weighted_metrics = plan.network.metrics
    return train(
        programs,
        replicas,
        plan.x,
        plan.y,
        loss=plan.network.model.loss,
        metrics=metrics or [],
        weighted_metrics=weighted_metrics,
        batch_size=plan.batch_size,
        validation_batch_size=plan.validation_batch_size,
        shuffle=plan.shuffle,
        callbacks=plan.callbacks,
        **how,
    )


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
        if batch.seed is not None:
            self.adapter.draw_seed = lambda: int(batch.seed or 0)
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


def _train(
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


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Raise WorkersError for an error of joblib's or the cluster's own."""
    try:
        yield
    except WorkersError:
        raise
    except Exception as error:
        causes = [f"{type(error).__name__}: {error}", *str(error.__cause__ or "").strip('\n"').splitlines()[-1:]]
        words = " ".join(": ".join(cause.rstrip(". ") for cause in causes).split())[:500]
        raise WorkersError(
            f"The workers cannot train: {words}. Where workers ended, they may have lacked memory. With "
            'resume="FOLDER" the same search goes on from what is finished; with n_jobs=1 this process trains.'
        ) from error
