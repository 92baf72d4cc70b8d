"""scikit-learn's own checks of estimators, as far as they apply to a search over a neural network."""

import os

import keras
import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from keras_amsgrad import Adam
from keras_amsgrad.model_selection import (
    ReplicaGridSearchCV,
    ReplicaHalvingGridSearchCV,
    ReplicaHalvingRandomSearchCV,
    ReplicaRandomizedSearchCV,
)
from tests.classifiers import TaggedClassifier

pytestmark = pytest.mark.slow

EXCEPTIONS = {
    "check_n_features_in_after_fitting": "scikeras words its error about the shape of X in its own way",
    "check_estimator_sparse_tag": "scikeras trains on sparse rows whatever its tag says, as in scikit-learn's search",
    "check_estimator_sparse_array": "the same: scikit-learn's own search over this estimator fails this check",
}
NOT_OF_HALVING = {"check_supervised_y_2d": "scikeras takes targets of several columns, and so does not warn of one"}

SPARSE = ("check_estimator_sparse_array", "check_estimator_sparse_matrix")  # fits one after another, for minutes
FLOAT64 = ("check_methods_sample_order_invariance", "check_methods_subset_invariance")  # to 1e-7: below, to 1e-6


def network(meta):
    layers = [keras.Input((meta["n_features_in_"],)), keras.layers.Dense(meta["n_classes_"], activation="softmax")]
    return keras.Sequential(layers)


# The other three make the fits of the grid search again: with `ESTIMATOR_CHECKS=all pytest ...`, they are checked too.
SETTINGS = {
    ReplicaGridSearchCV: {},
    ReplicaRandomizedSearchCV: {"n_iter": 2, "random_state": 0},
    ReplicaHalvingGridSearchCV: {"min_resources": "smallest", "random_state": 0},
    ReplicaHalvingRandomSearchCV: {"n_candidates": 2, "min_resources": "smallest", "random_state": 0},
}
ALL = os.environ.get("ESTIMATOR_CHECKS") == "all"
CHECKED = list(SETTINGS) if ALL else [ReplicaGridSearchCV]


def search(kind=ReplicaGridSearchCV):
    classifier = TaggedClassifier(
        network, loss="sparse_categorical_crossentropy", optimizer=Adam, epochs=20, random_state=0, verbose=0
    )
    return kind(classifier, {"optimizer__learning_rate": [0.1, 0.01]}, cv=2, **SETTINGS[kind])


def checks():
    """Yield each search with each check that scikit-learn has for it."""
    for kind in CHECKED:
        exceptions = EXCEPTIONS | ({} if "Halving" in kind.__name__ else NOT_OF_HALVING)  # halving checks y itself
        yield from estimator_checks_generator(search(kind), expected_failed_checks=exceptions, mark="xfail")


def name(part):
    """Return the name of a check, or of the class of a search."""
    return part.func.__name__ if hasattr(part, "func") else type(part).__name__


@pytest.mark.parametrize(("estimator", "check"), list(checks()), ids=name)
def test_scikit_learn_accepts_the_search(estimator, check):
    if name(check) in SPARSE and not ALL:
        pytest.skip("takes minutes: set ESTIMATOR_CHECKS=all")
    if name(check) in FLOAT64:
        pytest.skip("compares predictions more exactly than float32 holds them")
    check(estimator)


def test_predictions_do_not_depend_on_other_rows_or_their_order():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(60, 4)), np.arange(60) % 3
    found = search().fit(x, y).predict_proba(x)
    order = random.permutation(60)
    np.testing.assert_allclose(search().fit(x, y).predict_proba(x[order]), found[order], rtol=1e-6)
    np.testing.assert_allclose(search().fit(x, y).predict_proba(x[:7]), found[:7], rtol=1e-6)
