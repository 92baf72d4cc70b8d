"""Time the grid of `grid.py` as an expert writes it in JAX: `scan` over steps, `vmap` over candidates.

    python benchmarks/by_hand.py [--model logistic] [--epochs 2] [--rows 60000] [--data-dir DIR] [--vmap-folds]

Prints a line of JSON: "seconds" from the start of tracing to the last score, and "score", the largest mean accuracy
over the folds of a candidate. The optimizer is AMSGrad with bias correction, as in `grid.py`. An epoch has whole
batches only, and every fold has as many rows as the smallest. The folds train one after another, with one compiled
program; `--vmap-folds` maps over them too. It needs JAX, and runs on the CPU.
"""

import argparse
import itertools
import json
import os
import time

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.model_selection import StratifiedKFold

from studies.data import official

ALPHAS = [1e-4, 1e-3, 1e-2, 0.1, 1.0]
BETAS_2 = [0.99, 0.9925, 0.995, 0.9975, 0.999]
FOLDS, BATCH = 3, 128
BETA_1, EPSILON = 0.9, 1e-8
SIZES = {"logistic": (784, 10), "feedforward": (784, 100, 10)}


def glorot(sizes):
    """Return [(kernel, bias)], one pair for each layer, with Glorot's uniform kernels."""
    random = np.random.default_rng(0)
    limits = [(6 / (n + m)) ** 0.5 for n, m in itertools.pairwise(sizes)]
    return [
        (random.uniform(-limit, limit, (n, m)).astype("float32"), np.zeros(m, "float32"))
        for limit, (n, m) in zip(limits, itertools.pairwise(sizes), strict=True)
    ]


def logits(weights, x):
    *hidden, (kernel, bias) = weights
    for layer in hidden:
        x = jax.nn.relu(x @ layer[0] + layer[1])
    return x @ kernel + bias


def loss(weights, x, y):
    """Return the mean cross-entropy of a batch."""
    return -jnp.take_along_axis(jax.nn.log_softmax(logits(weights, x)), y[:, None], axis=1).mean()


def amsgrad(state, gradient, t, alpha, beta_2):
    """Return the next (w, m, v, v_max) of one array of weights; t counts from 1."""
    w, m, v, v_max = state
    m = BETA_1 * m + (1 - BETA_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    v_max = jnp.maximum(v_max, v)
    step_size = alpha * jnp.sqrt(1 - beta_2**t) / (1 - BETA_1**t)
    return w - step_size * m / (jnp.sqrt(v_max) + EPSILON), m, v, v_max


def fit(alpha, beta_2, weights, batches, x, y):
    """Return the weights that one candidate has after all `batches`, row numbers (steps, BATCH)."""

    def step(state, t_and_rows):
        t, rows = t_and_rows
        gradients = jax.tree.leaves(jax.grad(loss)(jax.tree.unflatten(shape, [w for w, *_ in state]), x[rows], y[rows]))
        pairs = zip(state, gradients, strict=True)
        return [amsgrad(each, gradient, t, alpha, beta_2) for each, gradient in pairs], None

    leaves, shape = jax.tree.flatten(weights)
    start = [(w, *[jnp.zeros_like(w)] * 3) for w in leaves]
    steps = np.arange(1, len(batches) + 1, dtype="float32")
    state, _ = jax.lax.scan(step, start, (steps, batches))
    return jax.tree.unflatten(shape, [w for w, *_ in state])


def fit_and_score(alpha, beta_2, weights, batches, validation, x, y):
    """Return the accuracy of one candidate on the rows `validation` of a fold, after training on its `batches`."""
    trained = fit(alpha, beta_2, weights, batches, x, y)
    return (logits(trained, x[validation]).argmax(axis=1) == y[validation]).mean()


def batches_of(rows, epochs):
    """Return row numbers (steps, BATCH) int32: each epoch's whole batches of `rows` in a random order."""
    random = np.random.default_rng(0)
    whole = len(rows) // BATCH
    orders = [random.permutation(rows)[: whole * BATCH] for _ in range(epochs)]
    return np.concatenate(orders).reshape(epochs * whole, BATCH).astype("int32")


def search(model, epochs, x, y, *, vmap_folds=False):
    """Return the mean accuracy of each candidate, (25,)."""
    alphas, betas_2 = (grid.ravel().astype("float32") for grid in np.meshgrid(ALPHAS, BETAS_2))
    folds = list(StratifiedKFold(FOLDS).split(x, y))
    training, validation = (min(len(fold[part]) for fold in folds) for part in (0, 1))
    batches = np.stack([batches_of(rows[:training], epochs) for rows, _ in folds])
    held_out = np.stack([rows[:validation] for _, rows in folds]).astype("int32")
    x, y = jax.device_put((x, y.astype("int32")))

    candidates = jax.vmap(fit_and_score, in_axes=(0, 0, None, None, None, None, None))
    if vmap_folds:
        every_fold = jax.jit(jax.vmap(candidates, in_axes=(None, None, None, 0, 0, None, None)))
        scores = np.asarray(every_fold(alphas, betas_2, glorot(SIZES[model]), batches, held_out, x, y))
    else:
        one_fold = jax.jit(candidates)
        pairs = zip(batches, held_out, strict=True)
        scores = [one_fold(alphas, betas_2, glorot(SIZES[model]), *pair, x, y) for pair in pairs]
    return np.mean(scores, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=list(SIZES), default="logistic")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--data-dir")
    parser.add_argument("--vmap-folds", action="store_true")
    arguments = parser.parse_args()
    data = official.load("mnist", arguments.data_dir)
    x = data.x_train[: arguments.rows].reshape(-1, 784).astype("float32") / 255
    y = data.y_train[: arguments.rows]
    jax.devices()  # starts JAX
    started = time.perf_counter()
    scores = search(arguments.model, arguments.epochs, x, y, vmap_folds=arguments.vmap_folds)
    print(json.dumps({"seconds": time.perf_counter() - started, "score": float(scores.max())}))


if __name__ == "__main__":
    main()
