"""How many replicas of each network to train together: the time of a fit's step, one after another and stacked.

    KERAS_BACKEND=jax python -m benchmarks.gpu_stacking [--small]

Trains replicas as one chunk for a few epochs on random rows, with batches of 128, and takes the median time of the
epochs after the first, which compiles. Stacking pays as long as the time of a fit's step falls. A number that takes 1.5
times as long as a smaller one, or that needs more memory than there is, is the last that is tried. Prints a table as
CSV, and after each network a line such as "vgg: --together 4", the option of `studies run` that was fastest.
"""

import argparse
import itertools
import os
import statistics
import time

import numpy as np

from studies.startup import FULL_FLOAT32

os.environ.update(FULL_FLOAT32 | os.environ)  # before Keras is imported: products as the studies compute them

from benchmarks.gpu_step import device_and_versions
from keras_amsgrad import AMSGrad
from keras_amsgrad.replicas import Replica, train
from studies.networks.published import network

MNIST, CIFAR10 = (28, 28), (32, 32, 3)
# Network, shape of an image, replicas together.
NETWORKS = (
    ("logistic", MNIST, (1, 5, 25, 75)),
    ("feedforward", MNIST, (1, 5, 25, 75)),
    ("cifarnet-drawn", CIFAR10, (1, 5, 25)),
    ("cifarnet", CIFAR10, (1, 4, 12)),
    ("smallvgg", CIFAR10, (1, 4, 12)),
    ("vgg", CIFAR10, (1, 4, 12)),
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


def measured(name, shape, counts, small):
    """Return {replicas together: milliseconds of a fit's step}, for as many of `counts` as stacking pays."""
    batch, epochs, steps = (2, 2, 2) if small else (128, 5, 200 if len(shape) == 2 else 40)
    if small:  # two of the deep ones take minutes to compile on a CPU
        counts = (1,) if name.endswith("vgg") else (1, 2)
    taken = {}
    for together in counts:
        try:
            seconds = statistics.median(seconds_of_epochs(name, shape, together, batch, steps, epochs))
        except Exception as error:  # each backend has an error of its own for too little memory
            if not taken:
                raise
            print(f"# {name}, {together} together: {' '.join(str(error).split())[:200]}", flush=True)
            break
        taken[together] = 1e3 * seconds / steps / together
        print(name, together, f"{taken[together]:.4f}", sep=",", flush=True)
        if taken[together] > 1.5 * min(taken.values()):
            break
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    print(f"# {device_and_versions()}\nmodel,together,ms_per_fit_and_step")
    for name, shape, counts in NETWORKS:
        taken = measured(name, shape, counts, small)
        print(f"{name}: --together {min(taken, key=taken.get)}", flush=True)


if __name__ == "__main__":
    main()
