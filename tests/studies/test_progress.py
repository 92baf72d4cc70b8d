"""What a run shows while it works: fits done, the time left, the best so far."""

import dataclasses
import io
import threading
from types import SimpleNamespace

import pytest
from rich.console import Console

from studies.catalog import STUDIES
from studies.catalog.fit import Fit
from studies.records.journal import Journal
from studies.records.outcome import Outcome
from studies.training import progress
from tests import made_up

FIT = Fit("digits", "repeat", "made up", "logistic", "Adam", epochs=4, batch_size=32, loss="mse", seed=0, beta_2=0.999)
FITS = [dataclasses.replace(FIT, learning_rate=alpha) for alpha in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]


@pytest.fixture
def clock(monkeypatch):
    """The clock that progress reads: `now`, in seconds."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("keras_amsgrad.progress.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def record(journal, fits):
    for fit in fits:
        journal.write(fit, Outcome("ok", {"val_loss": [1.0, fit.learning_rate]}, 1.0, "jax", "cpu:0", {}))


def train(shown, fits, epochs, start=0):
    """Tell of epochs as a chunk does that trains so many of its four, or goes on from a backup of `start` of them."""
    for epoch in range(start, epochs):
        shown.under_way(fits, epoch, 4)


def test_the_time_left_counts_every_chunk_that_is_under_way(tmp_path, clock):
    with progress.Progress("digits", Journal(tmp_path), FITS) as shown:
        assert shown.state() == "0 of 8 done"
        chunks = (FITS[:2], 2), (FITS[2:4], 1)
        threads = [threading.Thread(target=train, args=(shown, *chunk)) for chunk in chunks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.now = 15.0
        assert shown.state() == "0 of 8 done, about 65 s left"  # 1.5 fits in 15 s, and 6.5 to come


def test_a_chunk_that_is_recorded_leaves_the_share_of_the_others(tmp_path, clock):
    journal = Journal(tmp_path)
    with progress.Progress("digits", journal, FITS) as shown:
        train(shown, FITS[:2], epochs=4)
        train(shown, FITS[2:4], epochs=2)
        record(journal, FITS[:2])
        clock.now = 30.0
        assert shown.state() == "2 of 8 done, about 50 s left, lowest validation loss 0.1 (Adam, α = 0.1, β₂ = 0.999)"


def test_what_earlier_runs_did_says_nothing_of_the_pace_of_this_one(tmp_path, clock):
    journal = Journal(tmp_path)
    record(journal, FITS[:4])
    with progress.Progress("digits", journal, FITS) as shown:
        train(shown, FITS[4:6], epochs=3, start=2)
        clock.now = 10.0
        assert "4 of 8 done, about 50 s left" in shown.state()  # half a fit in 10 s, and 2.5 to come


def test_a_terminal_shows_fits_done_of_how_many_time_left_and_the_best(tmp_path, monkeypatch):
    monkeypatch.setattr(progress.Progress, "SECONDS_BETWEEN_LOOKS", 0.01)
    journal, screen, drawn = Journal(tmp_path), io.StringIO(), threading.Event()
    shown = progress.Progress("digits: search", journal, FITS)
    shown.console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    seen = shown._shown
    monkeypatch.setattr(shown, "_shown", lambda: (shown.done() and drawn.set()) or seen())
    with shown:
        record(journal, FITS[:2])
        assert drawn.wait(10)
        drawn.clear()
        assert drawn.wait(10)
    assert "2 of 8" in screen.getvalue()
    assert "left" in screen.getvalue()
    assert "lowest validation loss 0.1 (Adam, α = 0.1, β₂ = 0.999)" in screen.getvalue()
    assert "digits: search: 2 of 8 done, " in screen.getvalue()


def test_a_quiet_one_writes_nothing(tmp_path, capsys):
    for quiet in (False, True):
        with progress.Progress("digits", Journal(tmp_path), FITS, quiet=quiet) as shown:
            shown.note("a note")
        assert (capsys.readouterr().err == "") == quiet


def test_progress_names_the_lowest_validation_loss_so_far(tmp_path):
    made_up.record(tmp_path, STUDIES["digits"])
    journal = Journal(tmp_path)
    records = journal.records(journal.plans()[0])
    lowest = min(records, key=lambda record: record.outcome.history["val_loss"][-1])
    shown = progress.Progress("digits", journal, [])
    shown.paths = sorted(tmp_path.glob("records/digits/*.json"))
    work, loss = lowest.work, lowest.outcome.history["val_loss"][-1]
    expected = f"lowest validation loss {loss:.4g} ({work.optimizer}, α = {work.learning_rate:g}, "
    assert shown.best_so_far() == expected + f"β₂ = {work.beta_2:g})"
