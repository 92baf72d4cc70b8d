"""Evidence that compares repeated runs: one side against the other, paired by seed."""

from dataclasses import dataclass, replace
from math import log1p, nan
from typing import Self

import numpy as np
import pandas as pd

from studies.catalog.metrics import is_score
from studies.catalog.variant import Variant
from studies.claims.evidence import (
    BEST,
    Evidence,
    Found,
    Tables,
    differences_of,
    have_a_difference,
    in_percent,
    rows_of,
    shortened,
)
from studies.claims.quantities import OF_EPOCHS, QUANTITIES, rows_of_variant
from studies.claims.statistics import (
    DIGITS,
    TESTED,
    mean_interval,
    pairs_needed,
    sign_flip,
    standardized,
)
from studies.claims.words import (
    METRICS,
    Side,
    between,
    interval_in_words,
    number,
    shared,
    value_in_words,
)


@dataclass(frozen=True, kw_only=True)
class Pairs(Evidence):
    """The runs of two sides, paired by seed.

    The estimate is the mean difference of a score, in points, or the mean log ratio of anything else, in percent:
    100 (exp(mean log(a / b)) - 1). `quantity` is a key of `QUANTITIES`; empty: the metric of a seed's one run.
    """

    kind = "pairs"

    def at_best(self) -> Self:
        """Return the evidence by each run's best epoch, where the quantity is of one epoch."""
        return self if self.quantity in OF_EPOCHS else replace(self, metric=BEST.get(self.metric, self.metric))

    @property
    def points(self) -> bool:
        return is_score(self.metric) and not self.quantity

    def pairs(self, tables: Tables) -> pd.DataFrame:
        """Return the values of both sides, (seeds, 2), with NaN where a run diverged."""
        if not all(side["study"] in tables.repeats for side in (self.a, self.b)):
            return pd.DataFrame({"a": [], "b": []}, dtype=float)
        measured, _ = QUANTITIES[self.quantity]
        both = {name: measured(tables, side, self.metric) for name, side in (("a", self.a), ("b", self.b))}
        if any(each.index.has_duplicates for each in both.values()):
            raise ValueError(f"{self.sides} do not name one run of each seed")
        pairs = pd.concat(both, axis=1, join="inner")
        a, b = (machines(tables, side).reindex(pairs.index) for side in (self.a, self.b))
        return pairs[(a == b).to_numpy(dtype=bool)]

    def measure(self, tables: Tables) -> Found:
        pairs = self.pairs(tables)
        whole = have_a_difference(pairs, self.points)
        a, b = pairs[whole].to_numpy(dtype=float).T
        if not len(a):
            return Found()
        differences = differences_of(a, b, self.points)
        low, high = mean_interval(differences)
        means = float(a.mean()), float(b.mean())
        estimate = float(differences.mean())
        if not self.points:
            estimate, low, high = map(in_percent, (estimate, low, high))
        edges = [self._edge(side) for side in (-1, 1)]
        return Found(
            n=len(a),
            value_a=means[0],
            value_b=means[1],
            estimate=estimate,
            low=low,
            high=high,
            p=sign_flip(differences - self._tested_edge()),
            values=f"{self._what().removeprefix('the ')}: {self._values(*means)}",
            text=self._text(*means, estimate, low, high) + _lost(pairs[~whole]),
            reason=shortened(self.a, rows_of(tables.repeats, self.a)) or too_few(len(a)),
            needed=pairs_needed(differences, edges),
        )

    def _edge(self, side: int) -> float:
        """Return an edge of the ROPE, in the unit of the differences."""
        return side * self.margin if self.points else log1p(side * min(self.margin, 99) / 100)

    def _tested_edge(self) -> float:
        """Return the difference that p speaks against: 0, or the edge that "not lower" and "not higher" mean."""
        return {"not lower": self._edge(-1), "not higher": self._edge(1)}.get(self.direction, 0.0)

    def _what(self) -> str:
        """Return what is compared, in words."""
        _, words = QUANTITIES[self.quantity]
        what = words.format(metric=METRICS.get(self.metric, self.metric).removeprefix("final "))
        return what or f"the {METRICS.get(self.metric, self.metric)}"

    def _values(self, mean_a: float, mean_b: float) -> str:
        (a, b), metric = between(self.a, self.b), "" if self.quantity else self.metric
        return f"{value_in_words(metric, mean_a)} with {a} and {value_in_words(metric, mean_b)} with {b}"

    def _text(self, mean_a: float, mean_b: float, estimate: float, low: float, high: float) -> str:
        values = f"{self._what()} is {self._values(mean_a, mean_b)}"
        unit = "points" if self.points else "%"
        if not self.points and (estimate >= 100 or estimate <= -50):
            ratio, least, most = (1 + each / 100 for each in (estimate, low, high))
            return f"{values}: {number(ratio)} times as much {interval_in_words(least, most, 'times')}"
        side = "higher" if estimate > 0 else "lower"
        return f"{values}: {number(abs(estimate))} {unit} {side} {interval_in_words(low, high, unit)}"


