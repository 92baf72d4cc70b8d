"""Evidence from whole grids of settings: what a search chooses, which settings fail, how metrics go together."""

from dataclasses import dataclass, field, replace
from math import nan
from typing import Self

import numpy as np
from scipy import stats

from studies.catalog import STUDIES, NetworkStudy
from studies.catalog.metrics import is_score
from studies.catalog.network import Setting
from studies.claims.comparisons import too_few
from studies.claims.evidence import Evidence, Found, Tables, rows_of, shortened
from studies.claims.shares import HALF
from studies.claims.statistics import DIGITS, LEAST, sd_ratio, share_interval
from studies.claims.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    METRICS,
    NO_DIFFERENCE,
    SUPPORTED,
    interval_in_words,
    number,
    value_in_words,
)

CHANCE_LEVEL = 0.2  # validation accuracy on ten classes at or below which a run has failed; chance is .1 (D)


@dataclass(frozen=True, kw_only=True)
class Choice(Evidence):
    """Whether a published setting is the one that the search a chooses, by the one-standard-error rule over the folds.

    The estimate is what the published setting costs beside the chosen one: of a loss in percent, of an accuracy in
    points. Within one standard error of the chosen one's mean over the folds the two are no different; more than that
    decides nothing, since there are three folds.
    """

    kind = "choice"
    published: Setting = field(default_factory=lambda: Setting(nan, None))

    def measure(self, tables: Tables) -> Found:
        rows = rows_of(tables.searches, self.a)
        sign = -1 if is_score(self.metric) else 1
        folds = rows.groupby(["learning_rate", "beta_2"])[self.metric]
        means = (sign * folds.agg(lambda values: values.mean(skipna=False))).dropna()
        theirs = self.published.learning_rate, self.published.beta_2
        if theirs not in means.index:
            return Found()
        ours = means.round(DIGITS).idxmin()
        n = int(folds.size()[ours])
        cost, error = float(means[theirs] - means[ours]), float(folds.std()[ours] / np.sqrt(n))
        verdict = SUPPORTED if ours == theirs else NO_DIFFERENCE if cost <= error else INCONCLUSIVE
        reason = shortened(self.a, rows, stage="search")
        value_a, value_b = sign * float(means[theirs]), sign * float(means[ours])
        text = (
            f"the source's choice, {self.published}, has a mean {METRICS[self.metric].removeprefix('final ')} of "
            f"{value_in_words(self.metric, value_a)} over {n} folds; the search chooses {Setting(*ours)} with "
            f"{value_in_words(self.metric, value_b)} (standard error {value_in_words(self.metric, error)})"
        )
        return Found(
            n=n,
            value_a=value_a,
            value_b=value_b,
            estimate=100 * cost if is_score(self.metric) else 100 * cost / value_b,
            text=text,
            reason=reason,
            verdict="" if reason else verdict,
        )

    def by_accuracy(self) -> Self:
        return replace(self, metric="val_accuracy")


@dataclass(frozen=True, kw_only=True)
class Failures(Evidence):
    """The share of the runs a that fail, in percent: the estimate is the share less 50.

    A run fails that diverges, or whose accuracy is at most `CHANCE_LEVEL`.
    """

    kind = "failures"

    def measure(self, tables: Tables) -> Found:
        rows = rows_of(tables.repeats, self.a)
        n = len(rows)
        if not n:
            return Found()
        failed = int(((rows["status"] == "diverged") | ~(rows[self.metric] > CHANCE_LEVEL)).sum())
        low, high = (100 * bound for bound in share_interval(failed, n))
        return Found(
            n=n,
            value_a=float(failed),
            value_b=float(n - failed),
            estimate=100 * failed / n - HALF,
            low=low - HALF,
            high=high - HALF,
            p=float(stats.binomtest(failed, n).pvalue) if n > LEAST else nan,
            text=f"{failed} of {n} runs fail {interval_in_words(low, high, '%')}",
            reason=shortened(self.a, rows) or too_few(n),
        )


