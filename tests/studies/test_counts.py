"""The short answer: on how many problems which of Adam and AMSGrad is ahead, by each measure."""

import pandas as pd
import pytest

from studies.claims import lineup
from studies.report.counts import OF_LINEUP, OF_SOURCES, OUTCOMES, counts
from tests import lineup_rows
from tests.studies.test_answer import pairs, tuned_runs

NONE = pd.DataFrame()


def test_each_problem_counts_once_where_its_interval_lies():
    studies = {"digits": -0.05, "mcgill-logistic": 0.05, "perez-mlp": 0.0}  # the difference of the losses, of about .5
    runs = pd.concat([tuned_runs(pairs(each), study=name) for name, each in studies.items()])
    found = counts(runs, NONE).set_index("measure")
    losses = found.loc["test loss after the last epoch"]
    assert losses[list(OUTCOMES.values())].tolist() == [1, 1, 1, 0]
    assert (losses["comparison"], losses["problems"], losses["pairs of runs"]) == (OF_SOURCES, 3, "10")
    assert found.loc["test accuracy after the last epoch", "no practical difference"] == 3


def test_pairs_of_runs_are_a_range_where_problems_have_different_numbers():
    runs = pd.concat([tuned_runs(pairs(0)), tuned_runs(pairs(0, seeds=7), study="perez-mlp")])
    assert set(counts(runs, NONE)["pairs of runs"]) == {"7 to 10"}


def test_the_line_up_has_the_outcomes_of_its_differences():
    runs, _ = lineup_rows.rows()
    found = counts(tuned_runs(pairs(0)).iloc[:0], runs)
    assert set(found["comparison"]) == {OF_LINEUP}
    apart = lineup.differences(runs)
    apart = apart[apart["arm"] == lineup.AMSGRAD]
    expected = apart["outcome"].map(OUTCOMES).value_counts()
    row = found.iloc[0]
    assert row["problems"] == len(apart) > 0
    assert {each: row[each] for each in OUTCOMES.values() if row[each]} == expected.to_dict()


@pytest.mark.parametrize("rows", [NONE, lineup_rows.rows()[0].iloc[:0]])
def test_without_runs_there_is_nothing_to_count(rows):
    assert counts(tuned_runs(pairs(0)).iloc[:0], rows).empty
