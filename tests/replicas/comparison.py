"""Made-up data, and fits of it by `model.fit` and as replicas, one beside the other."""

import copy

import keras
import numpy as np
import sklearn
from keras import layers
from sklearn.metrics import log_loss
from sklearn.utils.fixes import parse_version

from keras_amsgrad import Adam
from keras_amsgrad.replicas import Replica, train

RATES = (0.01, 0.1)
TRAINING, VALIDATION = np.arange(40), np.arange(40, 60)
ROWS = 60
BATCH = 16  # the last batch of an epoch is short, in training and in validation
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 5)).astype("float32")
CLASSES = np.argmax(X[:, :3] + RNG.normal(size=(ROWS, 3)), 1)
BINARY = (CLASSES == 1).astype("int64")
LABELS = (X[:, :3] + RNG.normal(size=(ROWS, 3)) > 0).astype("int64")
NUMBERS = X @ RNG.normal(size=5) + RNG.normal(size=ROWS)
WEIGHTS = RNG.uniform(0.1, 3, size=ROWS)


def negative_log_loss(estimator, x, y):
    return -log_loss(y, estimator.predict_proba(x), labels=estimator.classes_)


# Before version 1.9, scikit-learn takes scikeras's classifiers for regressors, and no named scorer scores their
# probabilities.
NAMED = parse_version(sklearn.__version__) >= parse_version("1.9")
LOG_LOSS = "neg_log_loss" if NAMED else negative_log_loss


def network(units, activation=None, **of_hidden):
    def build():
        hidden = layers.Dense(6, activation="tanh", **of_hidden)
        return keras.Sequential([keras.Input((5,)), hidden, layers.Dense(units, activation=activation)])

    return build


def rows_of(data, rows):
    return keras.tree.map_structure(lambda array: array[rows], data)


def fitted(model, optimizer, x, y, *, sample_weight=None, metrics=None, weighted_metrics=None, loss, **how):
    """Return (history, weights) of `model.fit`."""
    keras.utils.set_random_seed(0)
    network = model()
    # A metric that another model has used starts the first epoch of `fit` with what it holds.
    network.compile(optimizer, loss, metrics=copy.deepcopy(metrics), weighted_metrics=copy.deepcopy(weighted_metrics))
    validation, weights = [rows_of(x, VALIDATION), y[VALIDATION]], None
    if sample_weight is not None:
        validation, weights = [*validation, sample_weight[VALIDATION]], sample_weight[TRAINING]
    if "callbacks" in how:  # each fit has callbacks of its own
        how["callbacks"] = copy.deepcopy(how["callbacks"])
    history = network.fit(
        rows_of(x, TRAINING),
        y[TRAINING],
        sample_weight=weights,
        validation_data=tuple(validation),
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        **how,
    )
    return history.history, network.get_weights()


def trained(model, optimizers, x, y, **how):
    replicas = [Replica(optimizer, 0, TRAINING, VALIDATION) for optimizer in optimizers]
    return train(model, replicas, x, y, batch_size=BATCH, shuffle=False, **how)


def compare(model, x, y, *, rates=RATES, metrics=None, epochs=3, **how):
    """Assert that each replica has the history and the weights of its fit, and return the outcomes."""
    how["epochs"] = epochs
    outcomes = trained(model, [Adam(rate) for rate in rates], x, y, metrics=metrics or [], **how)
    for rate, outcome in zip(rates, outcomes, strict=True):
        assert_alike(outcome, *fitted(model, Adam(rate), x, y, metrics=metrics, **how))
    return outcomes


def assert_alike(outcome, history, weights, tolerance=2e-5):
    assert set(outcome.history) == set(history)
    for name, values in history.items():
        np.testing.assert_allclose(outcome.history[name], values, rtol=tolerance, atol=tolerance, err_msg=name)
    for mine, theirs in zip(outcome.weights, weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)
