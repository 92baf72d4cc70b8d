"""What a search shows while it works: a bar or lines with verbose=1, scikit-learn's lines from 2 on, its callbacks."""

import io
import re
import threading
from types import SimpleNamespace

import pytest
from rich.console import Console
from sklearn.model_selection import GridSearchCV

from keras_amsgrad.model_selection import ReplicaGridSearchCV, ReplicaHalvingGridSearchCV
from keras_amsgrad.model_selection.progress import SearchProgress
from tests.replicas.test_own_fits import FOLDS, NAMES, X, classifier

GRID = {"optimizer__learning_rate": [0.01, 0.1]}


@pytest.fixture
def clock(monkeypatch):
    """The clock that progress reads: `now`, in seconds."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("keras_amsgrad.progress.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_the_time_left_counts_fits_under_way_and_not_what_was_kept(clock):
    with SearchProgress("a search", quiet=True) as progress:
        progress.add(8, kept=["a", "b"])
        assert progress.state() == "2 of 8 fits done"
        progress.under_way(["c", "d"], epoch=1, epochs=4)
        progress.under_way(["c", "d"], epoch=2, epochs=4)
        clock.now = 10.0  # two epochs of two fits, the work of one fit, took 10 s; that of 4.5 is left
        assert progress.state() == "2 of 8 fits done, epoch 3 of 4, about 45 s left"
        progress.under_way(["e"], epoch=0, epochs=4)
        assert progress.epoch_under_way() == "epochs 1 to 3 of 4"
        progress.finish(["c", "d", "e", "f", "g", "h"])
        progress.score([float("nan"), 0.25, 0.75])
        assert progress.state() == "8 of 8 fits done, best score 0.75"
    assert progress.summary() == "8 of 8 fits done, 2 of them before, 10 s"


def test_a_terminal_shows_fits_epochs_and_the_best_score(monkeypatch):
    monkeypatch.setattr(SearchProgress, "SECONDS_BETWEEN_LOOKS", 0.01)
    screen, drawn = io.StringIO(), threading.Event()
    progress = SearchProgress("a search")
    progress.console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    shown = progress._shown
    monkeypatch.setattr(progress, "_shown", lambda: (progress.best and drawn.set()) or shown())
    with progress:
        progress.add(3)
        progress.finish(["a"])
        progress.under_way(["b"], epoch=1, epochs=5)
        progress.score([0.5])
        assert drawn.wait(10)
        drawn.clear()
        assert drawn.wait(10)
    assert "1 of 3 fits" in screen.getvalue()
    assert "epoch 2 of 5, best score 0.5" in screen.getvalue()
    assert "a search: 2 of 3" not in screen.getvalue()


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose_writes_lines_beside_those_of_scikit_learn(verbose, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(SearchProgress, "SECONDS_BETWEEN_LINES", 0.05)
    settings = {"cv": FOLDS, "verbose": verbose}
    ReplicaGridSearchCV(classifier(), GRID, resume=tmp_path, **settings).fit(X, NAMES)
    mine = capsys.readouterr()
    GridSearchCV(classifier(epochs=1), GRID, refit=False, **settings).fit(X, NAMES)
    theirs = capsys.readouterr()
    assert re.sub(r"[\d.]+s$", "", mine.out, flags=re.MULTILINE) == re.sub(r"[\d.]+s$", "", theirs.out, flags=re.M)
    lines = mine.err.splitlines()
    if verbose != 1:
        assert lines == []
        return
    assert lines[0].startswith("ReplicaGridSearchCV: 0 of ")
    assert re.fullmatch(r"ReplicaGridSearchCV: 5 of 5 fits done, \d+ s", lines[-1])
    ReplicaGridSearchCV(classifier(), GRID, resume=tmp_path, **settings).fit(X, NAMES)
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"ReplicaGridSearchCV: 5 of 5 fits done, 5 of them before, \d+ s", last)


def test_rounds_of_halving_tell_the_best_score_and_own_fits_count(monkeypatch, capsys):
    settings = {"resource": "epochs", "min_resources": 1, "max_resources": 2, "factor": 2, "cv": FOLDS, "verbose": 1}
    estimator = classifier(run_eagerly=True, batch_size=75)
    told = []

    class Search(ReplicaHalvingGridSearchCV):
        """A search of which a test sees the scores that progress is told."""

    score = SearchProgress.score
    monkeypatch.setattr(SearchProgress, "score", lambda self, scores: told.append(len(scores)) or score(self, scores))
    with pytest.warns(UserWarning, match="run_eagerly"):
        Search(estimator, GRID, **settings).fit(X, NAMES)
    assert told == [2, 3]
    assert "Search: 7 of 7 fits done" in capsys.readouterr().err.splitlines()[-1]


def test_callbacks_of_scikit_learn_are_called_as_by_its_own_search():
    pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from version 1.9 on")

    class Noted:
        """A callback that notes which task of which estimator begins and ends."""

        def __init__(self):
            self.tasks = []

        def setup(self, estimator, context):
            self.tasks.append("setup")

        def teardown(self, estimator, context):
            self.tasks.append("teardown")

        def on_fit_task_begin(self, estimator, context, **data):
            self.tasks.append(("begin", context.task_name, context.task_id))

        def on_fit_task_end(self, estimator, context, **data):
            self.tasks.append(("end", context.task_name, context.task_id))

    noted = []
    for kind in (ReplicaGridSearchCV, GridSearchCV):
        callback = Noted()
        kind(classifier(epochs=1), GRID, cv=FOLDS).set_callbacks(callback).fit(X, NAMES)
        noted.append(callback.tasks)
    assert noted[0] == noted[1]
    assert len(noted[0]) > 10


def test_the_progress_bar_of_scikit_learn_runs(capsys):
    callbacks = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from version 1.9 on")
    search = ReplicaHalvingGridSearchCV(classifier(epochs=1), GRID, cv=FOLDS, min_resources=60, random_state=0)
    search.set_callbacks(callbacks.ProgressBar()).fit(X, NAMES)
    assert "ReplicaHalvingGridSearchCV" in capsys.readouterr().out
