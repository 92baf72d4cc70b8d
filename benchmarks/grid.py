"""How long a grid search takes: ReplicaGridSearchCV, and what one may use in its place.

    python benchmarks/grid.py [--data-dir DIR] [--epochs 2] [--models logistic feedforward] [--rows 60000]
                              [--rivals gridsearch mlp jax]

The grid is that of `mcgill-logistic` and `mcgill-feedforward`: 5 learning rates x 5 beta_2 x 3 folds of MNIST's 60,000
training rows (`--rows`: the first of them), batch 128; `cnn` is the convolutional network of `perez-cnn`.

ReplicaGridSearchCV is timed in two forms. "routed": the grid has `optimizer__learning_rate` and `optimizer__beta_2`.
"inside": the model function has the arguments `learning_rate` and `beta_2`, and compiles the model. `--rivals` names
what is timed beside them; without names, nothing is:

    gridsearch           scikit-learn's GridSearchCV over scikeras, routed
    gridsearch-inside    the same, inside
    gridsearch-jobs      the same, routed, with n_jobs=2
    mlp                  GridSearchCV with n_jobs=2 over scikit-learn's MLPClassifier, which trains with Adam
    jax                  by_hand.py: JAX written by hand, `vmap` over candidates, one fold after another
    jax-folds            the same, with `vmap` over folds too

GridSearchCV over scikeras is timed with one of the five learning rates, and five times that time is printed: it trains
one fit after another.

Each is timed from `fit` to scores (jax: from tracing to scores), with 1 epoch and with `--epochs` epochs. The time of
an epoch is the difference of the two times over `--epochs` - 1; the fixed cost is the rest. A ratio is a time over that
of ReplicaGridSearchCV, routed. "score" is the largest mean accuracy of a candidate. "arithmetic alone" is the time of
the multiplications and additions of training, at the float32 speed that a matrix product reaches here. All but jax run
in this process or, with n_jobs=2, in processes that it starts. A search of one candidate on 300 rows goes before each:
neither imports nor the start of processes are in the times. Nor are the imports of jax.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import subprocess
import sys
import time
import warnings
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier

from keras_amsgrad import AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from studies.data import official
from studies.networks.published import network

ALPHAS, BETAS_2 = [1e-4, 1e-3, 1e-2, 0.1, 1.0], [0.99, 0.9925, 0.995, 0.9975, 0.999]
FOLDS, BATCH, LOSS = 3, 128, "sparse_categorical_crossentropy"
MULTIPLICATIONS = {  # for each row, forward
    "logistic": 784 * 10,
    "feedforward": 784 * 100 + 100 * 10,
    "cnn": 28**2 * 25 * 64 + 14**2 * 25 * 64 * 64 + 7**2 * 64 * 1000 + 1000 * 10,
}
HIDDEN = {"logistic": (), "feedforward": (100,)}  # units of the hidden layers of dense networks


def uncompiled(name):
    return network(name, input_shape=(28, 28), classes=10)


def routed(name, epochs):
    """Return (classifier, grid) as scikeras's documentation has them."""
    classifier = KerasClassifier(
        lambda: uncompiled(name), loss=LOSS, optimizer=AMSGrad, batch_size=BATCH, epochs=epochs, verbose=0
    )
    return classifier, {"optimizer__learning_rate": ALPHAS, "optimizer__beta_2": BETAS_2}


def inside(name, epochs):
    """Return (classifier, grid) with a model function that compiles the model."""

    def model(learning_rate=0.001, beta_2=0.999):
        compiled = uncompiled(name)
        compiled.compile(AMSGrad(learning_rate, beta_2=beta_2), LOSS, metrics=["accuracy"])
        return compiled

    classifier = KerasClassifier(model, batch_size=BATCH, epochs=epochs, verbose=0)
    return classifier, {"model__learning_rate": ALPHAS, "model__beta_2": BETAS_2}


def mlp(name, epochs):
    """Return (classifier, grid) without Keras; no penalty, and no early end."""
    classifier = MLPClassifier(HIDDEN[name], alpha=0, batch_size=BATCH, max_iter=epochs, tol=0, n_iter_no_change=np.inf)
    return classifier, {"learning_rate_init": ALPHAS, "beta_2": BETAS_2}


