"""The statistics behind the verdicts."""

from math import isnan, nan

import numpy as np
import pytest

from studies.claims import INCONCLUSIVE
from studies.claims.statistics import bootstrap_interval, holm, judge, p_of_at_least, wilcoxon


def test_five_pairs_reach_p_0625_at_the_least_and_ten_002():
    assert wilcoxon(np.arange(1.0, 6)) == 0.0625
    assert wilcoxon(np.ones(10)) == pytest.approx(2 / 2**10)  # ties too
    assert wilcoxon(np.zeros(10)) == 1
    assert isnan(wilcoxon(np.ones(1)))


def test_holm_steps_down():
    assert holm([0.01, 0.04, nan, 0.03]) == pytest.approx([0.03, 0.06, nan, 0.06], nan_ok=True)


def test_all_are_as_sure_as_the_least_and_one_as_the_surest_times_their_number():
    assert p_of_at_least(3, [0.01, 0.3, 0.02]) == 0.3
    assert p_of_at_least(1, [0.01, 0.3, 0.02]) == pytest.approx(0.03)
    assert p_of_at_least(2, [0.01, 0.3, 0.02]) == pytest.approx(0.04)


def test_an_interval_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(1).exponential(size=(300, 20))
    covered = [low <= 1 <= high for low, high in (bootstrap_interval((each,), np.mean) for each in draws)]
    assert 0.86 < np.mean(covered) < 0.98


def test_an_interval_that_is_no_number_decides_nothing():
    assert {judge(nan, nan, 0.1, direction) for direction in ("better", "same", "no worse")} == {INCONCLUSIVE}
