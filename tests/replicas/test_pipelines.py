"""Searches over pipelines and over Keras's own wrappers give scikit-learn's results."""

import keras
import numpy as np
import pytest
from scikeras.wrappers import KerasClassifier
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_amsgrad import Adam
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from tests.replicas.test_own_fits import NAMES, assert_same, classifier

pytestmark = pytest.mark.usefixtures("no_fit_of_its_own")

X, _ = load_iris(return_X_y=True)
FOLDS = StratifiedKFold(2)


def both(estimator, grid, x, y, **settings):
    return [
        kind(estimator, grid, **{"cv": FOLDS, **settings}).fit(x, y) for kind in (ReplicaGridSearchCV, GridSearchCV)
    ]


def test_transformers_are_fitted_on_each_training_part_and_for_each_of_their_settings():
    pipeline = make_pipeline(StandardScaler(), PCA(3, random_state=0), classifier())
    grid = {"pca__n_components": [2, 3], "kerasclassifier__optimizer__learning_rate": [0.01, 0.1]}
    mine, theirs = both(pipeline, grid, X, NAMES, scoring="neg_log_loss", return_train_score=True)
    assert_same(mine, theirs)
    assert mine.best_params_ == theirs.best_params_
    assert isinstance(mine.best_estimator_, Pipeline)
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), rtol=1e-4)
    np.testing.assert_allclose(mine.best_estimator_[0].mean_, theirs.best_estimator_[0].mean_)


def test_a_pipeline_of_one_step_and_a_scorer_of_ones_own():
    def last_loss(pipeline, x, y):
        assert isinstance(x, np.ndarray)
        return pipeline[-1].history_["loss"][-1] + np.mean(pipeline.predict(x) == y)

    pipeline = Pipeline([("net", classifier())])
    mine, theirs = both(pipeline, {"net__optimizer__learning_rate": [0.01, 0.1]}, X, NAMES, scoring=last_loss)
    assert_same(mine, theirs)


def wrapped(X, y, alpha=0.1, units=0):
    keras.utils.set_random_seed(1)
    hidden = [keras.layers.Dense(units, activation="relu")] if units else []
    classes = y.shape[1]  # 1: a regression
    outputs = keras.layers.Dense(classes, activation="softmax" if classes > 1 else None)
    model = keras.Sequential([keras.Input(X.shape[1:]), *hidden, outputs])
    model.compile(Adam(alpha), "categorical_crossentropy" if classes > 1 else "mse")
    return model


FIT = {"epochs": 3, "shuffle": False, "verbose": 0}


def test_keras_own_classifier_is_searched():
    grid = {"model_kwargs": [{"alpha": 0.1}, {"alpha": 0.01}, {"units": 5}], "fit_kwargs": [FIT]}
    mine, theirs = both(keras.wrappers.SKLearnClassifier(wrapped), grid, X, NAMES)
    assert_same(mine, theirs)
    np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
    np.testing.assert_allclose(
        mine.best_estimator_.history_.history["loss"], theirs.best_estimator_.history_.history["loss"], rtol=1e-4
    )


def test_keras_own_regressor_is_searched():
    x, y = load_diabetes(return_X_y=True)
    grid = {"model_kwargs": [{"alpha": 0.1}, {"alpha": 1.0}], "fit_kwargs": [{**FIT, "batch_size": 64}]}
    mine, theirs = both(keras.wrappers.SKLearnRegressor(wrapped), grid, x, y, cv=KFold(2))
    assert_same(mine, theirs)


def test_several_searches_do_not_share_what_they_learned():
    search = ReplicaGridSearchCV(
        make_pipeline(StandardScaler(), classifier()), {"kerasclassifier__epochs": [1, 3]}, cv=FOLDS
    )
    first = search.fit(X, NAMES).best_score_
    assert search.fit(X[:, :2], NAMES).best_score_ != first
    assert isinstance(search.best_estimator_[-1], KerasClassifier)
