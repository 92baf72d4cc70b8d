"""How long a grid search takes: scikit-learn's GridSearchCV over scikeras against ReplicaGridSearchCV, in one run.

    python benchmarks/grid.py [--data-dir DIR] [--epochs 2] [--models logistic feedforward] [--growth]

The grid is that of `mcgill-logistic` and `mcgill-feedforward`: 5 learning rates x 5 beta_2 x 3 folds of MNIST's 60,000
training rows, batch 128. "floor" is the time that the arithmetic of training alone takes at the float32 speed that this
machine reaches in a matrix product, measured in the same run. `--growth` also shows how cost grows with the number of
replicas, up to 200. One process for everything, so that both engines meet the same machine.
"""

import argparse
import itertools
import resource
import time

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from keras_amsgrad import AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from keras_amsgrad.replicas import Replica, train
from studies import datasets
from studies.models import network

GRID = {
    "optimizer__learning_rate": [1e-4, 1e-3, 1e-2, 0.1, 1.0],
    "optimizer__beta_2": [0.99, 0.9925, 0.995, 0.9975, 0.999],
}
FOLDS, BATCH = 3, 128
MULTIPLICATIONS = {"logistic": 784 * 10, "feedforward": 784 * 100 + 100 * 10}  # for each row, forward


def classifier(name, epochs):
    """Return the classifier that scikeras's documentation would have one write."""

    def model():
        return network(name, input_shape=(784,), classes=10)

    return KerasClassifier(
        model, loss="sparse_categorical_crossentropy", optimizer=AMSGrad, batch_size=BATCH, epochs=epochs, verbose=0
    )


def seconds(kind, name, epochs, x, y):
    """Return how long a whole search takes, from `fit` to scores."""
    started = time.perf_counter()
    kind(classifier(name, epochs), GRID, cv=StratifiedKFold(FOLDS), refit=False).fit(x, y)
    return time.perf_counter() - started


def flops_per_second(size=3000):
    """Return the float32 operations a second of a large matrix product: the best of ten."""
    matrix = keras.random.normal((size, size))

    def once():
        started = time.perf_counter()
        keras.ops.convert_to_numpy(matrix @ matrix)
        return time.perf_counter() - started

    return 2 * size**3 / min(once() for _ in range(10))


def floor(name, epochs, rows, speed):
    """Return the seconds of a search's arithmetic: forward, and backward to the weights, two operations each."""
    return 75 * epochs * rows * (FOLDS - 1) / FOLDS * MULTIPLICATIONS[name] * 4 / speed


def growth(name, x, y, counts=(1, 5, 25, 75, 200)):
    """Yield (replicas, seconds for one epoch over 40,000 rows), compiled already."""
    rows = np.arange(40_000)
    for count in counts:
        ends = []
        replicas = [Replica(AMSGrad(alpha), 0, rows) for alpha in np.geomspace(1e-4, 1e-2, count)]
        model = classifier(name, 1).model
        finished = []
        train(
            model,
            replicas,
            x,
            y,
            batch_size=BATCH,
            epochs=3,
            on_epoch=lambda positions, epoch, logs, ends=ends: ends.append((epoch, time.perf_counter())),
            on_chunk=lambda positions, outcomes, finished=finished: finished.append(len(positions)),
        )
        chunk = min(b - a for (e, a), (f, b) in itertools.pairwise(ends) if f > e)
        yield count, chunk * len(finished)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--models", nargs="+", choices=list(MULTIPLICATIONS), default=list(MULTIPLICATIONS))
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    data = datasets.load("mnist", arguments.data_dir)
    x, y = data.x_train.reshape(-1, 784).astype("float32") / 255, data.y_train
    print(f"75 fits of {arguments.epochs} epochs, {keras.backend.backend()} backend")
    print("| model | replicas (s) | GridSearchCV (s) | ratio | floor (s) |\n|---|---|---|---|---|")
    for name in arguments.models:
        mine = seconds(ReplicaGridSearchCV, name, arguments.epochs, x, y)
        theirs = seconds(GridSearchCV, name, arguments.epochs, x, y)
        least = floor(name, arguments.epochs, len(y), flops_per_second())
        print(f"| {name} | {mine:.1f} | {theirs:.0f} | {theirs / mine:.1f} | {least:.2f} |", flush=True)
    if arguments.growth:
        print("\n| model | replicas | s an epoch |\n|---|---|---|")
        for name in arguments.models:
            for count, cost in growth(name, x, y):
                print(f"| {name} | {count} | {cost:.2f} |", flush=True)
    print(f"\nLargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


if __name__ == "__main__":
    main()
