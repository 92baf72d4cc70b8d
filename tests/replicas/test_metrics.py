"""Losses and metrics of replicas are those that `model.fit` reports, under the same names."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_amsgrad import Adam
from keras_amsgrad.replicas import UnsupportedError
from tests.replicas.comparison import BINARY, CLASSES, LABELS, NUMBERS, WEIGHTS, X, compare, network, trained

ONE_HOT = np.eye(3)[CLASSES]


def span(y_true, y_pred):
    """A number of a whole batch: its mean over batches depends on their sizes."""
    return ops.max(y_pred) - ops.min(y_pred)


def squared(y_true, y_pred):
    """A loss that takes targets and outputs to be of one shape."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def unreduced_mean(y_true, y_pred):
    """A loss that is one number for a batch."""
    return ops.mean(ops.abs(y_true - y_pred))


@pytest.mark.parametrize(
    ("units", "activation", "y", "loss", "metrics"),
    [
        pytest.param(1, "sigmoid", BINARY, "binary_crossentropy", ["accuracy", "AUC", "precision", "mae"], id="binary"),
        pytest.param(3, "sigmoid", LABELS, "bce", ["binary_accuracy", "f1_score"], id="multi-label"),
        pytest.param(3, "softmax", CLASSES, "ce", ["acc", "sparse_top_k_categorical_accuracy"], id="sparse"),
        pytest.param(1, None, NUMBERS, "mse", ["mae", "R2Score", span], id="regression"),
    ],
)
def test_metrics_are_those_of_fit(units, activation, y, loss, metrics):
    compare(network(units, activation), X, y, loss=loss, metrics=metrics)


def test_instances_of_metrics_stay_as_they_are_and_keep_keras_names():
    metrics = [keras.metrics.Precision(name="p"), keras.metrics.Precision(name="p"), keras.metrics.AUC(name="area")]
    (outcome, _) = compare(network(1, "sigmoid"), X, BINARY, loss="binary_crossentropy", metrics=metrics)
    assert {"p", "p_1", "area", "val_p_1"} < set(outcome.history)
    fresh = keras.metrics.AUC(name="area")
    trained(network(1, "sigmoid"), [Adam()], X, BINARY, loss="binary_crossentropy", metrics=[fresh])
    assert not any(np.any(ops.convert_to_numpy(variable)) for variable in fresh.variables)


@pytest.mark.parametrize(
    ("units", "activation", "y", "loss"),
    [
        pytest.param(1, None, NUMBERS, squared, id="a function for targets (n, 1)"),
        pytest.param(1, None, NUMBERS, unreduced_mean, id="a function of the batch"),
        pytest.param(1, None, NUMBERS, keras.losses.Huber(reduction="sum"), id="a sum"),
        pytest.param(1, "sigmoid", BINARY, "binary_crossentropy", id="one output"),
        pytest.param(3, "softmax", ONE_HOT, keras.losses.CategoricalCrossentropy(label_smoothing=0.2), id="smoothing"),
    ],
)
def test_losses_are_those_of_fit(units, activation, y, loss):
    compare(network(units, activation), X, y, loss=loss)


def test_losses_of_steps_and_masks_are_those_of_fit():
    def masked():
        layer = layers.Dense(3, activation="softmax")
        return keras.Sequential([keras.Input((5, 1)), layers.Masking(), layer])

    x = np.where(X > 1, 0, X)[..., None]
    steps = np.tile(CLASSES[:, None], (1, 5))
    compare(masked, x, steps, loss="sparse_categorical_crossentropy", metrics=["accuracy"])


def test_accuracy_alone_is_measured_by_sums_and_named_as_asked():
    (outcome, _) = compare(network(3, "softmax"), X, CLASSES, loss="sparse_categorical_crossentropy", metrics=["acc"])
    assert set(outcome.history) == {"loss", "acc", "val_loss", "val_acc"}


def test_without_metrics_a_cross_entropy_comes_with_the_accuracy():
    (outcome,) = trained(network(3, "softmax"), [Adam()], X, CLASSES, sample_weight=WEIGHTS)
    assert set(outcome.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_several_inputs_are_those_of_fit(kind):
    def two():
        inputs = {"left": keras.Input((2,), name="left"), "right": keras.Input((3,), name="right")}
        joined = layers.Concatenate()([inputs["left"], inputs["right"]])
        outputs = layers.Dense(3, activation="softmax")(layers.Dense(4, activation="tanh")(joined))
        return keras.Model(inputs if kind is dict else list(inputs.values()), outputs)

    parts = {"left": X[:, :2], "right": X[:, 2:]}
    x = parts if kind is dict else kind(parts.values())
    compare(two, x, CLASSES, loss="sparse_categorical_crossentropy", metrics=["accuracy"])


def test_what_cannot_be_measured_alike_is_refused_by_name():
    with pytest.raises(UnsupportedError, match=r"`loss` must be a name, .*Received: \['mse'\]"):
        trained(network(1), [Adam()], X, NUMBERS, loss=["mse"])
    with pytest.raises(UnsupportedError, match=r"`reduction` of the loss .*Received: 'none'"):
        trained(network(1), [Adam()], X, NUMBERS, loss=keras.losses.Huber(reduction="none"))

    class Unregistered(keras.metrics.Mean):
        pass

    with pytest.raises(UnsupportedError, match=r"A metric cannot be copied for replicas: .*Unregistered"):
        trained(network(1), [Adam()], X, NUMBERS, loss="mse", metrics=[Unregistered()])

    class Own(keras.Sequential):
        def train_step(self, data):
            return {}

    with pytest.raises(UnsupportedError, match="without `train_step` of Own"):
        trained(lambda: Own([keras.Input((5,)), layers.Dense(1)]), [Adam()], X, NUMBERS, loss="mse")


def test_an_unknown_metric_is_the_error_that_compile_raises():
    with pytest.raises(ValueError, match="Could not interpret metric identifier: nonsense"):
        trained(network(1), [Adam()], X, NUMBERS, loss="mse", metrics=["nonsense"])
