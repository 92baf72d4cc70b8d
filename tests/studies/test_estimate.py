"""What a comparison says of its cost before it trains."""

import dataclasses
import math

import pytest

import studies
from studies.catalog import STUDIES, Search
from studies.claims.statistics import TESTED
from studies.data.folds import folds
from studies.training import estimate
from studies.training.repeats import repeat_fits
from studies.training.search import search_fits
from tests.own_models import QUICK, digits, small

DIGITS = STUDIES["digits"]


class Rows:
    """Training rows as a fit names them."""

    fingerprint = "made up"


@pytest.mark.parametrize("batch_size", [32, 100])
def test_steps_are_those_of_all_fits(batch_size):
    rows = 150
    study = dataclasses.replace(DIGITS, batch_size=batch_size, search=Search((0.1, 0.2), (0.9, 0.99, 0.999), epochs=2))
    fold_of = folds([0, 1] * (rows // 2), 3, 0)
    trained_on = {fold: (fold_of != fold).sum() for fold in range(3)}
    searched = [fit for arm in study.arms for fit in search_fits(study, Rows, arm)]
    steps = sum(fit.epochs * math.ceil(trained_on[fit.fold] / batch_size) for fit in searched)
    repeated = sum(fit.epochs * math.ceil(rows / batch_size) for fit in repeat_fits(study, Rows, study.arms))
    assert estimate.steps_of(study, rows) == (steps, repeated)


def test_what_is_short_is_not_said_and_fewer_seeds_are_offered_where_there_are_more():
    assert estimate.in_words(DIGITS, 1347, estimate.Speed(1e-5, 1)) == ""
    assert "with 6 seeds" in estimate.in_words(DIGITS, 1347, estimate.Speed(0.1, 1))
    assert "seeds" not in estimate.in_words(dataclasses.replace(DIGITS, seeds=6), 1347, estimate.Speed(0.1, 1))
    assert estimate.FEWEST_JUDGED == TESTED
    assert "its 4 programs 90 s each to compile" in estimate.in_words(DIGITS, 1347, estimate.Speed(1e-5, 90))
    assert "in 2 processes" in estimate.in_words(DIGITS, 1347, estimate.Speed(0.1, 1), jobs=2)


def test_a_comparison_says_it_before_it_trains_and_not_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(estimate, "WORTH_SAYING", 0)
    for said in (True, False):
        studies.compare(small, *digits(), name="mine", out=tmp_path, **QUICK)
        lines = capsys.readouterr().err.splitlines()
        found = [i for i, line in enumerate(lines) if line.startswith("studies: mine takes at most about")]
        assert len(found) == said
        assert not found or found[0] < next(i for i, line in enumerate(lines) if "done" in line)
