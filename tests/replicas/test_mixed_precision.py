"""Mixed precision: both engines train it as Keras's `fit` does, or say what they do not do."""

import contextlib
import dataclasses

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.model_selection import StratifiedKFold

import studies
from keras_amsgrad import Adam
from keras_amsgrad.model_selection import ReplicaGridSearchCV, ReplicaWarning
from keras_amsgrad.replicas import UnsupportedError
from studies.command_line.main import main
from studies.data import official
from studies.records.journal import Journal
from studies.training import repeats
from studies.training.batches import EpochClock, ordered_batches
from studies.training.build import loss_of, network_of, optimizer_of
from studies.training.engines import Processes, Replicas
from studies.training.workspace import Workspace
from tests import own_models
from tests.fits import feedforward, fit, network, trained
from tests.own_models import HERE, QUICK, digits
from tests.replicas.test_model_selection import classifier
from tests.studies.test_engines import DIGITS, PLAIN, Silent


@contextlib.contextmanager
def policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def by_fit(fit, data):
    """Return the validation losses that Keras's own `fit` gives, with a model of its own."""
    keras.utils.set_random_seed(fit.seed)
    model, clock = network_of(fit, data)(), EpochClock()
    model.compile(optimizer_of(fit, len(data.y_train)), loss_of(fit))
    batches = ordered_batches(data.x_train, data.y_train, fit.batch_size, fit.seed, clock)
    test = {"validation_data": (data.x_test, data.y_test), "validation_batch_size": 2000}
    return model.fit(batches, epochs=fit.epochs, shuffle=False, verbose=0, callbacks=[clock], **test).history[
        "val_loss"
    ]


@pytest.mark.parametrize("engine", [Processes(), Replicas()], ids=lambda engine: engine.name)
def test_a_study_in_mixed_float16_trains_each_fit_as_keras_does(engine, tmp_path):
    """At the larger learning rate gradients overflow, so that updates are skipped."""
    study = dataclasses.replace(DIGITS, epochs=2, seeds=1, train_rows=300, test_rows=100)
    data, journal, progress = official.load("digits").prepared(study), Journal(tmp_path), Silent()
    arms = [dataclasses.replace(PLAIN, learning_rate=alpha) for alpha in (0.01, 0.3, 0.001)]
    fits = repeats.repeat_fits(study, data, arms)
    with policy("mixed_float16"):
        engine.train(fits, Workspace(data, journal, progress))
        for each in fits:
            np.testing.assert_allclose(journal.find(each).history["val_loss"], by_fit(each, data), rtol=1e-4)
    assert ["Keras scales the loss of mixed_float16" in note for note in progress.notes] == [True] * (
        engine == Replicas()
    )


def test_replicas_refuse_mixed_float16_by_name():
    with policy("mixed_float16"):
        with pytest.raises(UnsupportedError, match=r"Use mixed_bfloat16, or train with `model.fit`"):
            trained(feedforward, [Adam()])
        search = ReplicaGridSearchCV(classifier(), {"optimizer__learning_rate": [0.1]}, cv=StratifiedKFold(2))
        with pytest.warns(ReplicaWarning, match=r"2 of 2 fits .*mixed_float16"):
            assert search.fit(*digits()).best_score_ > 0.2
    with pytest.raises(UnsupportedError, match="Received: LossScaleOptimizer"):
        trained(feedforward, [keras.optimizers.LossScaleOptimizer(Adam())])


def test_mixed_bfloat16_trains_as_replicas_as_by_fit():
    with policy("mixed_bfloat16"):
        (outcome,), (history, _) = trained(feedforward, [Adam(0.01)]), fit(feedforward, Adam(0.01), 3)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(outcome.history[name], history[name], rtol=5e-3)


def test_layers_in_float16_of_a_float32_model_are_not_scaled_by_either():
    def mixed():
        return network(layers.Dense(20, activation="relu", dtype="mixed_float16"))

    (outcome,), (history, _) = trained(mixed, [Adam(0.01)]), fit(mixed, Adam(0.01), 3)
    np.testing.assert_allclose(outcome.history["loss"], history["loss"], rtol=1e-3)


def test_a_failure_while_replicas_train_is_reported_as_what_it_is(tmp_path, monkeypatch, capsys):
    def fails(*arguments, **how):
        raise ZeroDivisionError("of our own")

    monkeypatch.setattr("keras_amsgrad.replicas.train", fails)
    with pytest.raises(ZeroDivisionError, match="of our own"):
        studies.compare(own_models.small, *digits(), out=tmp_path / "a", verbose=0, **QUICK)
    x, y = digits()
    np.savez(tmp_path / "digits.npz", x_train=x, y_train=y)
    capsys.readouterr()
    arguments = ["compare", f"{HERE}:small", "--data", str(tmp_path / "digits.npz"), "--out", str(tmp_path / "b")]
    assert main(arguments) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "unexpected error: ZeroDivisionError: of our own" in said
    assert "please report it" in said
    assert "cannot be trained as replicas" not in said
    with pytest.raises(ZeroDivisionError):
        main(["--debug", *arguments])