def machines(tables: Tables, side: Side) -> pd.Series:
    """Return the backend and device of each seed's runs: pairs never mix them."""
    rows = rows_of_variant(tables.repeats, side)
    pairs = zip(rows["backend"], rows["device"], strict=True)
    names = pd.Series([f"{backend} {device}" for backend, device in pairs], index=rows.index, dtype=object)
    return names.groupby(rows["seed"]).agg(lambda used: ", ".join(sorted(set(used))))


@dataclass(frozen=True, kw_only=True)
class TunedPairs(Pairs):
    """As `Pairs`, where a side is a way to decay: the strength that the search chose, by the accuracy over the folds.

    The variant of a side names the way and not its strength, as in "restarts+decoupled".
    """

    kind = "tuned pairs"

    def measure(self, tables: Tables) -> Found:
        if not all(side["study"] in tables.searches for side in (self.a, self.b)):
            return Found()
        a, b = (tuned(tables, side) for side in (self.a, self.b))
        if a is None or b is None:
            return Found()
        chosen = Pairs(label=self.label, metric=self.metric, direction=self.direction, rope=self.rope, a=a, b=b)
        return chosen.measure(tables)


def tuned(tables: Tables, side: Side) -> Side | None:
    """Return a side with the variant that the search chose: the highest mean accuracy at its best learning rate."""
    rows = rows_of_variant(tables.searches, side)
    way = Variant.parse(side["variant"]).parts[-1]
    if "=" in way:
        rows = rows[rows["variant"] == side["variant"]]
    means = rows.groupby(["variant", "learning_rate"])["val_accuracy"].agg(lambda values: values.mean(skipna=False))
    return side | {"variant": means.round(DIGITS).idxmax()[0]} if means.notna().any() else None


@dataclass(frozen=True, kw_only=True)
class Standardized(Evidence):
    """The gap between two sides in units of how far a pair may lie off it: |mean| / sd of the paired differences.

    Below 1, one pair of runs says little of which side is ahead. The estimate is the ratio less 1.
    """

    kind = "standardised gap"
    unit = ""

    def measure(self, tables: Tables) -> Found:
        pairs = Pairs(metric=self.metric, a=self.a, b=self.b).pairs(tables)
        a, b = pairs[have_a_difference(pairs, is_score(self.metric))].to_numpy(dtype=float).T
        if not len(a):
            return Found()
        differences = differences_of(a, b, is_score(self.metric))
        size, (low, high) = standardized(differences)
        spread = in_percent(float(differences.std(ddof=1))) if len(a) > 1 else nan
        gap = in_percent(abs(float(differences.mean())))
        text = f"one pair of runs differs from the next by {number(spread)} % (sd of the log ratio), the optimizers by "
        text += f"{number(gap)} %: {number(size)} sd {interval_in_words(low, high, 'sd')}"
        few = too_few(len(a))
        return Found(len(a), spread, gap, size - 1, low - 1, high - 1, text=text, reason=few)


@dataclass(frozen=True, kw_only=True)
class Reached(Evidence):
    """How far the mean accuracy of the runs a lies from a published one, in points."""

    kind = "published value"
    unit = "points"
    published: float = nan  # in percent

    def measure(self, tables: Tables) -> Found:
        rows = rows_of(tables.repeats, self.a)
        values = 100 * rows[self.metric].dropna().to_numpy(dtype=float)
        if not len(values):
            return Found()
        low, high = mean_interval(values - self.published)
        mean = float(values.mean())
        text = f"the runs reach {mean:.2f} %, the source {self.published:.2f} %: {number(mean - self.published)} points"
        return Found(
            n=len(values),
            value_a=mean / 100,
            value_b=self.published / 100,
            estimate=mean - self.published,
            low=low,
            high=high,
            p=sign_flip(values - self.published),
            text=f"{text} {interval_in_words(low, high, 'points')}",
            reason=shortened(self.a, rows) or too_few(len(values)),
            needed=pairs_needed(values - self.published, (-self.margin, self.margin)),
        )


def too_few(n: int) -> str:
    """Return why n pairs carry no verdict, or an empty text."""
    if n >= TESTED:
        return ""
    if n == 0:
        return "No pair tells one side from the other."
    if n == 1:
        return "A single run carries no verdict."
    return f"{n} pairs can never reach p < .05 in an exact sign-flip test (the least is {2 / 2**n:.3g})."


def _lost(pairs: pd.DataFrame) -> str:
    """Return how many pairs are left out, and why, as the end of a sentence."""
    diverged = int((~np.isfinite(pairs)).any(axis=1).sum())
    kinds = {"a run diverged": diverged, "a value is 0 or below, so that it has no ratio": len(pairs) - diverged}
    return "".join(f"; pairs left out because {reason}: {count}" for reason, count in kinds.items() if count)


def versus(study: str, a: str, b: str, metric: str, direction: str, **both: object) -> Pairs:
    """Return two optimizers of a study as evidence."""
    first, second = ({"study": study, **both, "optimizer": name} for name in (a, b))
    return pairs_of((first, second), metric, direction)


def pairs_of(
    sides: tuple[Side, Side], metric: str, direction: str, rope: float = nan, label: str = "", quantity: str = ""
) -> Pairs:
    """Return two sides as evidence, labelled by what they have in common."""
    a, b = sides
    label = label or shared(a, b)
    return Pairs(label=label, metric=metric, direction=direction, rope=rope, a=a, b=b, quantity=quantity)
