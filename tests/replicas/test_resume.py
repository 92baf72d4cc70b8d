"""A search that was interrupted goes on: nothing trains twice, and its results are those of one that was not."""

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from keras_amsgrad.model_selection import (
    ReplicaGridSearchCV,
    ReplicaHalvingGridSearchCV,
    ReplicaHalvingRandomSearchCV,
    ReplicaRandomizedSearchCV,
)
from keras_amsgrad.model_selection.search import ReplicaSearch
from keras_amsgrad.replicas.chunk_training import TrainingOptions
from tests.replicas.resuming import RATES, assert_identical, interrupted_after, records, weights
from tests.replicas.test_own_fits import FOLDS, NAMES, X, classifier
from tests.replicas.test_pipelines import FIT, wrapped

pytestmark = pytest.mark.usefixtures("no_fit_of_its_own")

RATE = "optimizer__learning_rate"


def grid(rates=RATES, folder=None, estimator=None, **settings):
    settings = {"cv": FOLDS, "scoring": "neg_log_loss", "return_train_score": True, **settings}
    return ReplicaGridSearchCV(estimator or classifier(), {RATE: rates}, resume=folder, **settings)


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_search_goes_on_to_the_bit_and_trains_nothing_twice(tmp_path, monkeypatch, trained, capsys):
    whole = grid().fit(X, NAMES)
    trained.clear()
    interrupted_after(3, monkeypatch, grid(folder=tmp_path), X, NAMES)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == f"Interrupted: 3 finished fits are kept in {tmp_path}; the same call goes on from there."
    kept = records(tmp_path)
    assert len(kept) == 3
    trained.clear()
    again = grid(folder=str(tmp_path)).fit(X, NAMES)
    assert trained == [2, 1, 2, 2, 1, 1]  # a chunk of which one fit was kept, the others, and the refit
    assert_identical(again, whole)
    np.testing.assert_equal(weights(again), weights(whole))
    assert kept.items() <= records(tmp_path).items()
    trained.clear()
    third = grid(folder=tmp_path).fit(X, NAMES)
    assert trained == []
    assert_identical(third, whole)
    np.testing.assert_equal(weights(third), weights(whole))
    np.testing.assert_array_equal(third.cv_results_["mean_fit_time"], again.cv_results_["mean_fit_time"])
    assert third.best_estimator_.history_ == whole.best_estimator_.history_
    assert not list(tmp_path.glob("unfinished/*"))


def test_a_chunk_under_way_goes_on_from_its_last_epoch(tmp_path, monkeypatch):
    for pause in ("SECONDS_BETWEEN_BACKUPS", "TIMES_ITS_OWN"):
        monkeypatch.setattr(f"keras_amsgrad.replicas.backup.{pause}", 0)
    monkeypatch.setattr("keras_amsgrad.replicas.training.at_once", lambda _: 1)
    epochs, rows = [], TrainingOptions.rows

    def counted(options, replica, epoch):
        epochs.append(epoch)
        if epochs == [0, 1, 2]:
            raise KeyboardInterrupt
        return rows(options, replica, epoch)

    one_split = list(FOLDS.split(X, NAMES))[:1]
    search = grid(RATES[:2], estimator=classifier(epochs=4), refit=False, cv=one_split)
    whole = search.fit(X, NAMES)
    monkeypatch.setattr(TrainingOptions, "rows", counted)
    search = clone(search).set_params(resume=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, NAMES)
    epochs.append("again")
    assert_identical(search.fit(X, NAMES), whole)
    assert epochs == [0, 1, 2, "again", 2, 3]


def test_more_candidates_and_folds_train_only_what_is_new(tmp_path, trained):
    folds = list(StratifiedKFold(3).split(X, NAMES))
    first = grid(RATES[:2], tmp_path, cv=folds[:2], refit=False).fit(X, NAMES)
    trained.clear()
    more = grid(RATES[1:4], tmp_path, cv=folds, refit=False).fit(X, NAMES)
    assert sum(trained) == 2 * 2 + 3
    for split in (0, 1):
        scores = [search.cv_results_[f"split{split}_test_score"] for search in (first, more)]
        assert scores[0][1] == scores[1][0]


def test_the_seed_that_an_estimator_without_one_draws_is_kept(tmp_path, trained):
    def search(folder):
        estimator = make_pipeline(PCA(2, random_state=0), classifier().set_params(random_state=None, shuffle=True))
        return ReplicaGridSearchCV(estimator, {f"kerasclassifier__{RATE}": RATES[:2]}, cv=FOLDS, resume=folder)

    np.random.seed(1)  # noqa: NPY002 - a search draws from this state
    first = search(tmp_path).fit(X, NAMES)
    np.random.seed(2)  # noqa: NPY002
    trained.clear()
    again = search(tmp_path).fit(X, NAMES)
    assert trained == []
    assert_identical(again, first)
    np.testing.assert_equal(weights(again), weights(first))
    other = search(tmp_path / "other").fit(X, NAMES)
    assert not np.array_equal(weights(other)[0], weights(first)[0])


