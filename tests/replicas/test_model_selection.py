"""ReplicaGridSearchCV gives scikit-learn's GridSearchCV's results."""

import functools

import joblib
import keras
import numpy as np
import pytest
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, ParameterGrid, RandomizedSearchCV, StratifiedKFold

from keras_amsgrad import Adam, AMSGrad, InverseSqrtDecay
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from keras_amsgrad.model_selection.fits import Candidate, Rows, SearchedFits
from keras_amsgrad.model_selection.scikeras import ScikerasAdapter
from keras_amsgrad.model_selection.search import ReplicaSearch
from keras_amsgrad.model_selection.searched_estimator import SearchedEstimator
from keras_amsgrad.model_selection.trainer import PlannedTrainer
from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.program import Program
from tests.classifiers import TaggedClassifier

pytestmark = pytest.mark.usefixtures("no_fit_of_its_own")


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


class Backwards(GridSearchCV):
    """A search of one's own: the last candidate first, the first one in a second batch, twice."""

    def _run_search(self, evaluate_candidates):
        candidates = list(ParameterGrid(self.param_grid))
        evaluate_candidates(candidates[:0:-1])
        evaluate_candidates(candidates[:1] * 2)


class ReplicaBackwards(ReplicaSearch, Backwards):
    """The same search with its batches trained as replicas."""


class OneByOne(ReplicaGridSearchCV):
    """A search that goes past the mixin: what it evaluates is in no batch."""

    def _run_search(self, evaluate_candidates):
        evaluate_candidates(list(ParameterGrid(self.param_grid)))


GRID = {"optimizer": [Adam, AMSGrad], "optimizer__learning_rate": [0.01, 0.1]}


def test_any_search_may_have_its_batches_trained_as_replicas_in_any_order(monkeypatch):
    calls, train_batch = [], PlannedTrainer.train
    monkeypatch.setattr(PlannedTrainer, "train", lambda self, fits: calls.append(len(fits)) or train_batch(self, fits))
    mine, theirs = (kind(classifier(), GRID, cv=2).fit(*digits()) for kind in (ReplicaBackwards, Backwards))
    assert calls == [6, 2, 1]  # fits: two batches, and the refit; what was asked for twice is trained once
    assert_same_results(mine, theirs)
    assert mine.best_estimator_.history_["loss"] == pytest.approx(theirs.best_estimator_.history_["loss"], rel=1e-4)
    assert mine.cv_results_["mean_fit_time"].shape == (5,)


def test_a_randomized_search_needs_nothing_but_the_mixin():
    class ReplicaRandomized(ReplicaSearch, RandomizedSearchCV):
        pass

    settings = {"n_iter": 3, "random_state": 1, "cv": 2}
    mine, theirs = (
        kind(classifier(), GRID, **settings).fit(*digits()) for kind in (ReplicaRandomized, RandomizedSearchCV)
    )
    assert_same_results(mine, theirs)


def test_a_fit_that_is_in_no_batch_is_trained_when_it_is_asked_for():
    mine, theirs = (kind(classifier(), GRID, cv=2).fit(*digits()) for kind in (OneByOne, ReplicaGridSearchCV))
    assert_same_results(mine, theirs)


def test_fits_are_found_whatever_the_order_in_which_scikit_learn_asks():
    """Several threads ask at once, the candidates and splits in another order than they were trained in."""
    trainer = PlannedTrainer(ScikerasAdapter(classifier(), *digits()))
    fits = SearchedFits(classifier(), *digits(), trainer, with_training_outputs=False)
    splits = list(StratifiedKFold(2).split(*digits()))
    candidates = [Candidate(each) for each in ParameterGrid(GRID)]
    fits.train(candidates, splits)
    rows = Rows(digits()[0], np.arange(400))
    search = GridSearchCV(SearchedEstimator(fits), GRID, cv=splits[::-1], n_jobs=3, refit=False)
    with joblib.parallel_config("threading"):
        found = search.fit(rows, digits()[1]).cv_results_
    expected = ReplicaGridSearchCV(classifier(), GRID, cv=splits, refit=False).fit(*digits()).cv_results_
    for mine, theirs in (("split0", "split1"), ("split1", "split0"), ("mean", "mean")):
        np.testing.assert_array_equal(found[f"{mine}_test_score"], expected[f"{theirs}_test_score"])


def test_a_search_does_not_depend_on_a_parallel_context():
    search = ReplicaGridSearchCV(classifier(), GRID, cv=2, refit=False)
    alone = search.fit(*digits()).cv_results_["mean_test_score"]
    with joblib.parallel_config("threading", n_jobs=4):
        np.testing.assert_array_equal(search.fit(*digits()).cv_results_["mean_test_score"], alone)


def test_objects_are_candidates_and_stay_what_they_are():
    schedules = [InverseSqrtDecay(0.01), InverseSqrtDecay(0.3)]
    search = ReplicaGridSearchCV(classifier(), {"optimizer__learning_rate": schedules}, cv=2).fit(*digits())
    assert [params["optimizer__learning_rate"] for params in search.cv_results_["params"]] == schedules
    assert [type(params) for params in search.cv_results_["params"]] == [dict, dict]
    assert type(search.best_params_) is dict
    assert search.best_params_["optimizer__learning_rate"] in schedules
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_a_scorer_may_predict_rows_of_its_own():
    others = digits()[0][:30] * 0.5

    def agreement(estimator, X, y):
        return float(np.mean(estimator.predict(others) == digits()[1][:30]) + len(estimator.predict_proba(X)))

    grid = {"optimizer__learning_rate": [1e-4, 0.1]}
    mine, theirs = (
        kind(classifier(), grid, scoring=agreement, cv=2).fit(*digits()) for kind in (ReplicaGridSearchCV, GridSearchCV)
    )
    assert_same_results(mine, theirs)


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


@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
def test_networks_compiled_by_their_own_function_keep_their_optimizer_and_share_a_program(monkeypatch):
    def compiled(alpha):
        model = network()
        model.compile(AMSGrad(alpha), "sparse_categorical_crossentropy")
        return model

    grid = {"model__alpha": [0.1, 0.001]}
    arguments = {"model": compiled, "model__alpha": 0.1}
    programs = []
    made = Program.__init__
    monkeypatch.setattr(Program, "__init__", lambda self, *of: programs.append(self) or made(self, *of))
    mine, theirs = (
        kind(classifier(**arguments), grid, cv=2).fit(*digits()) for kind in (ReplicaGridSearchCV, GridSearchCV)
    )
    assert_same_results(mine, theirs)
    assert [program.count for program in programs] == [2]  # both candidates; the refit takes one of its places
