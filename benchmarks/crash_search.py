"""Kill a running search at random instants, start it again, until it is done; count what was lost or trained twice.

    python benchmarks/crash_search.py [--kills 50] [--search grid|halving]
    python benchmarks/crash_search.py --dask [--kills 20]   # kill workers of a Dask cluster of two, not the search
    python benchmarks/crash_search.py --memory 300       # largest memory, in bytes, of a search of so many fits
    python benchmarks/crash_search.py --start 10000      # seconds until a resume of so many finished fits trains

Without `--memory` and `--start`, searches are run in new folders until so many kills met one. Prints one JSON line: the
kills, how many of these came after another fit was kept, searches, kept fits lost, kept fits written again, replicas
that trained a second time because a kill met the writing of their chunk, and whether `cv_results_` (times apart) and
the refitted weights of every search are those of an uninterrupted one, to the bit. With `--dask`, a killed worker is
replaced by a new one, and `starts` counts how often searches were started: again where Dask gave a chunk up.
"""

import argparse
import contextlib
import functools
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

import joblib  # noqa: E402

from benchmarks import cluster  # noqa: E402 - found there
from benchmarks.crash import crash_until_done, grown, run  # noqa: E402

ROWS = 1500


def records(folder):
    """Return the bytes of every record, by name. They hold the seconds that a fit took, so a second training shows."""
    return {path.name: path.read_bytes() for path in (folder / "fits").glob("*.npz")}


def network(units=32):
    """Return a network of MNIST's shape: 784-32-10 with dropout."""
    import keras

    hidden = [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(0.2)]
    return keras.Sequential([keras.Input((784,)), *hidden, keras.layers.Dense(10, activation="softmax")])


