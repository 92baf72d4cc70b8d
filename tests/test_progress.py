"""What a run shows while it works."""

from studies import progress
from studies.catalog import STUDIES
from studies.journal import Journal
from tests import made_up


def test_progress_names_the_lowest_validation_loss_so_far(tmp_path):
    made_up.record(tmp_path, STUDIES["digits"])
    journal = Journal(tmp_path)
    records = journal.records(journal.plans()[0])
    lowest = min(records, key=lambda record: record["outcome"]["history"]["val_loss"][-1])
    shown = progress.Progress("digits", journal, [])
    shown.paths = sorted(tmp_path.glob("records/digits/*.json"))
    work, loss = lowest["work"], lowest["outcome"]["history"]["val_loss"][-1]
    expected = f"lowest validation loss {loss:.4g} ({work['optimizer']}, α = {work['learning_rate']:g}, "
    assert shown.best_so_far() == expected + f"β₂ = {work['beta_2']:g})"
