"""Dropout rates and weight penalties: replicas that differ in them share a program, and train as `fit` trains each."""

import keras
import numpy as np
import pytest
from keras import layers
from scikeras.wrappers import KerasClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - HalvingGridSearchCV is experimental
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from keras_amsgrad import Adam
from keras_amsgrad.model_selection import ReplicaGridSearchCV, ReplicaHalvingGridSearchCV, plans
from keras_amsgrad.replicas import Replica, strengths, train
from tests.replicas.comparison import BATCH, CLASSES, LOG_LOSS, TRAINING, VALIDATION, X, fitted

LOSS = "sparse_categorical_crossentropy"
pytestmark = pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch trains replicas one after another")


def network(rate=0.5, l2=0.01, l1=0.01):
    hidden = layers.Dense(6, activation="tanh", kernel_regularizer=keras.regularizers.L2(l2))
    last = layers.Dense(3, activation="softmax", kernel_regularizer=keras.regularizers.L1(l1))
    return keras.Sequential([keras.Input((5,)), hidden, layers.Dropout(rate), last])


def test_replicas_with_other_rates_and_penalties_train_as_fit_trains_each():
    settings = [(0.2, 0.1, 0.0), (0.7, 0.0, 0.05), (0.5, 0.01, 0.01)]
    replicas = [Replica(Adam(0.01), 0, TRAINING, VALIDATION, strengths=each) for each in settings]
    how = {"loss": LOSS, "batch_size": BATCH, "epochs": 3, "shuffle": False}
    for outcome, each in zip(train(network, replicas, X, CLASSES, **how), settings, strict=True):
        model = lambda each=each: network(*each)  # noqa: E731
        history, weights = fitted(model, Adam(0.01), X, CLASSES, loss=LOSS, metrics=["accuracy"], epochs=3)
        for name, values in outcome.history.items():
            np.testing.assert_allclose(values, history[name], rtol=2e-5, err_msg=name)
        kernels = [each for each in outcome.weights if each.dtype == "float32"]  # without the state of the dropout
        for mine, theirs in zip(kernels, weights, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=2e-6)


def test_a_network_is_left_as_it_was():
    model = network()
    before, first = model.get_config(), model.layers[0].weights[0].regularizer
    with strengths.without_strengths(model):
        assert strengths.strengths(model) == (0.5, 0.5, 0.5)
    with strengths.with_strengths(model, (0.1, 0.2, 0.3)):
        assert [v.regularizer.get_config() for v in strengths._penalized(model)] == [{"l2": 0.2}, {"l1": 0.3}]
    assert strengths.strengths(model) == pytest.approx((0.5, 0.01, 0.01))
    assert model.get_config() == before
    assert model.layers[0].weights[0].regularizer is first
    assert "call" not in vars(model.layers[1])


def build(rate, l2):
    return network(rate, l2)


@pytest.mark.usefixtures("no_fit_of_its_own")
def test_a_search_over_rates_and_penalties_is_one_program_with_scores_of_grid_search(monkeypatch):
    calls = []
    monkeypatch.setattr(plans, "train", lambda *given, **how: calls.append(given) or train(*given, **how))
    classifier = KerasClassifier(
        build, loss=LOSS, optimizer=Adam, epochs=3, batch_size=BATCH, shuffle=False, random_state=0, verbose=0
    )
    grid = {"model__rate": [0.1, 0.6], "model__l2": [0.0, 0.05]}
    mine, theirs = (
        kind(classifier, grid, cv=2, scoring=LOG_LOSS, refit=False, error_score="raise").fit(X, CLASSES)
        for kind in (ReplicaGridSearchCV, GridSearchCV)
    )
    assert len(calls) == 1
    np.testing.assert_allclose(mine.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=2e-6)


@pytest.mark.usefixtures("no_fit_of_its_own")
def test_a_rate_of_zero_and_an_activity_penalty_are_programs_of_their_own(monkeypatch):
    calls = []
    monkeypatch.setattr(plans, "train", lambda *given, **how: calls.append(given) or train(*given, **how))

    def model(rate, l2):
        shared = keras.regularizers.L2(l2)
        hidden = layers.Dense(6, kernel_regularizer=shared, activity_regularizer=shared)
        return keras.Sequential([keras.Input((5,)), hidden, layers.Dropout(rate), layers.Dense(3, "softmax")])

    classifier = KerasClassifier(
        model, loss=LOSS, optimizer=Adam, epochs=1, batch_size=BATCH, shuffle=False, random_state=0, verbose=0
    )
    grid = {"model__rate": [0.0, 0.5], "model__l2": [0.01, 0.1]}
    ReplicaGridSearchCV(classifier, grid, cv=2, refit=False).fit(X, CLASSES)
    assert len(calls) == 4


@pytest.mark.usefixtures("no_fit_of_its_own")
def test_halving_by_epochs_continues_each_with_its_own_rate():
    classifier = KerasClassifier(
        build, model__l2=0.01, loss=LOSS, optimizer=Adam, epochs=1, shuffle=False, random_state=0, verbose=0
    )
    settings = {"resource": "epochs", "min_resources": 1, "max_resources": 4, "factor": 2, "cv": 2}
    mine, theirs = (
        kind(classifier, {"model__rate": [0.1, 0.3, 0.5, 0.7]}, scoring=LOG_LOSS, refit=False, **settings).fit(
            X, CLASSES
        )
        for kind in (ReplicaHalvingGridSearchCV, HalvingGridSearchCV)
    )
    assert mine.n_resources_ == [1, 2, 4]
    np.testing.assert_allclose(mine.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=2e-6)


@pytest.mark.usefixtures("no_fit_of_its_own")
def test_the_refit_has_the_rate_and_penalty_of_the_best():
    """Also where the program that it shares was made for the first candidate."""
    classifier = KerasClassifier(build, loss=LOSS, optimizer=Adam, epochs=2, shuffle=False, random_state=0, verbose=0)
    grid = {"model__rate": [0.1, 0.7], "model__l2": [0.01, 1.0]}
    mine, theirs = (
        kind(classifier, grid, cv=2, refit=lambda results: 3).fit(X, CLASSES)
        for kind in (ReplicaGridSearchCV, GridSearchCV)
    )
    assert mine.best_params_ == {"model__l2": 1.0, "model__rate": 0.7}
    np.testing.assert_allclose(
        mine.best_estimator_.history_["loss"], theirs.best_estimator_.history_["loss"], rtol=2e-5
    )
