"""Fits on a Dask cluster."""

import contextlib
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

from distributed import Client, KilledWorker, get_worker
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from studies.catalog.fit import Fit
from studies.data import official
from studies.data.dataset import Preparation
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.startup import import_keras
from studies.training.workspace import Workspace


def train(fits: list[Fit], workspace: Workspace, address: str) -> None:
    """Train the fits that the journal lacks on the cluster of a scheduler.

    Each worker reads the data itself: joblib's Dask backend would keep the only copy of an array on one worker, and
    lose it, and the study, with that worker. The fit of a killed worker goes to another.
    """
    data, journal = workspace.data, workspace.journal
    if data.preparation is None:
        raise StudyError(f"The workers of a cluster cannot read {data.name}; train on this machine, without Dask.")
    with _client(address) as client:
        missing = workspace.missing(fits)
        futures = client.map(_train, missing, preparation=data.preparation, journal=journal, pure=False)
        try:
            client.gather(futures)
        except (KilledWorker, TerminatedWorkerError) as error:
            raise StudyError(
                "A fit took down Dask workers, perhaps for want of memory. Finished fits are kept: run the command "
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


def _train(fit: Fit, **arguments: Any) -> None:
    """Train one fit in a process of its own, below a Dask worker.

    A Dask worker runs its tasks in threads, beside threads of its own that draw from the same global random numbers;
    a fit whose seed is to mean anything needs a process to itself.
    """
    threads = get_worker().state.nthreads
    share = {"TF_NUM_INTRAOP_THREADS": str(max(1, (os.cpu_count() or 1) // threads))}
    executor = get_reusable_executor(max_workers=threads, timeout=60, env=share)
    executor.submit(_train_here, fit, **arguments).result()


def _train_here(fit: Fit, *, preparation: Preparation, journal: Journal) -> None:
    import_keras()
    from studies.training.repeats import train

    data = _prepared(preparation)
    if data.fingerprint != fit.data:
        raise StudyError(f"A Dask worker sees other {data.name} data than this machine. Give both the same files.")
    train(fit, data, journal)


_prepared = cache(official.prepare)
