"""Chunks of replicas on the workers of joblib's active backend: processes of this machine, or of a cluster."""

import contextlib
import dataclasses
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import BACKENDS, ParallelBackendBase, get_active_backend

from keras_amsgrad.model_selection.fits import warn
from keras_amsgrad.model_selection.tasks import SharedBatch, SharedSearch, Task, WorkersError, train_task
from keras_amsgrad.replicas.chunks import Chunking
from keras_amsgrad.replicas.replica import Outcome

Call = tuple[str, SharedBatch, int, Task]  # the arguments of `train_task`, without the search
Run = Callable[[Sequence[Call]], Generator[Any]]


@dataclasses.dataclass(frozen=True, eq=False)
class SearchWorkers:
    """The workers for one search.

    Attributes:
        search: What they train.
        count: How many chunks they train at the same time.
        run: Returns a generator of what `train_task` gives for each of some calls, in the order in which they finish.
    """

    search: SharedSearch
    count: int
    run: Run

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
            running = self.run([(self.search.name, batch, number, task) for number, task in enumerate(tasks)])
        with contextlib.closing(running):
            for _ in tasks:
                with _explained():
                    number, result = next(running)
                if isinstance(result, Exception):
                    raise result
                yield number, result


@contextlib.contextmanager
def _by_joblib(backend: ParallelBackendBase, n_jobs: int | None, search: SharedSearch) -> Iterator[Run]:
    """Give the `run` of `SearchWorkers` for the processes of a backend of joblib.

    Ray's returns the results of a call of `Parallel` together, when all are there. It receives rounds of as many chunks
    as it has workers, so that the fits of each round can be kept.
    """
    together, count = not backend.supports_return_generator, effective_n_jobs(n_jobs)
    how = "list" if together else "generator_unordered"
    with Parallel(n_jobs=n_jobs, backend=backend, batch_size=1, return_as=how) as parallel:

        def run(calls: Sequence[Call]) -> Generator[Any]:
            size = count if together else len(calls)
            for i in range(0, len(calls), size):
                yield from parallel(delayed(train_task)(*call, search) for call in calls[i : i + size])

        yield run


@contextlib.contextmanager
def _by_dask(backend: Any, n_jobs: int | None, search: SharedSearch) -> Iterator[Run]:
    """Give the `run` of `SearchWorkers` for a cluster, whose workers receive the search once, and train below them.

    Calls go to Dask directly. Through joblib 1.6, one worker would receive the search, which would be lost with it; and
    a search would wait for ever for a task that Dask has given up.
    """
    from distributed import as_completed

    from keras_amsgrad.dask import in_own_process, pickled, unpickled

    client, options = backend.client, {"pure": False, **backend.submit_kwargs}
    (everywhere,) = client.scatter([pickled(search)], broadcast=True)

    def run(calls: Sequence[Call]) -> Generator[Any]:
        futures = [client.submit(in_own_process, pickled((train_task, call)), everywhere, **options) for call in calls]
        try:
            for future in as_completed(futures, loop=client.loop):
                yield unpickled(future.result())
        finally:
            client.cancel(futures)

    try:
        yield run
    finally:
        everywhere.release()


@dataclasses.dataclass(frozen=True, eq=False)
class CallWorkers:
    """Workers for one call of `replicas.train`; see `keras_amsgrad.replicas.training.Workers`.

    Attributes:
        workers: Those of the search.
        batch: The batch of candidates.
        positions: The position in the batch of each replica of the call.
        starts, own_strengths, resumable: See `Task`; `starts` has one outcome, or None, for each replica of the call.
    """

    workers: SearchWorkers
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
def workers_of(n_jobs: int | None, search: SharedSearch) -> Iterator[SearchWorkers | None]:
    """Give the workers that `n_jobs` and joblib's active backend stand for; None where this process trains all chunks.

    This process trains with all cores. So it does with `n_jobs=1`, where joblib has one process, with `n_jobs=-1` for
    processes of this machine, and with backends that share memory.
    """
    backend, of_context = get_active_backend()
    forks = type(backend) is BACKENDS["multiprocessing"]
    if forks and n_jobs != 1:
        warn(
            "Keras cannot train in the processes of joblib's backend 'multiprocessing', so this process trains all "
            "fits. Use the backend 'loky'."
        )
    shares_memory = getattr(backend, "supports_sharedmem", False)
    all_cores = isinstance(backend, BACKENDS["loky"]) and (of_context if n_jobs is None else n_jobs) == -1
    of_dask = hasattr(backend, "data_futures")
    if n_jobs == 1 or forks or shares_memory or all_cores or (not of_dask and effective_n_jobs(n_jobs) == 1):
        yield None
        return
    with contextlib.ExitStack() as stack:
        with _explained():
            run = stack.enter_context((_by_dask if of_dask else _by_joblib)(backend, n_jobs, search))
        yield SearchWorkers(search, effective_n_jobs(n_jobs), run)


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