@dataclass(frozen=True, kw_only=True)
class SpreadOfRuns(Evidence):
    """The standard deviation of the runs a over that of the runs b, less 1, in percent; F's interval and test."""

    kind = "ratio of sds"

    def measure(self, tables: Tables) -> Found:
        a, b = (rows_of(tables.repeats, side)[self.metric].dropna().to_numpy(float) for side in (self.a, self.b))
        n = min(len(a), len(b))
        if n < LEAST:
            return Found(n, reason=too_few(n), text=f"{n} runs of each") if n else Found()
        sds = float(a.std(ddof=1)), float(b.std(ddof=1))
        ratio, (low, high), p = sd_ratio(sds[0], len(a), sds[1], len(b))
        text = f"the {METRICS[self.metric]} has an sd of {number(sds[0])} with {self.a['optimizer']} and of "
        text += f"{number(sds[1])} with {self.b['optimizer']}: {number(ratio)} times {interval_in_words(low, high, '')}"
        estimate, low, high = (100 * (each - 1) for each in (ratio, low, high))
        return Found(n, sds[0], sds[1], estimate, low, high, p if n > LEAST else nan, text, too_few(n))


@dataclass(frozen=True, kw_only=True)
class Correlation(Evidence):
    """Spearman's rank correlation, over the settings of a grid, of the means of two metrics in the runs a."""

    kind = "rank correlation"
    unit = ""
    other: str = ""
    least_accuracy: float = 0.5  # settings below it did not train, and are left out (D)

    def measure(self, tables: Tables) -> Found:
        rows = rows_of(tables.repeats, self.a)
        columns = list(dict.fromkeys((self.metric, self.other, "val_accuracy")))
        means = rows.groupby(["learning_rate", "beta_2", "bias_correction", "optimizer"])[columns].mean()
        means = means[means["val_accuracy"] >= self.least_accuracy]
        return correlated(means[self.metric].to_numpy(float), means[self.other].to_numpy(float), self)


def correlated(a: np.ndarray, b: np.ndarray, of: Correlation) -> Found:
    """Return the rank correlation of two means (settings,), with Fisher's interval and p."""
    whole = np.isfinite(a) & np.isfinite(b)
    n = int(whole.sum())
    if n < LEAST:
        return Found(n, reason=too_few(n), text=f"{n} settings") if n else Found()
    found = stats.spearmanr(a[whole], b[whole])
    half = stats.norm.ppf(0.975) * 1.03 / np.sqrt(n - 3)
    low, high = (float(np.tanh(np.arctanh(np.clip(found.statistic, -0.9999, 0.9999)) + side)) for side in (-half, half))
    words = METRICS[of.metric].removeprefix("final "), METRICS[of.other].removeprefix("final ")
    text = f"over {n} settings the {words[0]} and the {words[1]} have a rank correlation of {number(found.statistic)} "
    text += interval_in_words(low, high, "")
    return Found(n, estimate=float(found.statistic), low=low, high=high, p=float(found.pvalue), text=text)


@dataclass(frozen=True, kw_only=True)
class Range(Evidence):
    """The share of the epochs, in percent, in which the mean training loss of the runs a lies in a published range."""

    kind = "range"
    published: tuple[float, float] = (nan, nan)

    def measure(self, tables: Tables) -> Found:
        rows = rows_of(tables.repeated_curves, self.a)
        values = rows.groupby(["optimizer", "epoch"])[self.metric].mean().to_numpy(float)
        if not len(values):
            return Found()
        share = 100 * float(np.mean([self.published[0] <= value <= self.published[1] for value in values]))
        text = f"the {METRICS[self.metric].removeprefix('final ')} lies between {number(values.min())} and "
        text += f"{number(values.max())}, in {number(share)} % of the epochs between {self.published[0]:g} and "
        text += f"{self.published[1]:g}"
        verdict = SUPPORTED if share > HALF else CONTRADICTED
        n = rows["seed"].nunique()
        return Found(n, float(values.min()), float(values.max()), share, text=text, verdict=verdict)


def choices(study: str, metric: str, variant: str = "") -> tuple[Choice, ...]:
    """Return whether a study's search chooses what its source published, for each optimizer."""
    found = STUDIES[study]
    assert isinstance(found, NetworkStudy)
    return tuple(
        Choice(
            label=f"{study}, {optimizer}",
            metric=metric,
            published=setting,
            a={"study": study, "optimizer": optimizer, "variant": variant},
        )
        for optimizer, setting in found.published.items()
    )
