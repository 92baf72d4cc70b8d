"""What the journal gives back is what was written: fits and walks with their outcomes, with types."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from studies.catalog import STUDIES, Arm
from studies.catalog.fit import fit_of
from studies.catalog.walk import walks_of
from studies.records import journal as journals
from studies.records import tables
from studies.records.journal import Journal
from studies.records.outcome import Outcome, WalkOutcome
from studies.records.record import FitRecord, WalkRecord
from studies.records.tables import WALK
from tests import made_up

HERE = ("jax", "cpu:0", {"keras": "3.15.0"})
FIT = fit_of(
    STUDIES["digits"],
    SimpleNamespace(fingerprint="made up"),
    Arm("SGD", 0.1, None, None, options={"momentum": 0.9}),
    stage="repeat",
    epochs=2,
)
OUTCOME = Outcome("ok", {"val_loss": [0.5, 0.25]}, 1.5, *HERE)


def test_fits_come_back_as_they_were_written(tmp_path):
    journal = Journal(tmp_path)
    journal.plan(STUDIES["digits"], [FIT])
    journal.write(FIT, OUTCOME)
    assert journal.records(journal.plans()[0]) == [FitRecord(FIT, OUTCOME)]
    assert journal.find(FIT) == OUTCOME


def test_walks_come_back_as_they_were_written(tmp_path):
    study, journal = STUDIES["synthetic-mod3"], Journal(tmp_path)
    walk = walks_of(study)[0]
    outcome = WalkOutcome("ok", *HERE, t=[1, 10], **{name: [0.5, -1.0] for name in WALK})
    journal.plan(study, [walk])
    journal.write(walk, outcome)
    assert journal.records(journal.plans()[0]) == [WalkRecord(walk, outcome)]
    assert journal.find(walk) == outcome


def test_numbers_that_are_not_finite_come_back_as_nan(tmp_path):
    journal = Journal(tmp_path)
    journal.write(FIT, dataclasses.replace(OUTCOME, history={"val_loss": [2.0, np.inf]}))
    np.testing.assert_equal(journal.find(FIT).history, {"val_loss": [2.0, np.nan]})


def test_a_whole_file_that_is_no_record_is_set_aside(tmp_path):
    journal = Journal(tmp_path)
    journal.plan(STUDIES["digits"], [FIT])
    work = dataclasses.asdict(FIT)
    del work["optimizer"]
    journals.write(journal.path(FIT), {"work": work, "outcome": dataclasses.asdict(OUTCOME)})
    with pytest.warns(UserWarning, match="is not whole"):
        assert journal.records(journal.plans()[0]) == []
    assert journal.path(FIT).with_suffix(".damaged").exists()


def test_a_record_of_two_studies_is_one_row(tmp_path):
    study = STUDIES["mcgill-logistic"].smoke()
    made_up.record(tmp_path, study)
    ((_, records),) = tables.with_records(tmp_path)
    assert len(tables.all_of([*records, *records])["runs"]) == len(records)
