"""Chunks on the workers of joblib's active backend: the same numbers, wherever they train."""

import multiprocessing
import os
import signal
import threading

import joblib
import keras
import numpy as np
import pytest
from joblib.parallel import MultiprocessingBackend, ThreadingBackend
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from keras_amsgrad.model_selection import (
    ReplicaGridSearchCV,
    ReplicaHalvingGridSearchCV,
    ReplicaWarning,
    WorkersError,
    workers,
)
from keras_amsgrad.model_selection.tasks import SearchInWorker
from tests.replicas.resuming import RATES, assert_identical, records, weights
from tests.replicas.test_own_fits import FOLDS, NAMES, X, classifier
from tests.replicas.test_pipelines import FIT, wrapped

pytestmark = pytest.mark.usefixtures("no_fit_of_its_own")

RATE = "optimizer__learning_rate"


class OtherProcesses(ThreadingBackend):
    """Threads that joblib and the searches take for other processes: quick, and what happens in them can be seen."""

    supports_sharedmem = False

    def effective_n_jobs(self, n_jobs):
        return 2


class ResultsTogether(OtherProcesses):
    """As `OtherProcesses`; joblib gets the results of a call together, as from Ray."""

    supports_return_generator = False


@pytest.fixture
def others():
    """Within this context, joblib's active backend has two workers."""
    joblib.register_parallel_backend("others", OtherProcesses)
    with joblib.parallel_config("others"):
        yield


@pytest.fixture
def chunk_sizes(monkeypatch):
    """The numbers of fits of the chunks that workers trained."""
    sizes, train = [], SearchInWorker.train
    monkeypatch.setattr(
        SearchInWorker,
        "train",
        lambda self, batch, task: sizes.append(len(task.positions)) or train(self, batch, task),
    )
    return sizes


def grid(estimator=None, rates=RATES, name=RATE, **settings):
    settings = {"cv": FOLDS, "scoring": "neg_log_loss", "return_train_score": True, **settings}
    return ReplicaGridSearchCV(estimator or classifier(), {name: rates}, **settings)


def halving():
    settings = {"resource": "epochs", "min_resources": 1, "max_resources": 4, "factor": 2, "random_state": 0}
    return ReplicaHalvingGridSearchCV(classifier(), {RATE: RATES}, cv=FOLDS, scoring="neg_log_loss", **settings)


def pipeline():
    return grid(make_pipeline(PCA(2, random_state=0), classifier()), name=f"kerasclassifier__{RATE}")


def without_a_seed():
    np.random.seed(1)  # noqa: NPY002 - a search draws from this state
    return grid(classifier().set_params(random_state=None, shuffle=True))


def of_keras():
    each = {"model_kwargs": [{"alpha": alpha} for alpha in RATES], "fit_kwargs": [FIT]}
    return ReplicaGridSearchCV(keras.wrappers.SKLearnClassifier(wrapped), each, cv=FOLDS)


SLOW = [pytest.param(search, marks=pytest.mark.slow) for search in (pipeline, without_a_seed, of_keras)]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("search", [grid, halving, *SLOW])
def test_workers_give_the_numbers_of_one_process_to_the_bit(search, others, chunk_sizes):
    here = search().set_params(n_jobs=1).fit(X, NAMES)
    assert chunk_sizes == []
    there = search().fit(X, NAMES)
    assert len(chunk_sizes) > 2
    assert_identical(there, here)
    if search is not of_keras:
        np.testing.assert_equal(weights(there), weights(here))


@pytest.mark.usefixtures("small_chunks")
def test_a_backend_that_returns_results_together_trains_in_rounds(chunk_sizes, monkeypatch):
    here, rounds = grid().fit(X, NAMES), []
    joblib.register_parallel_backend("together", ResultsTogether)

    class Counted(joblib.Parallel):
        def __call__(self, calls):
            calls = list(calls)
            rounds.append(len(calls))
            return super().__call__(calls)

    monkeypatch.setattr(workers, "Parallel", Counted)
    with joblib.parallel_config("together"):
        there = grid().fit(X, NAMES)
    assert sum(rounds) == len(chunk_sizes) > 2
    assert max(rounds) == 2
    assert_identical(there, here)


