"""How results on many problems are put together: pure functions of arrays, with their formulas and sources.

`rliable` (https://github.com/google-research/rliable) and `baycomp` (https://github.com/janezd/baycomp) hold some of
these. Both exist as source packages only, need packages that this project does not, and have had no release since 2024
and 2023; what is needed of them is a few lines of NumPy and SciPy, checked by tests against cases with known results.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

LEVEL = 0.05
RESAMPLES = 1000
DRAWS = 20_000  # of a posterior
PRIOR = 0.5  # weight of the prior observation, beside 1 for each problem

Runs = Sequence[np.ndarray]  # of each problem the results of its runs, (seeds,)


class Estimate(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


class Posterior(NamedTuple):
    """Probabilities that the first side is lower, that there is no difference that matters, that it is higher."""

    lower: float
    same: float
    higher: float


def interquartile_mean(runs: Runs) -> float:
    """Return the mean of the middle half of the results of all runs, of all problems together.

    Source: Agarwal and others 2021, section 4.3, https://arxiv.org/abs/2108.13264.

    >>> interquartile_mean([np.array([1.0, 2.0, 3.0, 100.0])])
    2.5
    """
    return float(stats.trim_mean(np.concatenate(list(runs)), 0.25))


def probability_lower(first: Runs, second: Runs) -> float:
    """Return P(X < Y) + P(X = Y) / 2 of a run X of the first side and Y of the second, the mean over the problems.

    Of each problem it is Mann and Whitney's U over the number of pairs. Source: Agarwal and others 2021, section 4.3.

    >>> probability_lower([np.array([1.0, 2.0])], [np.array([2.0, 3.0])])
    0.875
    """
    shares = []
    for x, y in zip(first, second, strict=True):
        below, equal = (x[:, None] < y).mean(), (x[:, None] == y).mean()
        shares.append(below + equal / 2)
    return float(np.mean(shares))


def bootstrapped(statistic: Callable[..., float], *sides: Runs) -> Estimate:
    """Return a statistic of runs with its stratified bootstrap interval: percentiles over resampled runs.

    Runs are resampled within each problem, so that the interval is one over runs on these problems, not over other
    problems. `sides` are one set of runs or several that are resampled alike, as runs of a pair are.
    Source: Agarwal and others 2021, section 4.1. The random numbers are the same in every call.

    >>> bootstrapped(interquartile_mean, [np.ones(4), np.ones(4)])
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    random = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        chosen = [random.integers(len(of_problem), size=len(of_problem)) for of_problem in sides[0]]
        resampled = [[each[rows] for each, rows in zip(side, chosen, strict=True)] for side in sides]
        found.append(statistic(*resampled))
    low, high = np.quantile(found, [LEVEL / 2, 1 - LEVEL / 2])
    return Estimate(statistic(*sides), float(low), float(high))


def profile(runs: Runs, limits: ArrayLike) -> np.ndarray:
    """Return the share of runs with a result of at most each of the `limits`, (limits,), the mean over the problems.

    Source: Dolan and Moré 2002, https://doi.org/10.1007/s101070100263, of runs in place of solvers as in Agarwal and
    others 2021, section 4.2.

    >>> profile([np.array([1.0, 2.0]), np.array([1.0, 1.0])], [1.0, 2.0]).tolist()
    [0.75, 1.0]
    """
    edges = np.asarray(limits, float)
    return np.asarray(np.mean([(each[:, None] <= edges).mean(0) for each in runs], axis=0))


def expected_lowest(results: ArrayLike, budgets: ArrayLike) -> np.ndarray:
    """Return the expected lowest of so many draws, with replacement, from m results, (budgets,).

    With the results in ascending order, x_1 <= ... <= x_m, the lowest of n draws is at least x_i with the probability
    ((m - i + 1) / m)^n, so that its mean is the sum of x_i (((m - i + 1) / m)^n - ((m - i) / m)^n).
    Source: Dodge and others 2019, section 3.1, https://arxiv.org/abs/1909.03004, for the highest.

    >>> expected_lowest([3.0, 1.0], [1, 2]).tolist()
    [2.0, 1.5]
    """
    ordered, draws = np.sort(np.asarray(results, float)), np.asarray(budgets)[:, None]
    above = (np.arange(len(ordered), -1, -1) / len(ordered)) ** draws  # (budgets, m + 1)
    weights = above[:, :-1] - above[:, 1:]
    return np.asarray(np.where(weights > 0, weights * ordered, 0).sum(1))  # infinity where it counts, not 0 times it


def signed_rank(differences: ArrayLike, rope: float) -> Posterior:
    """Return the Bayesian signed-rank test of a difference on each problem, (problems,): see `Posterior`.

    The problems' weights have a Dirichlet distribution, 1 for each and `PRIOR` for an observation of 0 beside them. Of
    each draw w, the shares sum of w_i w_j over the pairs with (z_i + z_j) / 2 below -rope, within, and above; the
    probability of each of the three is how often its share is the largest.
    Source: Benavoli, Corani, Demšar and Zaffalon 2017, section 4.2.1, https://arxiv.org/abs/1606.04316. The random
    numbers are the same in every call.

    >>> signed_rank([-5.0, -4.0, -6.0, -5.0, -7.0, -3.0, -5.0, -6.0], rope=1.0).lower > 0.99
    True
    """
    z = np.concatenate([[0.0], np.asarray(differences, float)])
    weights = np.random.default_rng(0).dirichlet([PRIOR, *np.ones(len(z) - 1)], DRAWS)
    means = (z[:, None] + z) / 2
    regions = (means < -rope, np.abs(means) <= rope, means > rope)
    shares = np.stack([np.einsum("di,dj,ij->d", weights, weights, r.astype(float), optimize=True) for r in regions])
    winners = np.bincount(shares.argmax(0), minlength=3) / DRAWS
    return Posterior(*map(float, winners))


def rank_correlation(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """Return Spearman's rank correlation and its p by Student's t; (NaN, NaN) where one side has a single value.

    >>> correlation, p = rank_correlation([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 7])
    >>> round(correlation, 2), p < 0.01
    (1.0, True)
    """
    if min(len(np.unique(each)) for each in (first, second)) < 2:
        return float("nan"), float("nan")
    found = stats.spearmanr(first, second)
    return float(found.statistic), float(found.pvalue)
