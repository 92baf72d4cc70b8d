"""Intervals, tests and their combination. The statistics themselves are SciPy's; `docs/verdicts.md` defines each."""

from collections.abc import Sequence
from math import ceil, isnan, nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from studies.claims.words import CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, SUPPORTED

LEVEL = 0.05
ENOUGH = 10  # pairs that we aim at
TESTED = 6  # pairs that an exact sign-flip test takes to reach .05
LEAST = 5  # numbers that an interval takes; of fewer, only the numbers themselves are told
LARGE_T = 300.0  # beyond, the noise of a mean is less than a thousandth of that of its standard deviation
MOST = 10_000  # pairs; more are not worth counting
DIGITS = 9  # to which means are compared where one is chosen: the digits after them depend on the order of a sum


def finite(values: ArrayLike) -> np.ndarray:
    """Return the finite ones of some numbers, as an array (n,)."""
    numbers = np.asarray(values, dtype=float)
    return numbers[np.isfinite(numbers)]


def mean_interval(values: ArrayLike) -> tuple[float, float]:
    """Return the 95 % interval (low, high) of the mean of `values`, shape (n,), by Student's t.

    NaN are left out; of fewer than `LEAST` numbers the interval is (NaN, NaN).

    >>> [round(bound, 3) for bound in mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])]
    [1.037, 4.963]
    """
    numbers = finite(values)
    if len(numbers) < LEAST:
        return nan, nan
    half = stats.sem(numbers) * stats.t.ppf(1 - LEVEL / 2, len(numbers) - 1)
    return float(numbers.mean() - half), float(numbers.mean() + half)


def sign_flip(differences: ArrayLike) -> float:
    """Return the two-sided p of the paired sign-flip test of a mean of 0; NaN for fewer than `TESTED` pairs.

    It is exact for up to 13 pairs; beyond, it takes 9,999 random flips with a fixed seed.

    >>> sign_flip([1.0, 1.1, 0.9, 1.0, 1.2, 0.8])
    0.03125
    """
    numbers = finite(differences)
    if len(numbers) < TESTED:
        return nan
    if not np.any(numbers):
        return 1.0
    scaled = numbers / np.abs(numbers).max()
    test = stats.permutation_test((scaled,), _mean, permutation_type="samples", n_resamples=9999, rng=0)
    return float(test.pvalue)


def _mean(numbers: np.ndarray, axis: int) -> Any:
    """Return means, rounded so that flips with the same mean tie."""
    return np.round(np.mean(numbers, axis=axis), 12)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected by Holm's step-down method for being taken together; NaN is no test and stays.

    >>> holm([0.01, 0.04, float("nan")])
    [0.02, 0.04, nan]
    """
    tested = sorted((i for i, p in enumerate(p_values) if not isnan(p)), key=lambda i: p_values[i])
    corrected, largest = list(p_values), 0.0
    for rank, i in enumerate(tested):
        largest = max(largest, min(1.0, p_values[i] * (len(tested) - rank)))
        corrected[i] = largest
    return corrected


def p_of_at_least(needed: int, p_values: Sequence[float]) -> float:
    """Return the p-value of "at least `needed` of these effects are there", from Simes's inequality.

    Source: Benjamini and Heller 2008, https://doi.org/10.1111/j.1541-0420.2007.00984.x. All are needed: the largest p.

    >>> p_of_at_least(2, [0.01, 0.02]), p_of_at_least(1, [0.01, 0.02]), p_of_at_least(1, [0.01, 1.0])
    (0.02, 0.02, 0.02)
    """
    spare = len(p_values) - needed + 1
    return min(1.0, *(spare / i * p for i, p in enumerate(sorted(p_values)[needed - 1 :], start=1)))


def welch(
    mean_a: float, sd_a: float, n_a: int, mean_b: float, sd_b: float, n_b: int
) -> tuple[float, tuple[float, float], float]:
    """Return (difference of two means, its 95 % interval, its two-sided p) by Welch's test."""
    difference, variances = mean_a - mean_b, (sd_a**2 / n_a, sd_b**2 / n_b)
    error = float(np.sqrt(sum(variances)))
    if error == 0:
        return difference, (difference, difference), 0.0 if difference else 1.0
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / (n_a - 1) + variances[1] ** 2 / (n_b - 1))
    half = float(stats.t.ppf(1 - LEVEL / 2, freedom)) * error
    p = stats.ttest_ind_from_stats(mean_a, sd_a, n_a, mean_b, sd_b, n_b, equal_var=False).pvalue
    return difference, (difference - half, difference + half), float(p)


