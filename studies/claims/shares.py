"""Evidence that counts pairs of runs: in how many one side is lower, is better, or leaves the path of the other."""

from dataclasses import dataclass
from math import nan

from scipy import stats

from studies.catalog.metrics import is_score
from studies.claims.comparisons import Pairs, too_few
from studies.claims.evidence import Evidence, Found, Tables, rows_of, shortened
from studies.claims.statistics import TESTED, share_interval
from studies.claims.words import CONTRADICTED, INCONCLUSIVE, METRICS, SUPPORTED, between, interval_in_words, number

HALF = 50  # percent


@dataclass(frozen=True, kw_only=True)
class Share(Evidence):
    """The share of pairs in which side a has the lower metric, in percent, with Wilson's interval.

    One such pair supports the claim.
    """

    kind = "share of pairs"

    def measure(self, tables: Tables) -> Found:
        pairs = Pairs(metric=self.metric, a=self.a, b=self.b).pairs(tables).dropna()
        n, lower = len(pairs), int((pairs["a"] < pairs["b"]).sum())
        if not n:
            return Found()
        low, high = (100 * bound for bound in share_interval(lower, n))
        a, b = between(self.a, self.b)
        text = f"the {METRICS[self.metric]} is lower with {a} than with {b} in {lower} of {n} pairs"
        return Found(
            n=n,
            value_a=float(lower),
            value_b=float(n - lower),
            estimate=100 * lower / n,
            low=low,
            high=high,
            text=f"{text} {interval_in_words(low, high, '%')}",
            reason=too_few(n),
            verdict=INCONCLUSIVE if n < TESTED else SUPPORTED if lower else CONTRADICTED,
        )


@dataclass(frozen=True, kw_only=True)
class Better(Evidence):
    """P(better): the share of pairs in which side a has the better metric, in percent; the estimate is that less 50.

    Better is a higher accuracy or a lower loss. Pairs that tie count for neither. Wilson's interval, binomial test.
    """

    kind = "probability of the better run"

    def measure(self, tables: Tables) -> Found:
        pairs = Pairs(metric=self.metric, a=self.a, b=self.b).pairs(tables).dropna()
        gain = (pairs["a"] - pairs["b"]) * (1 if is_score(self.metric) else -1)
        better, n = int((gain > 0).sum()), int((gain != 0).sum())
        if not len(pairs):
            return Found()
        low, high = (100 * bound for bound in share_interval(better, n))
        a, b = between(self.a, self.b)
        ties = f" ({len(pairs) - n} tied)" if len(pairs) > n else ""
        text = f"the {METRICS[self.metric]} is better with {a} than with {b} in {better} of {len(pairs)} pairs{ties}: "
        text += f"P(better) = {number(100 * better / n)} %" if n else "P(better) is open"
        return Found(
            n=len(pairs),
            value_a=float(better),
            value_b=float(n - better),
            estimate=100 * better / n - HALF if n else nan,
            low=low - HALF,
            high=high - HALF,
            p=float(stats.binomtest(better, n).pvalue) if n >= TESTED else nan,
            text=f"{text} {interval_in_words(low, high, '%')}",
            reason=shortened(self.a, rows_of(tables.repeats, self.a)) or too_few(n),
        )


@dataclass(frozen=True, kw_only=True)
class Departures(Evidence):
    """The share of pairs, in percent, in which the run of a leaves the path of b's: the metric of some epoch is further
    from b's than what matters. Pairs with other settings do not count.

    What takes the same steps as b up to some point, and others from there on, leaves b's path there.
    """

    kind = "departures"

    def measure(self, tables: Tables) -> Found:
        a, b = (rows_of(tables.repeated_curves, side) for side in (self.a, self.b))
        same = ["seed", "learning_rate", "beta_2", "epoch"]
        both = a.merge(b, on=same, suffixes=("_a", "_b"))
        ratios = both[f"{self.metric}_a"].astype(float) / both[f"{self.metric}_b"].astype(float)
        furthest = (100 * (ratios - 1).abs()).groupby(both["seed"]).max()
        n, left = len(furthest), int((furthest > self.margin).sum())
        if not n:
            return Found()
        low, high = (100 * bound for bound in share_interval(left, n))
        first, second = between(self.a, self.b)
        return Found(
            n=n,
            value_a=float(left),
            value_b=float(n - left),
            estimate=100 * left / n,
            low=low,
            high=high,
            text=f"in {left} of {n} pairs with the same settings {first} leaves the path of {second}: its "
            f"{METRICS[self.metric].removeprefix('final ')} comes more than {self.margin:g} % away from the other's in "
            f"some epoch (furthest in any pair: {number(float(furthest.max()))} %)",
            verdict=SUPPORTED if left == n else CONTRADICTED,
        )
