"""Where fits run besides this process: in several processes on this machine, or on a Dask cluster."""

import contextlib
import os
from functools import cache

import joblib
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from studies import datasets
from studies.errors import StudyError
from studies.startup import import_keras


@contextlib.contextmanager
def processes(jobs):
    """Let joblib, and so scikit-learn, use `jobs` processes inside this context."""
    if jobs > 1:  # read by TensorFlow when it starts in a worker: each takes its share of the cores
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    try:
        with joblib.parallel_config("loky", n_jobs=jobs, initializer=import_keras):
            yield
    except TerminatedWorkerError as error:
        raise StudyError(
            "A worker process was killed, perhaps for want of memory. Finished fits are kept: run the command "
            "again to continue, with fewer --jobs if it happens again."
        ) from error


def train_on_dask(address, fits, study, data_dir, journal):
    """Train the fits that the journal lacks on a Dask cluster whose workers see the data and the results folder.

    Each worker reads the data itself: joblib's Dask backend would keep the only copy of an array on one worker, and
    lose it, and the study, with that worker. The fit of a killed worker goes to another.
    """
    with _client(address) as client:
        from distributed import KilledWorker

        missing = [fit for fit in fits if journal.find(fit) is None]
        futures = client.map(_train, missing, study=study, data_dir=data_dir, journal=journal, pure=False)
        try:
            client.gather(futures)
        except (KilledWorker, TerminatedWorkerError) as error:
            raise StudyError(
                "A fit took down Dask workers, perhaps for want of memory. Finished fits are kept: run the command "
                "again to continue, with more memory or fewer threads for each worker if it happens again."
            ) from error


@contextlib.contextmanager
def _client(address):
    try:
        from distributed import Client
    except ImportError as error:
        raise StudyError("--dask needs Dask: pip install 'keras_amsgrad[dask]'") from error
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise StudyError(f"No Dask scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise StudyError(f"The Dask scheduler at {address} has no workers. Start some: dask worker {address}")
        yield client


def _train(fit, **arguments):
    """Train one fit in a process of its own, below a Dask worker.

    A Dask worker runs its tasks in threads, beside threads of its own that draw from the same global random numbers;
    a fit whose seed is to mean anything needs a process to itself.
    """
    from distributed import get_worker

    threads = get_worker().state.nthreads
    share = {"TF_NUM_INTRAOP_THREADS": str(max(1, (os.cpu_count() or 1) // threads))}
    executor = get_reusable_executor(max_workers=threads, timeout=60, env=share)
    executor.submit(_train_here, fit, **arguments).result()


def _train_here(fit, *, study, data_dir, journal):
    import_keras()
    from studies.training import train

    data = _prepared(study, data_dir)
    if data.fingerprint != fit.data:
        raise StudyError(f"A Dask worker sees other {study.data} data than this machine. Give both the same files.")
    train(fit, study, data, journal)


@cache
def _prepared(study, data_dir):
    return datasets.load(study.data, data_dir).prepared(study)
