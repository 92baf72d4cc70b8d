"""Fits on a Dask cluster: chunks of replicas, or single fits."""

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from distributed import Client, KilledWorker
from joblib.externals.loky.process_executor import TerminatedWorkerError

from keras_amsgrad.dask import in_own_process
from studies.catalog.fit import Fit
from studies.data import official
from studies.data.dataset import Preparation
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.startup import import_keras
from studies.training import engines
from studies.training.engines import Processes, Replicas
from studies.training.progress import Progress
from studies.training.workspace import Workspace

TASKS_OF_A_WORKER = 2  # so that a worker that is done early takes another's


def train(fits: list[Fit], workspace: Workspace, engine: engines.Dask) -> None:
    """Train the fits that the journal lacks on the cluster of a scheduler.

    Each worker reads the data itself: joblib's Dask backend would keep the only copy of an array on one worker, and
    lose it, and the study, with that worker. The chunk of a killed worker goes to another, and goes on from its backup.
    """
    data, journal = workspace.data, workspace.journal
    if data.preparation is None:
        raise StudyError(f"The workers of a cluster cannot read {data.name}; train on this machine, without Dask.")
    with _client(engine.address) as client:
        workers = len(client.scheduler_info()["workers"])
        chunks = chunks_of(fits, workers) if engine.name == Replicas.name else [[fit] for fit in fits]
        missing = [chunk for chunk in chunks if workspace.missing(chunk)]
        how = {"preparation": data.preparation, "journal": journal, "engine": engine}
        futures = client.map(_train, missing, **how, pure=False)
        try:
            client.gather(futures)
        except (KilledWorker, TerminatedWorkerError) as error:
            raise StudyError(
                "Fits took down Dask workers, perhaps for want of memory. Finished fits are kept: run the command "
                "again to continue, with more memory or fewer threads for each worker if it happens again."
            ) from error


@contextlib.contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise StudyError(f"No Dask scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise StudyError(f"The Dask scheduler at {address} has no workers. Start some: dask worker {address}")
        yield client


def chunks_of(fits: Sequence[Fit], workers: int) -> list[list[Fit]]:
    """Return lists of fits to train as one task each: at least two tasks for each worker, where the fits allow it.

    A task has fits of one network and one optimizer, so that it compiles one program, and as far as possible those
    with the same seed and fold, which share their batches.
    """
    most = math.ceil(len(fits) / workers / TASKS_OF_A_WORKER)
    chunks: list[list[Fit]] = []
    in_order = sorted(fits, key=lambda fit: (_program(fit), _batches(fit)))
    for _, of_program in itertools.groupby(in_order, key=_program):
        open_: list[Fit] = []
        for _, alike in itertools.groupby(of_program, key=_batches):
            group = list(alike)
            if open_ and len(open_) + len(group) > most:
                chunks.append(open_)
                open_ = []
            pieces = [group[i : i + most] for i in range(0, len(group), most)]
            chunks += pieces[:-1]
            open_ = open_ + pieces[-1]
        chunks.append(open_)
    return chunks


def _program(fit: Fit) -> tuple[Any, ...]:
    return fit.model, fit.l2, fit.optimizer, str(fit.bias_correction)


def _batches(fit: Fit) -> tuple[int, int]:
    return fit.seed, -1 if fit.fold is None else fit.fold


def _train(chunk: list[Fit], **arguments: Any) -> None:
    """Train a chunk in a process of its own, below a Dask worker."""
    in_own_process(_train_here, chunk, **arguments)


def _train_here(chunk: list[Fit], *, preparation: Preparation, journal: Journal, engine: engines.Dask) -> None:
    import_keras()
    data = _prepared(preparation)
    if data.fingerprint != chunk[0].data:
        raise StudyError(f"A Dask worker sees other {data.name} data than this machine. Give both the same files.")
    here = Replicas(engine.together) if engine.name == Replicas.name else Processes()
    here.train(chunk, Workspace(data, journal, Progress("", journal, chunk, quiet=True)))


_prepared = cache(official.prepare)