@pytest.mark.usefixtures("small_chunks", "others")
def test_what_workers_trained_is_kept_and_a_search_goes_on_from_it_anywhere(
    tmp_path, monkeypatch, trained, chunk_sizes
):
    whole = grid(n_jobs=1).fit(X, NAMES)
    train, fail = SearchInWorker.train, [False, False, False, False, True]

    def ends(self, batch, task):
        if fail and fail.pop(0):
            raise WorkersError("A worker ended.")
        return train(self, batch, task)

    with monkeypatch.context() as patched:
        patched.setattr(SearchInWorker, "train", ends)
        with pytest.raises(WorkersError, match="A worker ended"):
            grid(resume=tmp_path).fit(X, NAMES)
    kept = records(tmp_path)
    assert kept
    again = grid(resume=tmp_path).fit(X, NAMES)
    assert kept.items() <= records(tmp_path).items()
    assert_identical(again, whole)
    trained.clear()
    assert_identical(grid(resume=tmp_path, n_jobs=1).fit(X, NAMES), whole)
    assert trained == []


@pytest.mark.slow
def test_two_processes_give_the_numbers_of_one(chunk_sizes):
    here, there = (grid(rates=np.logspace(-3, -1, 20), n_jobs=n_jobs).fit(X, NAMES) for n_jobs in (1, 2))
    assert chunk_sizes == []  # they trained elsewhere
    assert_identical(there, here)


@pytest.mark.slow
@pytest.mark.usefixtures("small_chunks")
def test_a_killed_process_ends_the_search_with_one_line():
    with pytest.raises(WorkersError, match="may have lacked memory"):
        grid(classifier().set_params(loss=killing), n_jobs=2).fit(X, NAMES)


def killing(y, outputs):
    """A loss that ends the process of a worker."""
    if multiprocessing.current_process().name.startswith("Loky"):
        os.kill(os.getpid(), signal.SIGKILL)
    return keras.losses.sparse_categorical_crossentropy(y, outputs)


@pytest.mark.slow
def test_a_search_survives_a_killed_worker_of_dask(scheduler, dask_workers, tmp_path):
    """The chunk of the killed worker goes to the other one, which goes on from its last saved epoch."""
    distributed = pytest.importorskip("distributed")
    search = grid(classifier(epochs=300), np.logspace(-3, -1, 20), resume=tmp_path, cv=StratifiedKFold(4))
    done = threading.Event()

    def kill_when_a_chunk_is_under_way():
        while not done.wait(0.05):
            if list(tmp_path.glob("unfinished/*.npz")) and records(tmp_path):
                dask_workers.kill(0)
                return

    killer = threading.Thread(target=kill_when_a_chunk_is_under_way)
    with distributed.Client(scheduler, set_as_default=False) as client, joblib.parallel_config("dask", client=client):
        killer.start()
        try:
            there = search.fit(X, NAMES)
        finally:
            done.set()
        killer.join()
    assert len(dask_workers.processes) == 1, "no worker was killed"
    assert_identical(there, clone(search).set_params(resume=None, n_jobs=1).fit(X, NAMES))


@pytest.mark.usefixtures("small_chunks", "others")
def test_a_chunk_that_cannot_train_in_a_worker_is_told_as_in_this_process(monkeypatch):
    monkeypatch.setattr(SearchInWorker, "train", lambda *_: 1 / 0)
    with pytest.raises(pytest.fail.Exception, match=r"training them together failed.*ZeroDivisionError"):
        grid().fit(X, NAMES)  # `no_fit_of_its_own` fails where it falls back


@pytest.mark.parametrize("n_jobs", [None, 1, -1])
def test_this_process_trains_with_all_its_cores_unless_workers_are_asked_for(n_jobs):
    for context in ({}, {"backend": "threading", "n_jobs": 2}, {"backend": "sequential"}):
        with joblib.parallel_config(**context), workers.workers_of(n_jobs, search=None) as found:
            assert found is None


def test_processes_that_keras_cannot_use_are_said():
    joblib.register_parallel_backend("forked", MultiprocessingBackend)
    with joblib.parallel_config("forked", n_jobs=2), pytest.warns(ReplicaWarning, match="Use the backend 'loky'"):  # noqa: SIM117
        with workers.workers_of(None, search=None) as found:
            assert found is None


def test_a_search_that_cannot_be_sent_is_one_clear_error():
    estimator = classifier().set_params(loss=OfThisProcess())
    with pytest.raises(WorkersError, match=r"cannot train: .*no other process.*n_jobs=1"):
        grid(estimator, n_jobs=2).fit(X, NAMES)


class OfThisProcess(keras.losses.SparseCategoricalCrossentropy):
    """A loss that no other process can receive."""

    def __deepcopy__(self, memory):
        return OfThisProcess()

    def __reduce__(self):
        raise TypeError("It is for no other process")
