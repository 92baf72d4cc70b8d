"""Where fits run: in this process, in several processes on this machine, or on a Dask cluster; joblib spreads them."""

import contextlib
import os

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from studies.errors import StudyError


def spread(jobs=1, dask=None):
    """Return a context in which joblib, and so scikit-learn, spreads work over `jobs` processes or a Dask cluster."""
    return _on_dask(dask) if dask else _in_processes(jobs)


@contextlib.contextmanager
def _in_processes(jobs):
    if jobs > 1:  # read by TensorFlow when it starts in a worker: each takes its share of the cores
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    try:
        with joblib.parallel_config(n_jobs=jobs):
            yield
    except TerminatedWorkerError as error:
        raise StudyError(
            "A worker process was killed, perhaps for want of memory. Finished fits are kept: run the same command "
            "again to continue, with fewer --jobs if it happens again."
        ) from error


@contextlib.contextmanager
def _on_dask(address):
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise StudyError("--dask needs Dask: pip install 'keras_amsgrad[dask]'") from error
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise StudyError(f"No Dask scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise StudyError(f"The Dask scheduler at {address} has no workers. Start some: dask worker {address}")
        try:
            with joblib.parallel_config(backend="dask"):
                yield
        except KilledWorker as error:
            raise StudyError(
                "A fit took down several Dask workers, one after another. Finished fits are kept: give the workers "
                "more memory, and run the same command again to continue."
            ) from error
