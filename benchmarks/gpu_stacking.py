"""How many replicas of each network to train together: the time of a fit's step, one after another and stacked.

    KERAS_BACKEND=jax python -m benchmarks.gpu_stacking [--json FILE] [--small]

Trains `together` replicas as one chunk for a few epochs of made-up rows, with batches of 128, and takes the median time
of the epochs after the first, which compiles. Where the time of a fit's step no longer falls, stacking has stopped to
pay; where it is half as much again as with fewer, or memory runs out, more are not tried. `s_per_chunk` is what the
longest fits of the studies named would take, as a chunk of so many. What FILE holds from this machine is not measured
again.
"""

import argparse
import itertools
import math
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.gpu_machine import rows_from_here, write_rows
from benchmarks.gpu_stages import pays
from keras_amsgrad import AMSGrad
from keras_amsgrad.replicas import Replica, train
from studies.catalog import STUDIES
from studies.machine import device
from studies.models import network

BATCH = 128
ROWS = {"mnist": 60_000, "cifar10": 50_000}  # in training
MNIST, CIFAR10 = (28, 28), (32, 32, 3)
# Network, shape of an image, replicas together, and the studies that train it.
NETWORKS = (
    ("logistic", MNIST, (1, 5, 25, 75), "mcgill-logistic korzeniowski-logistic"),
    ("feedforward", MNIST, (1, 5, 25, 75), "mcgill-feedforward"),
    ("cifarnet-drawn", CIFAR10, (1, 5, 25), "mcgill-cifarnet"),
    ("cifarnet", CIFAR10, (1, 4, 12), "korzeniowski-cifarnet"),
    ("smallvgg", CIFAR10, (1, 4, 12), "korzeniowski-smallvgg"),
    ("vgg", CIFAR10, (1, 4, 12), "korzeniowski-vgg"),
)


def seconds_of_epochs(name, shape, together, batch, steps, epochs):
    """Return the seconds of each epoch after the first, of `together` replicas."""
    rows = steps * batch
    rng = np.random.default_rng(0)
    x, y = rng.random((rows, *shape), "float32"), rng.integers(0, 10, rows)
    replicas = [Replica(AMSGrad(alpha), 0, np.arange(rows)) for alpha in np.geomspace(1e-4, 1e-3, together)]
    ends = []
    train(
        lambda: network(name, shape, 10, flip=name in ("cifarnet", "smallvgg", "vgg")),
        replicas,
        x,
        y,
        batch_size=batch,
        epochs=epochs,
        together=together,
        on_epoch=lambda *_: ends.append(time.perf_counter()),
    )
    return [later - earlier for earlier, later in itertools.pairwise(ends)]


def longest_fit(studies):
    """Return the steps of the longest fit of some studies: a run on all rows."""
    return max(
        STUDIES[name].epochs * math.ceil(ROWS[STUDIES[name].data] / STUDIES[name].batch_size) for name in studies
    )


def measured(name, shape, counts, studies, small, rows):
    """Yield a row for each number of replicas together that `rows` does not have yet, while stacking pays."""
    batch, epochs, steps = (2, 2, 2) if small else (BATCH, 5, 200 if len(shape) == 2 else 40)
    known = [row for row in rows if row["model"] == name]
    if small:  # two of the deep ones take minutes to compile on a CPU
        counts = (1,) if name.endswith("vgg") else (1, 2)
    for together in counts[len(known) :]:
        if not pays([row["ms_per_fit_and_step"] for row in known]):
            break
        try:
            taken = statistics.median(seconds_of_epochs(name, shape, together, batch, steps, epochs))
        except Exception as error:  # each backend has an error of its own for too little memory
            print(f"{name}, {together} together: {str(error)[:200]}", flush=True)
            break
        known.append(
            {
                "model": name,
                "together": together,
                "batch": batch,
                "ms_per_fit_and_step": round(1e3 * taken / steps / together, 4),
                "s_per_chunk": round(taken / steps * longest_fit(studies.split()), 1),
                "studies": studies,
            }
        )
        yield known[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    rows = rows_from_here(options.json)
    for each in NETWORKS:
        for row in measured(*each, options.small, list(rows)):
            rows.append(row)
            print(*row.values(), sep="  ", flush=True)
            if options.json:  # every time: a time limit may come
                write_rows(options.json, rows, device=device())


if __name__ == "__main__":
    main()
