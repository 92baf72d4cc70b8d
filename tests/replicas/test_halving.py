"""Halving by epochs continues the candidates that survive a round, with the results of training from the start."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - HalvingGridSearchCV is experimental
from sklearn.model_selection import HalvingGridSearchCV
from sklearn.pipeline import make_pipeline

from keras_amsgrad.model_selection import (
    ReplicaGridSearchCV,
    ReplicaHalvingGridSearchCV,
    ReplicaHalvingRandomSearchCV,
)
from keras_amsgrad.model_selection.fits import Candidate, Fit
from keras_amsgrad.model_selection.scikeras import ScikerasAdapter
from keras_amsgrad.model_selection.trainer import PlannedTrainer
from keras_amsgrad.replicas.chunk_training import TrainingOptions
from tests.replicas.comparison import LOG_LOSS
from tests.replicas.test_own_fits import FOLDS, NAMES, X, assert_same, classifier

pytestmark = pytest.mark.usefixtures("no_fit_of_its_own")

RATES = [0.003, 0.01, 0.03, 0.1]
HALVING = {"min_resources": 1, "max_resources": 4, "factor": 2, "cv": FOLDS, "scoring": LOG_LOSS}
CONTINUED = [0, 1, 2, 3]  # the epochs that a fold trains in rounds of 1, 2 and 4 epochs
FROM_THE_START = [0, 0, 0, 1, 1, 2, 3]


@pytest.fixture
def epochs_trained(monkeypatch):
    """The epochs, from 0, that groups of replicas have trained: a fold of a round is a group."""
    seen, rows = [], TrainingOptions.rows
    monkeypatch.setattr(TrainingOptions, "rows", lambda *of: seen.append(of[2]) or rows(*of))
    return seen


def of_chance(meta):
    layers = keras.layers
    outputs = layers.Dense(meta["n_classes_"], activation="softmax")
    return keras.Sequential([keras.Input((meta["n_features_in_"],)), layers.Dropout(0.2), outputs])


def decaying(meta, params, alpha):
    """A network whose learning rate follows from the number of epochs."""
    model = of_chance(meta)
    schedule = keras.optimizers.schedules.CosineDecay(alpha, 3 * params["epochs"])
    model.compile(keras.optimizers.Adam(schedule), params["loss"])
    return model


def shuffling(model=of_chance, **settings):
    return classifier(**settings).set_params(model=model, shuffle=True)


def in_pipeline():
    return make_pipeline(PCA(random_state=0), shuffling(fit__epochs=1))


def restoring():
    return shuffling(callbacks=[keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)])


def assert_as_from_the_start(search):
    grid = [{name: [value] for name, value in params.items()} for params in search.cv_results_["params"]]
    settings = {"cv": FOLDS, "scoring": search.scoring, "refit": False}
    whole = ReplicaGridSearchCV(search.estimator, grid, **settings).fit(X, NAMES).cv_results_
    for split in range(2):
        for name in (f"split{split}_test_score", f"split{split}_train_score"):
            if name in whole:
                np.testing.assert_allclose(search.cv_results_[name], whole[name], rtol=1e-6)
    assert len(set(search.cv_results_["mean_test_score"])) == 7


def test_results_are_those_of_scikit_learn_and_no_epoch_is_trained_twice(epochs_trained):
    grid = {"optimizer__learning_rate": RATES[:3]}
    settings = {**HALVING, "max_resources": 3, "factor": 3, "resource": "epochs"}
    mine = ReplicaHalvingGridSearchCV(classifier(), grid, **settings).fit(X, NAMES)
    assert (mine.n_candidates_, mine.n_resources_) == ([3, 1], [1, 3])
    assert sorted(epochs_trained) == sorted([0, 1, 2] * 3)  # two folds, and the refit
    assert len(mine.best_estimator_.history_["loss"]) == 3
    theirs = HalvingGridSearchCV(classifier(), grid, refit=False, **settings).fit(X, NAMES)
    assert_same(mine, theirs)
    assert mine.best_params_ == theirs.best_params_


@pytest.mark.parametrize(
    ("estimator", "rate", "resource", "epochs"),
    [
        pytest.param(
            in_pipeline(),
            "kerasclassifier__optimizer__learning_rate",
            "kerasclassifier__fit__epochs",
            CONTINUED,
            id="a pipeline, dropout and shuffling",
        ),
        pytest.param(restoring(), "optimizer__learning_rate", "epochs", FROM_THE_START, id="restored weights"),
        pytest.param(
            shuffling(model=decaying, model__alpha=0.1),
            "model__alpha",
            "epochs",
            FROM_THE_START,
            id="a schedule that follows from the epochs",
        ),
    ],
)
def test_what_can_continue_does_and_what_cannot_starts_again(estimator, rate, resource, epochs, epochs_trained):
    settings = {**HALVING, "n_candidates": 4, "random_state": 0, "resource": resource, "refit": False}
    search = ReplicaHalvingRandomSearchCV(estimator, {rate: RATES}, **settings).fit(X, NAMES)
    assert sorted(epochs_trained) == sorted(epochs * 2)
    assert_as_from_the_start(search)


def test_rows_are_halved_as_by_scikit_learn(epochs_trained):
    settings = {"cv": FOLDS, "refit": False, "random_state": 0, "min_resources": 60, "factor": 2}
    search = ReplicaHalvingGridSearchCV(classifier(), {"optimizer__learning_rate": RATES[2:]}, **settings)
    assert search.fit(X, NAMES).n_resources_ == [60, 120]
    assert sorted(epochs_trained) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_only_the_states_of_the_last_round_are_kept():
    def fits(epochs, *rates):
        candidates = [Candidate({"epochs": epochs, "optimizer__learning_rate": rate}) for rate in rates]
        return [Fit(candidate, np.arange(0, 150, 3), np.arange(5)) for candidate in candidates]

    for continues, kept in ((True, [2, 1]), (False, [0, 0])):
        trainer = PlannedTrainer(ScikerasAdapter(classifier(), X, NAMES), continues)
        for round_, states in zip((fits(1, 0.1, 0.2), fits(2, 0.1)), kept, strict=True):
            found = trainer.train(round_)
            assert len(trainer.last) == states
            assert [each.outcome.state for each in found] == [None] * len(round_)
            assert all(outcome.state for outcome in trainer.last.values())
