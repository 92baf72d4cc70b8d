"""Callbacks of Keras act on each replica by itself, as they act on its fit alone."""

import keras
import numpy as np
import pytest

from keras_amsgrad import Adam, InverseSqrtDecay
from keras_amsgrad.replicas import Replica, UnsupportedError, train
from keras_amsgrad.replicas.backup import Backup
from tests.replicas.comparison import BATCH, BINARY, NUMBERS, TRAINING, VALIDATION, X, compare, network, trained

MSE = {"loss": "mse"}
callbacks = keras.callbacks


def halved(epoch, learning_rate):
    return learning_rate / 2 if epoch else learning_rate


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: [callbacks.LearningRateScheduler(halved)], id="schedule"),
        pytest.param(lambda: [callbacks.ReduceLROnPlateau(patience=1, factor=0.3, min_delta=0.05)], id="plateau"),
        pytest.param(
            lambda: [
                callbacks.EarlyStopping("loss", patience=3, min_delta=0.3),
                callbacks.ReduceLROnPlateau("loss", patience=0, cooldown=1, min_delta=0.2),
                callbacks.EarlyStopping(patience=2, restore_best_weights=True),
            ],
            id="several",
        ),
    ],
)
def test_each_replica_follows_its_own_callbacks(make):
    outcomes = compare(network(1), X, NUMBERS, rates=(0.001, 0.05, 0.5), epochs=6, callbacks=make(), **MSE)
    rates = [outcome.history["learning_rate"] for outcome in outcomes]
    assert any(rate[-1] < rate[0] for rate in rates)


def test_callbacks_know_whether_more_of_a_metric_is_better():
    def make(monitor):
        return [callbacks.EarlyStopping(monitor, patience=1)]

    how = {"loss": "binary_crossentropy", "epochs": 5}
    for monitor, metrics in (("val_accuracy", ["accuracy"]), ("val_auc", [keras.metrics.AUC(name="auc")])):
        compare(network(1, "sigmoid"), X, BINARY, metrics=metrics, callbacks=make(monitor), **how)


def test_a_loss_that_is_not_finite_ends_the_replica_as_in_fit():
    def model():
        return keras.Sequential([keras.Input((5,)), keras.layers.Dense(1, activation="exponential")])

    x = X * 100
    x[VALIDATION] = 0
    outcomes = trained(model, [Adam(0.001)], x, NUMBERS, epochs=4, callbacks=[callbacks.TerminateOnNaN()], **MSE)
    keras.utils.set_random_seed(0)
    network = model()
    network.compile(Adam(0.001), "mse")
    history = network.fit(
        x[TRAINING],
        NUMBERS[TRAINING],
        batch_size=BATCH,
        shuffle=False,
        epochs=4,
        verbose=0,
        callbacks=[callbacks.TerminateOnNaN()],
    ).history
    assert len(history["loss"]) < 4
    assert len(outcomes[0].history["loss"]) == len(history["loss"])
    assert outcomes[0].status == "diverged"


def test_learning_rates_are_found_again_in_a_backup(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_amsgrad.replicas.backup.SECONDS_BETWEEN_BACKUPS", 0)
    monkeypatch.setattr("keras_amsgrad.replicas.backup.TIMES_ITS_OWN", 0)
    monkeypatch.setattr(Backup, "remove", lambda self: None)
    replicas = [Replica(Adam(rate), 0, TRAINING, VALIDATION) for rate in (0.01, 0.1)]

    def run(epochs, **how):
        every = [callbacks.LearningRateScheduler(halved)]
        return train(network(1), replicas, X, NUMBERS, shuffle=False, epochs=epochs, callbacks=every, **MSE, **how)

    run(2, backup=lambda _: tmp_path / "backup.npz")
    continued, whole = run(4, backup=lambda _: tmp_path / "backup.npz"), run(4)
    for mine, theirs in zip(continued, whole, strict=True):
        assert mine.history == theirs.history
        np.testing.assert_array_equal(mine.weights[0], theirs.weights[0])


class Own(callbacks.EarlyStopping):
    pass


def raising():
    """Return TerminateOnNaN(raise_error=True), also in a version of Keras that has no such argument."""
    callback = callbacks.TerminateOnNaN()
    callback.raise_error = True
    return callback


@pytest.mark.parametrize(
    ("callback", "optimizer", "message"),
    [
        pytest.param(Own("loss"), Adam(), "must be of keras.callbacks: EarlyStopping, .*Own", id="a subclass"),
        pytest.param(callbacks.CSVLogger("log.csv"), Adam(), "Received: .*CSVLogger", id="another callback"),
        pytest.param(callbacks.ReduceLROnPlateau("val_auc"), Adam(), "of ReduceLROnPlateau must be one of", id="name"),
        pytest.param(raising(), Adam(), "raise_error=True", id="an error to raise"),
        pytest.param(
            callbacks.LearningRateScheduler(halved),
            Adam(InverseSqrtDecay(0.1)),
            "LearningRateScheduler needs a learning rate that is a number",
            id="two schedules",
        ),
    ],
)
def test_other_callbacks_are_refused_by_name(callback, optimizer, message):
    with pytest.raises(UnsupportedError, match=message):
        trained(network(1), [optimizer], X, NUMBERS, callbacks=[callback], **MSE)