def deep(meta, rate=0.1):
    layers = [keras.layers.Dense(4, activation="relu"), keras.layers.Dropout(rate)]
    outputs = keras.layers.Dense(meta["n_classes_"], activation="softmax")
    return keras.Sequential([keras.Input((meta["n_features_in_"],)), *layers, outputs])


HALVING = {"factor": 2, "cv": FOLDS, "scoring": "neg_log_loss", "random_state": 0}
BY_EPOCHS = {**HALVING, "resource": "epochs", "min_resources": 1, "max_resources": 4}


def halving_by_epochs():
    estimator = classifier().set_params(model=deep, model__rate=0.2, shuffle=True)
    return ReplicaHalvingGridSearchCV(estimator, {RATE: RATES[1:]}, **BY_EPOCHS)


def halving_by_rows():
    settings = {**HALVING, "min_resources": 60, "n_candidates": 4}
    return ReplicaHalvingRandomSearchCV(classifier(), {RATE: RATES}, **settings)


def at_random():
    return ReplicaRandomizedSearchCV(
        keras.wrappers.SKLearnClassifier(wrapped, fit_kwargs=FIT),
        {"model_kwargs": [{"alpha": rate} for rate in RATES]},
        cv=FOLDS,
        n_iter=3,
        random_state=0,
    )


def in_a_pipeline():
    estimator = make_pipeline(PCA(random_state=0), classifier(batch_size=8))
    ranges = {"pca__n_components": [2, 3], f"kerasclassifier__{RATE}": RATES[:2]}
    return ReplicaGridSearchCV(estimator, {**ranges, "kerasclassifier__batch_size": [8, 16]}, cv=FOLDS)


@pytest.mark.parametrize(
    ("search", "after"),
    [
        pytest.param(halving_by_epochs, (3, 10, 14), id="halving by epochs", marks=pytest.mark.slow),
        pytest.param(halving_by_rows, (5, 9), id="halving by rows", marks=pytest.mark.slow),
        pytest.param(at_random, (4,), id="at random, a wrapper of Keras's"),
        pytest.param(in_a_pipeline, (6, 12), id="a pipeline, two batch sizes", marks=pytest.mark.slow),
    ],
)
def test_every_search_goes_on_to_the_bit(search, after, tmp_path, monkeypatch):
    np.random.seed(0)  # noqa: NPY002 - for a wrapper of Keras's, which has no seed
    whole = search().fit(X, NAMES)
    np.random.seed(0)  # noqa: NPY002
    for number in np.diff([0, *after]):
        interrupted_after(number, monkeypatch, search().set_params(resume=tmp_path), X, NAMES)
    kept = records(tmp_path)
    assert len(kept) == after[-1]
    resumed = search().set_params(resume=tmp_path).fit(X, NAMES)
    assert_identical(resumed, whole)
    np.testing.assert_equal(weights(resumed), weights(whole))
    assert kept.items() <= records(tmp_path).items()


def test_survivors_of_a_round_that_was_kept_continue_from_their_states(tmp_path, monkeypatch):
    def search(folder=None):
        settings = {**BY_EPOCHS, "max_resources": 2, "refit": False, "resume": folder}
        return ReplicaHalvingGridSearchCV(classifier(), {RATE: RATES[2:4]}, **settings)

    whole = search().fit(X, NAMES)
    interrupted_after(4, monkeypatch, search(tmp_path), X, NAMES)
    epochs, rows = [], TrainingOptions.rows
    monkeypatch.setattr(TrainingOptions, "rows", lambda *of: epochs.append(of[2]) or rows(*of))
    assert_identical(search(tmp_path).fit(X, NAMES), whole)
    assert epochs == [1, 1]  # of two folds


@pytest.mark.parametrize("search", [halving_by_epochs, halving_by_rows, at_random, in_a_pipeline])
def test_resume_is_a_parameter_as_scikit_learn_has_them(search):
    folder = "a folder"
    search = search().set_params(resume=folder)
    assert clone(search).resume is folder
    assert clone(search).get_params(deep=False).keys() == search.get_params(deep=False).keys()
    assert f"resume='{folder}'" in repr(search)


def test_a_search_of_ones_own_has_the_parameter_too():
    class Mine(ReplicaSearch, GridSearchCV):
        """A search of somebody's own."""

    class OfTheirOwn(ReplicaSearch, GridSearchCV):
        def __init__(self, estimator, param_grid):
            super().__init__(estimator, param_grid)

    assert Mine(classifier(), {}, resume="a folder").get_params()["resume"] == "a folder"
    assert OfTheirOwn(classifier(), {}).resume is None


def test_ctrl_c_without_a_folder_says_how_to_keep_fits(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingOptions, "rows", interrupt)
    with pytest.raises(KeyboardInterrupt):
        grid().fit(X, NAMES)
    assert capsys.readouterr().err == (
        'Interrupted, and no fit is kept: resume="FOLDER" keeps them for the same call.\n'
    )
