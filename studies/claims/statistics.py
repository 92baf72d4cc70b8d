"""Intervals, tests and their combination. The statistics themselves are SciPy's."""

import warnings
from math import isnan, nan

import numpy as np
from scipy import stats

from studies.claims.claim import CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, SUPPORTED, Part

LEVEL = 0.05
ENOUGH = 10  # pairs that a verdict takes


def mean_interval(differences):
    """Return the 95 % BCa bootstrap interval of the mean, (low, high); (NaN, NaN) of a single number."""
    return bootstrap_interval((differences,), np.mean)


def bootstrap_interval(samples, statistic):
    """Return the 95 % BCa bootstrap interval of a statistic of paired samples, each of shape (n,)."""
    if len(samples[0]) < 2:
        return nan, nan
    if all(np.ptp(sample) == 0 for sample in samples):  # BCa has no answer: every resample is the sample itself
        return float(statistic(*samples)), float(statistic(*samples))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where too many numbers are equal, the interval is NaN: no verdict
        found = stats.bootstrap(samples, statistic, paired=True, method="BCa", rng=0).confidence_interval
    return float(found.low), float(found.high)


def wilcoxon(differences):
    """Return the two-sided p of Wilcoxon's signed-rank test: exact for up to 50 pairs without ties, 13 with them."""
    if len(differences) < 2:
        return nan
    if not np.any(differences):
        return 1.0
    return float(stats.wilcoxon(differences).pvalue)


def holm(p_values):
    """Return p-values corrected by Holm's step-down method for being taken together; NaN is no test and stays."""
    tested = sorted((i for i, p in enumerate(p_values) if not isnan(p)), key=lambda i: p_values[i])
    corrected, largest = list(p_values), 0.0
    for rank, i in enumerate(tested):
        largest = max(largest, min(1.0, p_values[i] * (len(tested) - rank)))
        corrected[i] = largest
    return corrected


def p_of_at_least(needed, p_values):
    """Return the p-value of "at least `needed` of these effects are there" (Benjamini and Heller 2008, Bonferroni).

    All are needed: the largest p. One is needed: the smallest, times their number.
    """
    return min(1.0, (len(p_values) - needed + 1) * sorted(p_values)[needed - 1])


def effect(differences, *, rope, direction, exact=False, **names):
    """Return the `Part` that a claim's paired differences, shape (n,), make. Exact numbers need no repetition."""
    differences = np.asarray(differences, dtype=float)
    n = len(differences)
    if not n:
        return Part(**names)
    low, high = mean_interval(differences)
    if exact and n == 1:
        low = high = float(differences[0])
    reason = "" if exact else too_few(n)
    return Part(
        **names,
        n=n,
        estimate=float(differences.mean()),
        low=low,
        high=high,
        p=nan if exact else wilcoxon(differences + rope if direction == "no worse" else differences),
        verdict=INCONCLUSIVE if reason else judge(low, high, rope, direction),
        reason=reason,
    )


def judge(low, high, rope, direction):
    """Return what an interval says of advantages that should be `direction`, given the smallest one worth the name."""
    inside, above, below = -rope <= low and high <= rope, low > rope, high < -rope
    if direction == "same":
        return SUPPORTED if inside else CONTRADICTED if above or below else INCONCLUSIVE
    if direction == "no worse":
        return SUPPORTED if low > -rope else CONTRADICTED if below else INCONCLUSIVE
    return SUPPORTED if above else CONTRADICTED if below else NO_DIFFERENCE if inside else INCONCLUSIVE


def too_few(n, tested=True):
    """Return why n pairs carry no verdict, or an empty text."""
    if n >= ENOUGH:
        return ""
    if n == 1:
        return "a single run carries no interval"
    if tested and 2 / 2**n >= LEVEL:
        return f"{n} pairs can never reach p < .05 in an exact Wilcoxon test (the least is {2 / 2**n:.3g})"
    return f"{n} pairs are fewer than the {ENOUGH} that a verdict takes"