def searched(kind, form, name, epochs, x, y, data_dir, share=1, **settings):
    """Return (seconds of a whole search, the largest mean score): of one in `share` learning rates, times `share`."""
    classifier, grid = form(name, epochs)
    x = x.reshape(len(x), -1) if form is mlp else x

    def timed(grid, rows):
        search = kind(classifier, grid, cv=StratifiedKFold(FOLDS), refit=False, **settings)
        started = time.perf_counter()
        search.fit(x[:rows], y[:rows])
        return time.perf_counter() - started, np.nanmax(search.cv_results_["mean_test_score"])

    with warnings.catch_warnings():
        if form is mlp:
            warnings.simplefilter("ignore")  # it warns of every fit that ends after `max_iter` epochs
        timed({key: values[1:2] for key, values in grid.items()}, rows=300)
        if share > 1:
            rates = next(iter(grid))
            grid = {**grid, rates: grid[rates][1 : 1 + len(grid[rates]) // share]}
        seconds, score = timed(grid, len(y))
        return seconds * share, score


def by_hand(name, epochs, x, y, data_dir, options=()):
    """Return what `searched` does, from by_hand.py in a process of its own."""
    script = pathlib.Path(__file__).with_name("by_hand.py")
    command = [sys.executable, script, "--model", name, "--epochs", str(epochs), "--rows", str(len(y)), *options]
    command += ["--data-dir", data_dir] if data_dir else []
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return said["seconds"], said["score"]


OURS = {
    "ReplicaGridSearchCV, routed": partial(searched, ReplicaGridSearchCV, routed),
    "ReplicaGridSearchCV, inside": partial(searched, ReplicaGridSearchCV, inside),
}
RIVALS = {
    "gridsearch": ("GridSearchCV, routed", partial(searched, GridSearchCV, routed, share=5)),
    "gridsearch-inside": ("GridSearchCV, inside", partial(searched, GridSearchCV, inside, share=5)),
    "gridsearch-jobs": ("GridSearchCV, routed, n_jobs=2", partial(searched, GridSearchCV, routed, share=5, n_jobs=2)),
    "mlp": ("GridSearchCV over MLPClassifier, n_jobs=2", partial(searched, GridSearchCV, mlp, n_jobs=2)),
    "jax": ("JAX by hand", by_hand),
    "jax-folds": ("JAX by hand, `vmap` over folds", partial(by_hand, options=["--vmap-folds"])),
}
WITHOUT_KERAS = ("mlp", "jax", "jax-folds")  # for the networks in HIDDEN


def flops_per_second():
    """Return the float32 operations a second of a large matrix product: the best of ten."""
    size = 3000
    matrix = keras.random.normal((size, size))

    def once():
        started = time.perf_counter()
        keras.ops.convert_to_numpy(matrix @ matrix)
        return time.perf_counter() - started

    return 2 * size**3 / min(once() for _ in range(10))


def arithmetic(name, rows, speed):
    """Return the seconds of an epoch's arithmetic: forward, and backward to the weights, two operations each."""
    return 75 * rows * (FOLDS - 1) / FOLDS * MULTIPLICATIONS[name] * 4 / speed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int, default=2, help="at least 2")
    parser.add_argument("--models", nargs="+", choices=list(MULTIPLICATIONS), default=["logistic", "feedforward"])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--rivals", nargs="*", choices=list(RIVALS), default=["gridsearch", "mlp", "jax"])
    arguments = parser.parse_args()
    if arguments.epochs < 2:
        parser.error(f"`--epochs` must be at least 2. Received: {arguments.epochs}")
    if {"jax", "jax-folds"} & set(arguments.rivals) and not importlib.util.find_spec("jax"):
        parser.error("the rival `jax` needs JAX: pip install jax")
    data = official.load("mnist", arguments.data_dir)
    x, y = data.x_train[: arguments.rows].astype("float32") / 255, data.y_train[: arguments.rows]
    print(f"{len(y)} rows, {keras.backend.backend()} backend, {os.cpu_count()} cores")
    _compare(arguments, x, y)
    print(f"\nLargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


def _compare(arguments, x, y):
    epochs = arguments.epochs
    counts = f"1 epoch (s) | {epochs} epochs (s) | fixed + per epoch (s) | ratio, 1 epoch | ratio, {epochs} epochs"
    print(f"75 fits\n\n| network | search | {counts} | score |\n|---|---|---|---|---|---|---|---|")
    for name in arguments.models:
        mine = None
        for label, run in _searches(name, arguments.rivals).items():
            (short, _), (long, score) = (run(name, count, x, y, arguments.data_dir) for count in (1, epochs))
            mine = mine or (short, long)
            print(_row(name, label, short, long, epochs, mine, f"{score:.3f}"), flush=True)
        least = arithmetic(name, len(y), flops_per_second())
        print(_row(name, "arithmetic alone", least, least * epochs, epochs, mine, ""), flush=True)


def _searches(name, rivals):
    """Return {label: function} of what is timed with a network, ReplicaGridSearchCV, routed, first."""
    return OURS | dict(RIVALS[rival] for rival in rivals if name in HIDDEN or rival not in WITHOUT_KERAS)


def _row(name, label, short, long, epochs, mine, score):
    """Return a line of the table; `short` and `long` are seconds with 1 epoch and with `epochs`, `mine` ours."""
    each = (long - short) / (epochs - 1)
    ratios = f"{short / mine[0]:.2f} | {long / mine[1]:.2f}"
    return f"| {name} | {label} | {short:.1f} | {long:.1f} | {short - each:.1f} + {each:.2f} | {ratios} | {score} |"


if __name__ == "__main__":
    main()
