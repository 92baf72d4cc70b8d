"""Calls in processes of their own below the workers of a Dask cluster.

A Dask worker runs its tasks in threads, beside threads of its own that draw from the same global random numbers. A fit
whose seed is to mean anything needs a process in which nothing else runs.

Dask's scheduler and workers read the function and the arguments of a task. So that they do not import Keras and a
backend for that, in hundreds of megabytes, they receive bytes, and the function that passes them on with its code.
"""

from typing import Any

import cloudpickle


def pickled(value: Any) -> bytes:
    """Return anything as bytes, functions and classes of the main program included."""
    return bytes(cloudpickle.dumps(value))


def unpickled(content: bytes) -> Any:
    """Return what `pickled` was given."""
    return cloudpickle.loads(content)


def in_own_process(call: bytes, *shared: bytes) -> bytes:
    """Run a pickled (function, arguments) in a process below this Dask worker; return its result, pickled.

    `shared` are further arguments of the function, as they are.

    The worker has such a process for each of its threads. They share the cores of the machine, and end when they have
    been idle for a minute.
    """
    import os

    from distributed import get_worker
    from joblib.externals.loky import get_reusable_executor

    def run(call: bytes, *shared: bytes) -> bytes:
        import cloudpickle

        function, arguments = cloudpickle.loads(call)
        return bytes(cloudpickle.dumps(function(*arguments, *shared)))

    threads = get_worker().state.nthreads
    share = {"TF_NUM_INTRAOP_THREADS": str(max(1, (os.cpu_count() or 1) // threads))}
    executor = get_reusable_executor(max_workers=threads, timeout=60, env=share)
    return bytes(executor.submit(run, call, *shared).result())


in_own_process.__module__ = "__main__"  # whose functions are sent with their code
