"""ReplicaGridSearchCV gives scikit-learn's GridSearchCV's results."""

import functools

import keras
import numpy as np
import pytest
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from keras_amsgrad import Adam, AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from tests.classifiers import TaggedClassifier


@functools.cache
def digits():
    x, y = load_digits(return_X_y=True)
    return (x[:400] / 16).astype("float32"), np.array(list("abcdefghij"))[y[:400]]


def network(units=0):
    hidden = [keras.layers.Dense(units, activation="relu")] if units else []
    return keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10, activation="softmax")])


def classifier(**settings):
    defaults = {
        "model": network,
        "loss": "sparse_categorical_crossentropy",
        "optimizer": AMSGrad,
        "epochs": 2,
        "batch_size": 50,
        "random_state": 0,
        "shuffle": False,
        "verbose": 0,
    }
    return KerasClassifier(**defaults | settings)


def assert_same_results(mine, theirs):
    assert list(mine.cv_results_) == list(theirs.cv_results_)
    assert mine.cv_results_["params"] == theirs.cv_results_["params"]
    for name, values in theirs.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_allclose(mine.cv_results_[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    assert mine.best_params_ == theirs.best_params_
    assert mine.best_index_ == theirs.best_index_


def test_results_ranks_and_best_estimator_are_those_of_grid_search():
    grid = {"optimizer": [Adam, AMSGrad], "optimizer__learning_rate": [1e-4, 0.03]}
    settings = {"cv": 2, "scoring": "neg_log_loss", "return_train_score": True}
    mine = ReplicaGridSearchCV(tagged(), grid, **settings).fit(*digits())
    theirs = GridSearchCV(tagged(), grid, **settings).fit(*digits())
    assert_same_results(mine, theirs)
    assert vars(mine).keys() >= {name for name in vars(theirs) if name.endswith("_")}
    np.testing.assert_allclose(mine.predict_proba(digits()[0]), theirs.predict_proba(digits()[0]), atol=1e-4)
    assert mine.score(*digits()) == pytest.approx(theirs.score(*digits()), rel=1e-4)
    np.testing.assert_allclose(
        mine.best_estimator_.history_["loss"], theirs.best_estimator_.history_["loss"], rtol=1e-4
    )
    assert (mine.cv_results_["mean_fit_time"] > 0).all()


def tagged():
    plain = classifier()
    return TaggedClassifier(**plain.get_params())


def test_networks_may_differ_and_early_stopping_validates_on_the_last_rows():
    def stopping():
        return keras.callbacks.EarlyStopping("val_loss", patience=0)

    grid = {"model__units": [0, 8], "optimizer__learning_rate": [0.3]}
    settings = {"epochs": 5, "validation_split": 0.25, "metrics": ["accuracy"]}
    mine, theirs = (
        kind(classifier(callbacks=[stopping()], model__units=0, **settings), grid, cv=StratifiedKFold(2)).fit(*digits())
        for kind in (ReplicaGridSearchCV, GridSearchCV)
    )
    assert_same_results(mine, theirs)
    assert len(mine.best_estimator_.history_["val_loss"]) == len(theirs.best_estimator_.history_["val_loss"])


def test_several_scores_and_a_callable_refit():
    settings = {"scoring": ["accuracy", "f1_macro"], "refit": lambda results: 1, "cv": 2}
    grid = {"optimizer__learning_rate": [0.1, 0.01]}
    mine, theirs = (kind(classifier(), grid, **settings).fit(*digits()) for kind in (ReplicaGridSearchCV, GridSearchCV))
    assert_same_results(mine, theirs)
    assert mine.best_params_ == {"optimizer__learning_rate": 0.01}


def test_a_scorer_of_ones_own_sees_estimator_and_rows():
    def minus_last_loss(estimator, X, y):
        assert np.asarray(X).shape == (len(y), 64)
        return -estimator.history_["loss"][-1]

    search = ReplicaGridSearchCV(
        classifier(), {"optimizer__learning_rate": [1e-4, 0.01]}, scoring=minus_last_loss, cv=2
    )
    assert search.fit(*digits()).best_params_ == {"optimizer__learning_rate": 0.01}


def test_seeds_are_candidates_too():
    search = ReplicaGridSearchCV(classifier(), {"random_state": [0, 1, 0]}, cv=2, refit=False).fit(*digits())
    first, second, again = search.cv_results_["mean_test_score"]
    assert first == again != second


def test_a_regressor_is_searched_as_well():
    def line():
        return keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])

    x, _ = digits()
    y = x[:, 3] + 2 * x[:, 20]
    regressor = KerasRegressor(line, loss="mse", optimizer=Adam, epochs=3, random_state=0, shuffle=False, verbose=0)
    grid = {"optimizer__learning_rate": [0.001, 0.01]}
    mine, theirs = (kind(regressor, grid, cv=2).fit(x, y) for kind in (ReplicaGridSearchCV, GridSearchCV))
    assert_same_results(mine, theirs)


def test_a_network_compiled_by_its_own_function_keeps_its_optimizer():
    def compiled(alpha):
        model = network()
        model.compile(AMSGrad(alpha), "sparse_categorical_crossentropy")
        return model

    grid = {"model__alpha": [0.1, 0.001]}
    arguments = {"model": compiled, "model__alpha": 0.1}
    mine, theirs = (
        kind(classifier(**arguments), grid, cv=2).fit(*digits()) for kind in (ReplicaGridSearchCV, GridSearchCV)
    )
    assert_same_results(mine, theirs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"class_weight": "balanced"}, "`class_weight` must be None", id="class weights"),
        pytest.param({"metrics": ["mse"]}, "`metrics` must be None or", id="metrics"),
        pytest.param(
            {"callbacks": [keras.callbacks.TerminateOnNaN()]}, "`callbacks` must be one Early", id="callbacks"
        ),
        pytest.param({"fit__batch_size": 3}, "without `fit__`.*fit__batch_size", id="routed parameters"),
        pytest.param({"optimizer": "sgd"}, "must be one of keras_amsgrad", id="optimizer"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ReplicaGridSearchCV(classifier(**settings), {"batch_size": [50]}, cv=2).fit(*digits())


def test_estimators_of_others_sample_weights_and_lost_classes_are_refused():
    with pytest.raises(
        TypeError, match=r"KerasClassifier or KerasRegressor of scikeras.* Received: LogisticRegression"
    ):
        ReplicaGridSearchCV(LogisticRegression(), {"C": [1]}).fit(*digits())
    search = ReplicaGridSearchCV(classifier(), {"batch_size": [50]}, cv=2)
    with pytest.raises(ValueError, match="Received: sample_weight"):
        search.fit(*digits(), sample_weight=np.ones(400))
    rows = np.arange(400)
    lost = [(rows[digits()[1] != "c"], rows)]
    with pytest.raises(ValueError, match="split 0 with 9 of 10 classes"):
        search.set_params(cv=lost).fit(*digits())