def search_of(kind, folder, rates=10, epochs=60):
    """Return a search over `rates` learning rates of two optimizers, with three folds."""
    import numpy as np
    from scikeras.wrappers import KerasClassifier
    from sklearn.model_selection import StratifiedKFold

    from keras_amsgrad import Adam, AMSGrad
    from keras_amsgrad.model_selection import ReplicaGridSearchCV, ReplicaHalvingGridSearchCV

    settings = {"epochs": epochs, "random_state": 0, "verbose": 0}
    estimator = KerasClassifier(network, loss="sparse_categorical_crossentropy", **settings)
    grid = {"optimizer__learning_rate": list(np.logspace(-4, -1, rates)), "optimizer": [AMSGrad, Adam]}
    shared = {"cv": StratifiedKFold(3), "scoring": "neg_log_loss", "resume": folder}
    if kind == "halving":
        rounds = {"resource": "epochs", "min_resources": epochs // 3, "max_resources": epochs * 3, "factor": 3}
        return ReplicaHalvingGridSearchCV(estimator, grid, **rounds, random_state=0, **shared)
    return ReplicaGridSearchCV(estimator, grid, **shared)


def data(rows=ROWS):
    import numpy as np

    chance = np.random.default_rng(0)
    return chance.normal(size=(rows, 784)).astype("float32"), np.arange(rows) % 10


def search(kind, folder, results, address=None):
    """Run a search, on the cluster of a Dask scheduler if its address is given.

    Its results, times apart, and a digest of its weights are written to the file `results`.
    Replicas that train although they are kept are counted in the file `again` beside it, a line for each chunk.
    """
    import keras

    from keras_amsgrad.model_selection.resumption import Resumption

    hooks = Resumption.hooks

    def counted(resumption, names, rows, finished):
        found = hooks(resumption, names, rows, finished)
        done = found["on_chunk"]

        def on_chunk(positions, outcomes):
            with results.with_name("again").open("a") as file:
                print(len(set(positions) & set(finished)), file=file)
            done(positions, outcomes)

        return {**found, "on_chunk": on_chunk}

    Resumption.hooks = counted
    with contextlib.ExitStack() as stack:
        if address:
            from distributed import Client

            stack.enter_context(joblib.parallel_config("dask", client=stack.enter_context(Client(address))))
        found = search_of(kind, folder).fit(*data())
    weights = [keras.ops.convert_to_numpy(each).tobytes() for each in found.best_estimator_.model_.variables]
    kept = {name: [repr(each) for each in values] for name, values in found.cv_results_.items() if "time" not in name}
    results.write_text(json.dumps([kept, hashlib.sha256(b"".join(weights)).hexdigest()]))


def crash(kind, kills, *window):
    """Return what `kills` kills of searches did; `window` are further arguments of `crash_until_done`."""
    counts = dict.fromkeys(("kills", "after_new_records", "searches", "lost", "retrained", "trained_in_part_again"), 0)
    with tempfile.TemporaryDirectory() as temporary:

        def command(name):
            folder = Path(temporary) / name
            folder.mkdir()
            return [sys.executable, __file__, "--search", kind, "--child", str(folder)]

        run(command("whole"))
        whole, same = (Path(temporary) / "whole" / "results").read_text(), True
        while counts["kills"] < kills:
            name = str(counts["searches"])
            found = functools.partial(records, Path(temporary) / name / "kept")
            left = kills - counts["kills"]
            shortest, longest, from_new = window
            times = shortest, longest, counts["searches"], from_new
            for count, number in crash_until_done(command(name), found, left, *times).items():
                counts[count] += number
            counts["searches"] += 1
            again = (Path(temporary) / name / "again").read_text().split()
            counts["trained_in_part_again"] += sum(map(int, again))
            same = same and (Path(temporary) / name / "results").read_text() == whole
    return {"search": kind, **counts, "same_results": same}


def crash_workers(kind, kills, shortest, longest, from_new):
    """Return what `kills` kills of workers did to searches that the workers train; see `crash_until_done`."""
    counts = dict.fromkeys(("kills", "after_new_records", "searches", "starts", "lost", "retrained"), 0)
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as temporary, cluster.scheduler() as address:
        here = Path(temporary)
        with cluster.Workers(address, 2, here / "dask") as workers:

            def start(name):
                (here / name).mkdir(exist_ok=True)
                command = [sys.executable, __file__, "--search", kind, "--child", str(here / name), "--dask"]
                counts["starts"] += 1
                return subprocess.Popen([*command, "--address", address], stderr=subprocess.PIPE, text=True)

            if start("whole").wait():
                raise RuntimeError("the search without kills failed")
            whole, same = (here / "whole" / "results").read_text(), True
            while counts["kills"] < kills:
                name = str(counts["searches"])
                found = functools.partial(records, here / name / "kept")
                process = start(name)
                while process.returncode != 0:
                    before, killed = found(), False
                    while from_new and not grown(found, before) and process.poll() is None:
                        time.sleep(0.02)
                    try:
                        _, error = process.communicate(timeout=chance.uniform(shortest, longest))
                        if process.returncode:  # a chunk met more kills than Dask's scheduler allows
                            if "WorkersError" not in error:
                                raise RuntimeError(f"it failed instead of going on: {error}")
                            process = start(name)
                    except subprocess.TimeoutExpired:
                        if killed := counts["kills"] < kills:
                            counts["kills"] += 1
                            workers.kill(chance.randrange(2))
                            workers.start()
                    after = found()
                    counts["after_new_records"] += killed and after.keys() > before.keys()
                    counts["lost"] += len(before.keys() - after.keys())
                    counts["retrained"] += sum(before[each] != after[each] for each in before.keys() & after.keys())
                counts["searches"] += 1
                same = same and (here / name / "results").read_text() == whole
    return {"search": kind, **counts, "same_results": same}


def memory(fits):
    """Return the largest memory of this process, in bytes, after a search of so many fits that are kept."""
    with tempfile.TemporaryDirectory() as folder:
        search_of("grid", folder, rates=fits // 6, epochs=3).fit(*data())
    return {"fits": fits, "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def start(fits):
    """Return the seconds until a search plans its first new fit, where the records of `fits` others are there.

    The records are made up. A second number has the seconds until it begins to train the new ones.
    """
    import numpy as np

    from keras_amsgrad.model_selection.kept_fits import Call
    from keras_amsgrad.model_selection.resumption import Resumption
    from keras_amsgrad.replicas.chunks import Chunking
    from keras_amsgrad.replicas.replica import Outcome

    batch, hooks, times = Resumption.batch, Resumption.hooks, {}
    rates = fits // 6 + 1

    def made_up(self, found):
        weights = [np.zeros((784, 32), "float32"), np.zeros(32, "float32")]
        outcome = Outcome("ok", {"loss": [1.0] * 60}, weights, np.zeros((500, 10), "float32"), 1.0)
        names = [self.names.name(fit) for fit in found]
        for name in names[:fits]:
            self.kept.write(name, outcome, np.arange(500), with_state=False)
        parts = tuple((tuple(range(i, min(i + 10, len(names)))), 10) for i in range(0, len(names), 10))
        self.kept.add_call(Call(tuple(names), Chunking(parts, 1000), (0,)))
        raise KeyboardInterrupt

    def looked_up(self, found):
        batch_of_search = batch(self, found)
        times["new"] = len(batch_of_search.names) - len(batch_of_search.stored)
        times["until_planning"] = time.monotonic() - started
        return batch_of_search

    def begun(*_):
        times["until_training"] = time.monotonic() - started
        raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as folder:
        for on_batch, on_call in ((made_up, hooks), (looked_up, begun)):
            Resumption.batch, Resumption.hooks = on_batch, on_call
            started = time.monotonic()
            with contextlib.suppress(KeyboardInterrupt):
                search_of("grid", folder, rates).fit(*data())
    return {"finished": fits, **times}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--search", choices=("grid", "halving"), default="grid")
    parser.add_argument("--shortest", type=float, default=8, help="seconds from a start to its kill, at least")
    parser.add_argument("--longest", type=float, default=16, help="and at most: enough to start and finish a chunk")
    parser.add_argument("--from-new-records", action="store_true", help="count from the first fit that a start keeps")
    parser.add_argument("--memory", type=int)
    parser.add_argument("--start", type=int)
    parser.add_argument("--dask", action="store_true", help="kill workers of a Dask cluster, not the search")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        search(options.search, options.child / "kept", options.child / "results", options.address)
    elif options.memory or options.start:
        print(json.dumps(memory(options.memory) if options.memory else start(options.start)))
    else:
        kill = crash_workers if options.dask else crash
        window = options.shortest, options.longest, options.from_new_records
        print(json.dumps(kill(options.search, options.kills, *window)))


if __name__ == "__main__":
    main()
