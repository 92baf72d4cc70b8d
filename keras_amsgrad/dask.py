"""Processes of their own below the workers of a Dask cluster."""

import os
from collections.abc import Callable
from typing import Any

from joblib.externals.loky import get_reusable_executor


def in_dask_worker() -> bool:
    """Return whether this is a task of a Dask worker."""
    try:
        from distributed import get_worker
    except ImportError:
        return False
    try:
        get_worker()
    except ValueError:
        return False
    return True


def in_own_process(function: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """Return what a function gives in a process below this Dask worker, which has one for each of its threads.

    A Dask worker runs its tasks in threads, beside threads of its own that draw from the same global random numbers.
    A fit whose seed is to mean anything needs a process in which nothing else runs. The processes share the cores of
    the machine, and end when they have been idle for a minute.
    """
    from distributed import get_worker

    threads = get_worker().state.nthreads
    share = {"TF_NUM_INTRAOP_THREADS": str(max(1, (os.cpu_count() or 1) // threads))}
    executor = get_reusable_executor(max_workers=threads, timeout=60, env=share)
    return executor.submit(function, *arguments, **settings).result()
