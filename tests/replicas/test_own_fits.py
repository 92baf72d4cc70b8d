"""What cannot be a replica is trained by the estimator's own `fit`: a search runs whatever scikit-learn's runs."""

import warnings

import keras
import numpy as np
import pytest
from scikeras.wrappers import KerasClassifier
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from keras_amsgrad import AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV, ReplicaWarning
from keras_amsgrad.model_selection.scikeras import ScikerasAdapter

X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X).astype("float32")
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
FOLDS = StratifiedKFold(2)


def network(meta):
    layers = [keras.Input((meta["n_features_in_"],)), keras.layers.Dense(meta["n_classes_"], activation="softmax")]
    return keras.Sequential(layers)


def classifier(**settings):
    settings = {"optimizer": AMSGrad, "optimizer__learning_rate": 0.1, "epochs": 2, **settings}
    return KerasClassifier(
        network, loss="sparse_categorical_crossentropy", shuffle=False, random_state=0, verbose=0, **settings
    )


def both(estimator, grid, y=NAMES, **settings):
    """Return our search and scikit-learn's, fitted, and the messages of ours."""
    settings = {"cv": FOLDS, **settings}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mine = ReplicaGridSearchCV(estimator, grid, **settings).fit(X, y)
    messages = [str(warning.message) for warning in caught if issubclass(warning.category, ReplicaWarning)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = GridSearchCV(estimator, grid, **settings).fit(X, y)
    return mine, theirs, messages


def assert_same(mine, theirs):
    assert list(mine.cv_results_) == list(theirs.cv_results_)
    assert mine.cv_results_["params"] == theirs.cv_results_["params"]
    for name, values in theirs.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_allclose(mine.cv_results_[name], values, rtol=1e-4, err_msg=name)


def test_a_failure_to_plan_that_scikit_learn_does_not_share_is_said(monkeypatch):
    monkeypatch.setattr(ScikerasAdapter, "_weighted", lambda *_: 1 / 0)
    mine, theirs, (message,) = both(classifier(), {"epochs": [1, 2]})
    assert_same(mine, theirs)
    assert "planning them together failed (ZeroDivisionError: division by zero)" in message


def test_an_estimator_without_an_adapter_is_searched_as_by_scikit_learn():
    mine, theirs, (message,) = both(LogisticRegression(), {"C": [0.1, 1.0]})
    assert_same(mine, theirs)
    assert "LogisticRegression is no estimator of scikeras" in message
    assert mine.best_estimator_.coef_.shape == (3, 4)


def test_one_warning_says_how_many_fits_are_the_estimators_own_and_why():
    grid = {"run_eagerly": [False, True], "optimizer__learning_rate": [0.01, 0.1]}
    mine, theirs, (message,) = both(classifier(), grid)
    assert_same(mine, theirs)
    assert message.startswith("4 of 8 fits are trained by the estimator's own `fit`")
    assert "`run_eagerly` is not supported for replicas" in message
    assert "'run_eagerly': 'True'" in message
    assert (mine.cv_results_["mean_fit_time"] > 0).all()
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), rtol=1e-4)


def test_what_fails_in_scikit_learns_search_fails_in_the_same_way():
    grid = {"optimizer__beta_2": [0.99, 1.5]}
    search = ReplicaGridSearchCV(classifier(), grid, cv=FOLDS)
    with pytest.warns(FitFailedWarning, match="beta_2"):
        scores = search.fit(X, NAMES).cv_results_["mean_test_score"]
    assert scores[0] > 0.5
    assert np.isnan(scores[1])
    with pytest.raises(ValueError, match="beta_2"):
        search.set_params(error_score="raise").fit(X, NAMES)


@pytest.mark.parametrize("settings", [{"loss": "no_such_loss"}, {"model__units": -1}])
def test_a_model_that_cannot_be_built_gets_the_error_score(settings):
    def sized(units=3):
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation="softmax")])

    (name, value), estimator = next(iter(settings.items())), classifier().set_params(model=sized)
    good = {"loss": "sparse_categorical_crossentropy", "model__units": 3}[name]
    with pytest.warns(FitFailedWarning):
        search = ReplicaGridSearchCV(estimator, {name: [good, value]}, cv=FOLDS, error_score=-7).fit(X, NAMES)
    assert search.cv_results_["mean_test_score"][1] == -7
    assert search.best_params_ == {name: good}


def test_a_class_may_be_missing_from_a_training_part():
    """scikit-learn's `cv=3` leaves these sorted classes out one by one: each part has a network of its own."""
    mine, theirs, messages = both(classifier(epochs=3), {"optimizer__learning_rate": [0.01, 0.1]}, cv=3)
    assert_same(mine, theirs)
    assert len(messages) == 1
    assert "cv=3 splits the rows in their order, without stratification" in messages[0]


def test_probabilities_are_scored_although_scikit_learn_takes_scikeras_for_no_classifier():
    search = ReplicaGridSearchCV(classifier(), {"epochs": [3]}, cv=FOLDS, scoring="roc_auc_ovr").fit(X, NAMES)
    assert search.cv_results_["mean_test_score"][0] > 0.5


def test_a_failure_of_the_engine_costs_time_only(monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("keras_amsgrad.model_selection.plans.train", fails)
    mine, theirs, (message, *_) = both(classifier(), {"optimizer__learning_rate": [0.01, 0.1]})
    assert_same(mine, theirs)
    assert "training them together failed (RuntimeError: out of memory)" in message
