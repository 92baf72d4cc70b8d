"""How the time of an epoch grows with the number of replicas, from 1 to 200.

    python benchmarks/growth.py [--data-dir DIR] [--models logistic feedforward] [--rows 60000]

The replicas train on two thirds of MNIST's first `--rows` training rows, batch 128. The time of an epoch is a third of
what four epochs take more than one.
"""

import argparse
import time

import numpy as np

from keras_amsgrad import AMSGrad
from keras_amsgrad.replicas import Replica, train
from studies.data import official
from studies.networks.published import network

BATCH = 128


def growth(name, x, y):
    """Yield (replicas, seconds of an epoch)."""
    rows = np.arange(len(y) * 2 // 3)

    def seconds(replicas, epochs):
        started = time.perf_counter()
        train(lambda: network(name, (28, 28), 10), replicas, x, y, batch_size=BATCH, epochs=epochs)
        return time.perf_counter() - started

    seconds([Replica(AMSGrad(), 0, rows[:BATCH])], 1)  # a warm-up
    for count in (1, 5, 25, 75, 200):
        replicas = [Replica(AMSGrad(alpha), 0, rows) for alpha in np.geomspace(1e-4, 1e-2, count)]
        once = seconds(replicas, 1)
        yield count, (seconds(replicas, 4) - once) / 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--models", nargs="+", default=["logistic", "feedforward"])
    parser.add_argument("--rows", type=int, default=60_000)
    arguments = parser.parse_args()
    data = official.load("mnist", arguments.data_dir)
    x, y = data.x_train[: arguments.rows].astype("float32") / 255, data.y_train[: arguments.rows]
    print("| model | replicas | s an epoch |\n|---|---|---|")
    for name in arguments.models:
        for count, cost in growth(name, x, y):
            print(f"| {name} | {count} | {cost:.2f} |", flush=True)


if __name__ == "__main__":
    main()
