"""Weights of rows and constraints of weights act in replicas as in `model.fit`."""

import keras
import numpy as np
import pytest

from keras_amsgrad import Adam
from keras_amsgrad.replicas import Replica, backends, train
from tests.replicas.comparison import (
    BATCH,
    BINARY,
    CLASSES,
    LABELS,
    NUMBERS,
    TRAINING,
    VALIDATION,
    WEIGHTS,
    X,
    assert_alike,
    compare,
    fitted,
    network,
    trained,
)

NOT_JAX = backends.BACKEND != "jax"
CROSSENTROPY = "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("units", "y", "loss"),
    [
        pytest.param(3, CLASSES, CROSSENTROPY, id="cross-entropy"),
        pytest.param(1, BINARY, keras.losses.BinaryCrossentropy(from_logits=True), id="one output"),
        pytest.param(3, LABELS, keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"), id="weighted mean"),
    ],
)
def test_rows_have_the_weights_that_they_have_in_fit(units, y, loss):
    activation = "softmax" if loss == CROSSENTROPY else None
    how = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]} if y.ndim == 1 else {}
    compare(network(units, activation), X, y, loss=loss, sample_weight=WEIGHTS, **how)


@pytest.mark.parametrize("grouped", [False, pytest.param(True, marks=pytest.mark.skipif(NOT_JAX, reason="needs JAX"))])
def test_replicas_may_have_weights_of_their_own(grouped, monkeypatch):
    monkeypatch.setattr(backends, "can_map_groups", lambda: grouped)  # several groups in one program
    of_class = np.where(CLASSES == 0, 3.0, 0.5)
    rows = {"training": TRAINING, "validation": VALIDATION}
    replicas = [Replica(Adam(0.1), 0, **rows, sample_weight=weights) for weights in (of_class, None, WEIGHTS)]
    how = {"loss": CROSSENTROPY, "metrics": ["accuracy"], "epochs": 3}
    outcomes = train(network(3, "softmax"), replicas, X, CLASSES, batch_size=BATCH, shuffle=False, **how)
    for weights, outcome in zip((of_class, None, WEIGHTS), outcomes, strict=True):
        assert_alike(outcome, *fitted(network(3, "softmax"), Adam(0.1), X, CLASSES, sample_weight=weights, **how))


def test_weights_must_be_one_for_each_row():
    with pytest.raises(ValueError, match=r"`sample_weight` must have the shape \(60,\) of the rows. Received: \(40,\)"):
        trained(network(1), [Adam()], X, NUMBERS, loss="mse", sample_weight=WEIGHTS[:40])


@pytest.mark.parametrize("kernel_constraint", [keras.constraints.MaxNorm(0.5), "unit_norm"], ids=["max", "unit"])
def test_constraints_act_after_every_update(kernel_constraint):
    constrained = network(1, kernel_constraint=kernel_constraint, bias_constraint="non_neg")
    for outcome in compare(constrained, X, NUMBERS, loss="mse"):
        kernel, bias = outcome.weights[:2]
        assert np.linalg.norm(kernel, axis=0).max() <= (1.001 if kernel_constraint == "unit_norm" else 0.501)
        assert bias.min() >= 0
