"""Programs serve again: for other numbers of rows, for the refit, and for later calls of `train`."""

import numpy as np
import pytest
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, KFold

from keras_amsgrad import Adam
from keras_amsgrad.model_selection import ReplicaGridSearchCV, ReplicaHalvingGridSearchCV
from keras_amsgrad.replicas import Replica, backends, train
from keras_amsgrad.replicas.program import Program
from keras_amsgrad.replicas.program_cache import ProgramCache
from tests.fits import BATCH, digits, feedforward, logistic

GRID = {"optimizer__learning_rate": [0.001, 0.01, 0.1]}
ROWS = np.arange(200)


@pytest.fixture
def made(monkeypatch):
    """The programs that were made, and those of which a step was traced."""
    made = {"programs": 0, "traced": []}
    step, start = Program._step, Program.__init__

    def counted(self, *arguments):
        made["traced"].append(self)
        return step(self, *arguments)

    def started(self, *arguments, **settings):
        made["programs"] += 1
        start(self, *arguments, **settings)

    monkeypatch.setattr(Program, "_step", counted)
    monkeypatch.setattr(Program, "__init__", started)
    return made


def classifier(**settings):
    settings = {"epochs": 2, "batch_size": 32, "shuffle": False, "random_state": 3, "verbose": 0, **settings}
    return KerasClassifier(logistic, loss="sparse_categorical_crossentropy", optimizer=Adam, **settings)


def test_folds_of_unlike_sizes_and_the_refit_share_a_program(made):
    x, y = digits()
    cv = KFold(3)
    assert len({len(training) for training, _ in cv.split(x[:200])}) == 2
    search = ReplicaGridSearchCV(classifier(), GRID, cv=cv).fit(x[:200], y[:200])
    assert made["programs"] == 1
    if backends.BACKEND == "tensorflow":
        assert len(made["traced"]) == 1
    reference = GridSearchCV(classifier(), GRID, cv=cv).fit(x[:200], y[:200])
    np.testing.assert_allclose(
        search.best_estimator_.predict_proba(x), reference.best_estimator_.predict_proba(x), atol=1e-5
    )


def test_the_refit_of_what_trains_long_has_a_program_of_its_own(made, monkeypatch):
    x, y = digits()
    monkeypatch.setattr("keras_amsgrad.replicas.program.WORTH_XLA", 0)
    ReplicaGridSearchCV(classifier(), GRID, cv=KFold(2)).fit(x[:200], y[:200])
    assert made["programs"] == 2


def test_rounds_of_halving_share_a_program(made):
    x, y = digits()
    halving = {"resource": "epochs", "min_resources": 1, "max_resources": 4, "factor": 2, "cv": KFold(2)}
    search = ReplicaHalvingGridSearchCV(classifier(), GRID, refit=False, **halving).fit(x[:200], y[:200])
    assert search.n_iterations_ == 2
    assert made["programs"] == 1


def test_a_later_call_gives_the_numbers_of_a_cache_of_its_own():
    """With other rows, numbers, row weights and seeds, and fewer replicas."""
    x, y = digits()
    weight = np.where(np.arange(len(y)) % 2, 2.0, 0.5).astype("float32")
    calls = [
        [Replica(Adam(alpha), 0, ROWS, ROWS[:50], ROWS[:7]) for alpha in (0.001, 0.01, 0.1)],
        [Replica(Adam(0.02), 1, ROWS[30:], ROWS[:20], ROWS[:9])],
        [Replica(Adam(0.02), 1, ROWS[30:], ROWS[:20], ROWS[:9], weight)],
        [Replica(Adam(0.03), 2, ROWS[:BATCH], ROWS[:1], ROWS[:1])],
    ]
    cache = ProgramCache(feedforward)
    how = {"loss": "sparse_categorical_crossentropy", "batch_size": BATCH, "epochs": 2}
    for replicas in calls:
        shared, alone = (train(model, replicas, x, y, **how) for model in (cache, feedforward))
        for one, other in zip(shared, alone, strict=True):
            for name, values in other.history.items():
                np.testing.assert_allclose(one.history[name], values, rtol=1e-5, err_msg=name)
            np.testing.assert_allclose(one.outputs, other.outputs, atol=1e-5)
    assert len(cache.programs) == 1
