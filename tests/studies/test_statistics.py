"""The statistics behind the verdicts."""

import re
from math import isnan, nan
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from studies.claims import INCONCLUSIVE
from studies.claims.statistics import (
    MOST,
    holm,
    judge,
    mean_interval,
    p_of_at_least,
    pairs_needed,
    share_interval,
    sign_flip,
    standardized,
    welch,
)

DOCS = Path(__file__).parents[2] / "docs" / "verdicts.md"
SAMPLES = 2000
SHAPES = {
    "normal": lambda random, shape: random.normal(size=shape),
    "Student's t, 3 degrees": lambda random, shape: random.standard_t(3, size=shape),
    "exponential": lambda random, shape: random.exponential(size=shape) - 1,
}


def test_five_pairs_carry_no_test_six_reach_031_and_ten_002():
    assert isnan(sign_flip(np.arange(1.0, 6)))
    assert sign_flip(np.arange(1.0, 7)) == 2 / 2**6
    assert sign_flip(np.ones(10)) == pytest.approx(2 / 2**10)
    assert sign_flip(np.zeros(10)) == 1


def test_a_sign_flip_test_counts_the_flips_that_are_as_extreme():
    numbers = np.array([0.4, -0.1, 0.3, 0.5, -0.2, 0.6, 0.1])
    signs = 2 * ((np.arange(2**7)[:, None] >> np.arange(7)) & 1) - 1
    means = (signs * numbers).mean(axis=1)
    assert sign_flip(numbers) == pytest.approx(2 * np.mean(means >= numbers.mean() - 1e-12))


def test_holm_steps_down():
    assert holm([0.01, 0.04, nan, 0.03]) == pytest.approx([0.03, 0.06, nan, 0.06], nan_ok=True)


def test_all_are_as_sure_as_the_least_and_one_by_simes():
    assert p_of_at_least(3, [0.01, 0.3, 0.02]) == 0.3
    assert p_of_at_least(1, [0.01, 0.3, 0.02]) == pytest.approx(0.03)
    assert p_of_at_least(2, [0.01, 0.3, 0.02]) == pytest.approx(0.04)
    assert p_of_at_least(1, [0.02] * 12) == pytest.approx(0.02)


def test_an_interval_is_students_and_passes_over_what_is_no_number():
    assert mean_interval([1, 2, 3, 4, 5, nan]) == pytest.approx((3 - 1.9632, 3 + 1.9632), rel=1e-4)


def test_four_numbers_have_no_interval():
    assert isnan(mean_interval([1, 2, 3, 4])[0])
    assert isnan(share_interval(1, 4)[0])
    assert isnan(standardized([1, 2, 3, 4])[1][0])


def test_an_interval_that_is_no_number_decides_nothing():
    directions = ("lower", "higher", "same", "not lower", "not higher")
    assert {judge(nan, nan, 0.1, direction) for direction in directions} == {INCONCLUSIVE}


@pytest.mark.parametrize("direction", ["lower", "not higher"])
def test_lower_is_the_mirror_of_higher(direction):
    mirrored = {"lower": "higher", "not higher": "not lower"}[direction]
    for low, high in ((-3, -2), (-3, -0.5), (-0.5, 0.5), (-0.5, 3), (2, 3), (-3, 3)):
        assert judge(low, high, 1, direction) == judge(-high, -low, 1, mirrored)


def test_a_standardized_gap_is_covered_as_often_as_its_interval_says():
    draws = np.random.default_rng(2).normal(0.8, 1, size=(400, 10))
    covered = [low <= 0.8 <= high for _, (low, high) in map(standardized, draws)]
    assert 0.92 < np.mean(covered) < 0.98


def test_so_many_pairs_would_decide_and_one_less_would_not():
    numbers = np.array([0.1, -0.4, 0.9, 0.3, 0.2, -0.1])
    n = pairs_needed(numbers, [0.0])
    half = [stats.t.ppf(0.975, each - 1) * numbers.std(ddof=1) / np.sqrt(each) for each in (n - 1, n)]
    assert half[0] >= numbers.mean() > half[1]
    assert pairs_needed([1.0, -1.0, 1.0, -1.0], [0.0]) == MOST


def test_welch_is_scipys():
    a, b = np.random.default_rng(0).normal(size=(2, 5)) * [[1], [3]]
    difference, interval, p = welch(a.mean(), a.std(ddof=1), 5, b.mean(), b.std(ddof=1), 5)
    found = stats.ttest_ind(a, b, equal_var=False)
    assert (difference, p) == pytest.approx((a.mean() - b.mean(), found.pvalue))
    assert interval == pytest.approx(tuple(found.confidence_interval()))


def simulated():
    """Return the table of docs/verdicts.md: coverage of the interval and false alarms of the test, in percent."""
    lines = ["| numbers | n | interval holds the mean | test finds a difference |", "|---|---|---|---|"]
    for name, draw in SHAPES.items():
        for n in (6, 10, 20):
            draws = draw(np.random.default_rng(n), (SAMPLES, n))
            covered = np.mean([low <= 0 <= high for low, high in map(mean_interval, draws)])
            random = np.random.default_rng(n)
            alarms = np.mean([flips(numbers, random) < 0.05 for numbers in draws])
            lines.append(f"| {name} | {n} | {100 * covered:.1f} % | {100 * alarms:.1f} % |")
    return "\n".join(lines)


def flips(numbers, random):
    """As `sign_flip`, which is compared with it above, for many samples: exact up to 10 numbers, else 2,000 flips."""
    n = len(numbers)
    exact = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 if n <= 10 else random.integers(0, 2, (2000, n))
    means = (2 * exact - 1) @ numbers / n
    return min(1.0, 2 * min(np.mean(means >= numbers.mean() - 1e-12), np.mean(means <= numbers.mean() + 1e-12)))


def test_the_table_in_the_docs_is_what_the_statistics_do():
    table = simulated()
    assert table in DOCS.read_text(encoding="utf-8")
    shares = [float(each) for each in re.findall(r"([\d.]+) %", table)]
    assert min(shares[:6:2]) > 94  # normal numbers: as often as the interval says
    assert max(shares[1:12:2]) < 6  # symmetric numbers: no more false alarms than the test says