def share_interval(successes: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share.

    >>> [round(bound, 3) for bound in share_interval(5, 10)]
    [0.237, 0.763]
    """
    if n < LEAST:
        return nan, nan
    low, high = stats.binomtest(successes, n).proportion_ci(method="wilson")
    return float(low), float(high)


def standardized(differences: ArrayLike) -> tuple[float, tuple[float, float]]:
    """Return |mean| over the standard deviation of paired differences (n,), and its 95 % interval.

    The interval is exact for normal differences: it inverts the noncentral t distribution of the t statistic, so that
    it carries the noise of the mean and that of the standard deviation.

    >>> size, (low, high) = standardized([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> round(size, 2), round(low, 2), round(high, 2)
    (1.87, 0.47, 3.23)
    """
    numbers = finite(differences)
    if len(numbers) < LEAST or np.ptp(numbers) == 0:
        return nan, (nan, nan)
    freedom, root = len(numbers) - 1, float(np.sqrt(len(numbers)))
    size = abs(float(numbers.mean() / numbers.std(ddof=1)))
    if size * root > LARGE_T:  # the noise of the mean is nothing beside that of the standard deviation
        low, high = size * np.sqrt(stats.chi2.ppf([LEVEL / 2, 1 - LEVEL / 2], freedom) / freedom)
        return size, (float(low), float(high))

    def bound(share: float) -> float:
        """Return the true size at which a t statistic as large as this one has the probability `share`."""

        def excess(true: float) -> float:
            return float(stats.nct.sf(size * root, freedom, true * root)) - share

        return 0.0 if excess(0.0) >= 0 else float(optimize.brentq(excess, 0.0, 3 * size + 10 / root))

    return size, (bound(LEVEL / 2), bound(1 - LEVEL / 2))


def sd_ratio(sd_a: float, n_a: int, sd_b: float, n_b: int) -> tuple[float, tuple[float, float], float]:
    """Return (sd of a over sd of b, its 95 % interval, two-sided p), by the F distribution of normal samples.

    >>> ratio, (low, high), p = sd_ratio(1.0, 10, 1.0, 10)
    >>> ratio, round(low * high, 6), round(p, 6)
    (1.0, 1.0, 1.0)
    """
    f = stats.f(n_a - 1, n_b - 1)
    square = (sd_a / sd_b) ** 2
    low, high = square / f.ppf(1 - LEVEL / 2), square / f.ppf(LEVEL / 2)
    p = min(1.0, 2 * min(f.cdf(square), f.sf(square)))
    return sd_a / sd_b, (float(np.sqrt(low)), float(np.sqrt(high))), float(p)


def pairs_needed(differences: ArrayLike, edges: Sequence[float]) -> int:
    """Return how many pairs would decide: with the mean and sd of these, Student's interval holds none of the `edges`.

    The result is `MOST` where even so many would not do, and 0 where one pair has no spread.

    >>> pairs_needed([1.0, 2.0, 3.0], [0.0])
    4
    """
    numbers = finite(differences)
    if len(numbers) < 2:
        return 0
    distance = min(abs(numbers.mean() - edge) for edge in edges)
    sd = numbers.std(ddof=1)
    if distance * np.sqrt(MOST) < 2 * sd:
        return MOST
    n = max(2, ceil((stats.norm.ppf(1 - LEVEL / 2) * sd / distance) ** 2)) if distance else MOST
    while n < MOST and stats.t.ppf(1 - LEVEL / 2, n - 1) * sd / np.sqrt(n) >= distance:
        n += 1
    return n


def judge(low: float, high: float, rope: float, direction: str) -> str:
    """Return what an interval says of a difference that should be `direction`, given the smallest one that matters.

    lower, higher           beyond the ROPE on that side
    not lower, not higher   not beyond it on the other
    same                    within the ROPE

    >>> judge(-5, -3, 2, "lower"), judge(-1, 1, 2, "lower"), judge(-5, 5, 2, "lower"), judge(-5, -3, 2, "not lower")
    ('supported', 'no practical difference', 'inconclusive', 'contradicted')
    """
    if isnan(low) or isnan(high):
        return INCONCLUSIVE
    inside, above, below = -rope <= low and high <= rope, low > rope, high < -rope
    if direction == "same":
        return SUPPORTED if inside else CONTRADICTED if above or below else INCONCLUSIVE
    if direction in ("not higher", "lower"):  # mirrored
        above, below, low = below, above, -high
    if direction.startswith("not"):
        return SUPPORTED if low > -rope else CONTRADICTED if below else INCONCLUSIVE
    return SUPPORTED if above else CONTRADICTED if below else NO_DIFFERENCE if inside else INCONCLUSIVE
