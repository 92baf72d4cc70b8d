"""Time a search, and a study, in this process and on the workers of a Dask cluster on this machine.

    python benchmarks/workers.py [--rows 6000] [--epochs 10] [--rates 10] [--workers 1 2] [--processes 2]
    python benchmarks/workers.py --study digits [--workers 2]

The search: 784-100-10 over made-up images, two optimizers at `--rates` learning rates, three folds, no refit. Each form
runs twice, so that the second time has no imports and no first compilation; a worker has one thread. The study: by
chunks of replicas and by single fits, each on a cluster of its own and in this machine's processes. One JSON line for
each form, with seconds.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from benchmarks import cluster  # noqa: E402 - found there


def network():
    import keras

    hidden = keras.layers.Dense(100, activation="relu")
    return keras.Sequential([keras.Input((784,)), hidden, keras.layers.Dense(10, activation="softmax")])


def seconds_of_search(rows, epochs, rates, n_jobs=None):
    import numpy as np
    from scikeras.wrappers import KerasClassifier
    from sklearn.model_selection import StratifiedKFold

    from keras_amsgrad import Adam, AMSGrad
    from keras_amsgrad.model_selection import ReplicaGridSearchCV

    x, y = np.random.default_rng(0).normal(size=(rows, 784)).astype("float32"), np.arange(rows) % 10
    estimator = KerasClassifier(
        network, loss="sparse_categorical_crossentropy", epochs=epochs, random_state=0, verbose=0, batch_size=128
    )
    grid = {"optimizer__learning_rate": list(np.logspace(-4, -1, rates)), "optimizer": [AMSGrad, Adam]}
    search = ReplicaGridSearchCV(estimator, grid, cv=StratifiedKFold(3), refit=False, n_jobs=n_jobs)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        search.fit(x, y)
        times.append(round(time.perf_counter() - started, 1))
    return {"first": times[0], "second": times[1]}


@contextlib.contextmanager
def workers_of(count):
    """Give the address of a scheduler with so many workers."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster.scheduler() as address,
        cluster.Workers(address, count, folder),
    ):
        yield address


def searches(options):
    import joblib

    how = options.rows, options.epochs, options.rates
    yield {"form": "this process, all cores", **seconds_of_search(*how)}
    yield {"form": "a process, one core", **on_one_core(options)}
    for count in options.workers:
        from distributed import Client

        with workers_of(count) as address, Client(address) as client, joblib.parallel_config("dask", client=client):
            client.wait_for_workers(count)
            yield {"form": f"{count} Dask workers", **seconds_of_search(*how)}
    for count in options.processes:
        yield {"form": f"n_jobs={count}", **seconds_of_search(*how, n_jobs=count)}


def on_one_core(options):
    """Return the seconds of a search in a new process that may use one core."""
    command = ["taskset", "--cpu-list", "0", sys.executable, __file__, "--here", "--rows", str(options.rows)]
    command += ["--epochs", str(options.epochs), "--rates", str(options.rates)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def runs(options):
    for engine, jobs in (("replicas", []), ("gridsearch", ["--jobs", "2"])):
        yield {"form": f"{engine}, this machine", "seconds": seconds_of_study(options.study, engine, *jobs)}
    for engine in ("replicas", "gridsearch"):
        for count in options.workers:
            with workers_of(count) as address:
                seconds = seconds_of_study(options.study, engine, "--dask", address)
                yield {"form": f"{engine}, {count} Dask workers", "seconds": seconds}


def seconds_of_study(study, engine, *options):
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "studies", "run", study, "--engine", engine, *options, "--out", folder]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return round(time.perf_counter() - started, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rates", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--processes", type=int, nargs="*", default=[2])
    parser.add_argument("--study", help="time this study in place of the search")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps(seconds_of_search(options.rows, options.epochs, options.rates)))
        return
    for found in runs(options) if options.study else searches(options):
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
