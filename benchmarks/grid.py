"""How long a grid search takes: scikit-learn's GridSearchCV over scikeras against ReplicaGridSearchCV, in one run.

    python benchmarks/grid.py [--data-dir DIR] [--epochs 2] [--models logistic feedforward] [--rows 60000] [--growth]

The grid is that of `mcgill-logistic` and `mcgill-feedforward`: 5 learning rates x 5 beta_2 x 3 folds of MNIST's 60,000
training rows (`--rows`: the first of them), batch 128; `cnn` is the convolutional network of `perez-cnn`. "floor" is
the time that the arithmetic of training alone takes at the float32 speed that this machine reaches in a matrix product,
measured in the same run. `--growth` shows instead how cost grows with the number of replicas, up to 200. One process
for everything, so that both engines meet the same machine.
"""

import argparse
import resource
import time

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from keras_amsgrad import AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from keras_amsgrad.replicas import Replica, train
from studies.data import official
from studies.networks.published import network

GRID = {
    "optimizer__learning_rate": [1e-4, 1e-3, 1e-2, 0.1, 1.0],
    "optimizer__beta_2": [0.99, 0.9925, 0.995, 0.9975, 0.999],
}
FOLDS, BATCH = 3, 128
MULTIPLICATIONS = {  # for each row, forward
    "logistic": 784 * 10,
    "feedforward": 784 * 100 + 100 * 10,
    "cnn": 28**2 * 25 * 64 + 14**2 * 25 * 64 * 64 + 7**2 * 64 * 1000 + 1000 * 10,
}


def classifier(name, epochs):
    """Return the classifier that scikeras's documentation would have one write."""

    def model():
        return network(name, input_shape=(28, 28), classes=10)

    return KerasClassifier(
        model, loss="sparse_categorical_crossentropy", optimizer=AMSGrad, batch_size=BATCH, epochs=epochs, verbose=0
    )


def seconds(kind, name, epochs, x, y):
    """Return how long a whole search takes, from `fit` to scores."""
    started = time.perf_counter()
    kind(classifier(name, epochs), GRID, cv=StratifiedKFold(FOLDS), refit=False).fit(x, y)
    return time.perf_counter() - started


def flops_per_second():
    """Return the float32 operations a second of a large matrix product: the best of ten."""
    size = 3000
    matrix = keras.random.normal((size, size))

    def once():
        started = time.perf_counter()
        keras.ops.convert_to_numpy(matrix @ matrix)
        return time.perf_counter() - started

    return 2 * size**3 / min(once() for _ in range(10))


def floor(name, epochs, rows, speed):
    """Return the seconds of a search's arithmetic: forward, and backward to the weights, two operations each."""
    return 75 * epochs * rows * (FOLDS - 1) / FOLDS * MULTIPLICATIONS[name] * 4 / speed


def growth(name, x, y):
    """Yield (replicas, seconds for an epoch over two thirds of the rows): a third of what four take more than one."""
    rows = np.arange(len(y) * 2 // 3)
    train(classifier(name, 1).model, [Replica(AMSGrad(), 0, rows[:BATCH])], x, y, batch_size=BATCH)  # a warm-up
    for count in (1, 5, 25, 75, 200):
        replicas = [Replica(AMSGrad(alpha), 0, rows) for alpha in np.geomspace(1e-4, 1e-2, count)]
        taken = {}
        for epochs in (1, 4):
            started = time.perf_counter()
            train(classifier(name, 1).model, replicas, x, y, batch_size=BATCH, epochs=epochs)
            taken[epochs] = time.perf_counter() - started
        yield count, (taken[4] - taken[1]) / 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--models", nargs="+", choices=list(MULTIPLICATIONS), default=["logistic", "feedforward"])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    data = official.load("mnist", arguments.data_dir)
    x, y = data.x_train[: arguments.rows].astype("float32") / 255, data.y_train[: arguments.rows]
    print(f"{len(y)} rows, {keras.backend.backend()} backend")
    (_compare_growth if arguments.growth else _compare_grids)(arguments, x, y)
    print(f"\nLargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


def _compare_grids(arguments, x, y):
    print(f"75 fits of {arguments.epochs} epochs\n")
    print("| model | replicas (s) | GridSearchCV (s) | ratio | floor (s) |\n|---|---|---|---|---|")
    for name in arguments.models:
        mine = seconds(ReplicaGridSearchCV, name, arguments.epochs, x, y)
        theirs = seconds(GridSearchCV, name, arguments.epochs, x, y)
        least = floor(name, arguments.epochs, len(y), flops_per_second())
        print(f"| {name} | {mine:.1f} | {theirs:.0f} | {theirs / mine:.1f} | {least:.2f} |", flush=True)


def _compare_growth(arguments, x, y):
    print("| model | replicas | s an epoch |\n|---|---|---|")
    for name in arguments.models:
        for count, cost in growth(name, x, y):
            print(f"| {name} | {count} | {cost:.2f} |", flush=True)


if __name__ == "__main__":
    main()
