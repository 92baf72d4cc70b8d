"""What a piece of evidence is, and which rows of the tables it takes."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isnan, nan
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from studies.catalog import STUDIES, NetworkStudy, Variant
from studies.catalog.metrics import rope_of
from studies.catalog.variant import PUBLISHED
from studies.claims.statistics import judge
from studies.claims.words import INCONCLUSIVE, NO_DIFFERENCE, NOT_RUN, SUPPORTED, Side, as_text

TINY = 1e-3  # two cross-entropies below it differ by nothing that matters, whatever their ratio (D)
BEST = {name: f"best_{name}" for name in ("val_loss", "val_accuracy", "val_r2")}


@dataclass(frozen=True)
class Tables:
    """The tables of a results folder, as `studies.records.tables` makes them."""

    runs: pd.DataFrame
    curves: pd.DataFrame
    paths: pd.DataFrame

    @cached_property
    def repeats(self) -> "ByStudy":
        return _by_study(self.runs[self.runs["stage"] == "repeat"])

    @cached_property
    def searches(self) -> "ByStudy":
        return _by_study(self.runs[self.runs["stage"] == "search"])

    @cached_property
    def repeated_curves(self) -> "ByStudy":
        return _by_study(self.curves[self.curves["stage"] == "repeat"])

    @cached_property
    def walks(self) -> "ByStudy":
        return _by_study(self.paths)


ByStudy = defaultdict[str, pd.DataFrame]


def _by_study(rows: pd.DataFrame) -> ByStudy:
    """Return the rows of each study, with empty texts where pandas reads NaN from an empty cell."""
    texts = [name for name in ("variant", "schedule") if name in rows]
    rows = rows.assign(**{name: rows[name].fillna("") for name in texts})
    return defaultdict(lambda: rows.iloc[:0], {str(name): mine for name, mine in rows.groupby("study")})


def rows_of(table: ByStudy, side: Side) -> pd.DataFrame:
    """Return the rows that have the values of a side; of no variant, unless it names one."""
    return having(table[side["study"]], {"variant": ""} | side)


def having(rows: pd.DataFrame, values: Side) -> pd.DataFrame:
    """Return the rows of a study that have these values; an empty cell has none."""
    chosen = np.ones(len(rows), dtype=bool)
    for column, value in values.items():
        if column != "study":
            chosen &= (rows[column] == value).to_numpy(dtype=bool, na_value=False)
    return rows[chosen]


@dataclass(frozen=True)
class Found:
    """What the tables hold of a piece of evidence. n = 0: nothing was run."""

    n: int = 0
    value_a: float = nan
    value_b: float = nan
    estimate: float = nan
    low: float = nan
    high: float = nan
    p: float = nan  # two-sided, of this piece alone
    text: str = ""  # both values, the estimate and its interval, in words
    reason: str = ""  # why there is no verdict
    verdict: str = ""  # where it does not follow from the interval
    needed: int = 0  # pairs that would decide; 0: not counted
    values: str = ""  # both values alone, in words, where there are two


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One piece of evidence: what is measured, and what a claim wants of it.

    A subclass measures its `a`, or its `a` against its `b`. `direction` says what the estimate must be, see
    `statistics.judge`; `rope` is the smallest estimate that matters, in the estimate's own unit.
    """

    kind: ClassVar[str] = ""  # what verdicts.csv calls it, and `docs/verdicts.md` defines
    unit: ClassVar[str] = "%"

    label: str = ""
    metric: str = ""
    quantity: str = ""  # what is computed of a seed's runs, or of a walk; empty: the metric
    direction: str = "same"
    rope: float = nan  # by default the metric's
    tiny: float = TINY  # two losses below it differ by nothing that matters, whatever their ratio
    a: Side = field(default_factory=dict)
    b: Side = field(default_factory=dict)

    def measure(self, tables: Tables) -> Found:
        raise NotImplementedError

    @property
    def studies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(side["study"] for side in (self.a, self.b) if "study" in side))

    @property
    def points(self) -> bool:
        """Whether the estimate is a difference of scores, in points."""
        return self.unit == "points"

    @property
    def margin(self) -> float:
        """The smallest estimate that matters, in the estimate's unit."""
        return 100 * rope_of(self.metric) if isnan(self.rope) else self.rope

    def judged(self, found: Found, factor: float = 1.0) -> str:
        """Return the verdict, with `factor` times the ROPE."""
        if not found.n:
            return NOT_RUN
        if found.verdict or found.reason:
            return found.verdict or INCONCLUSIVE
        if self._is_tiny(found):
            return SUPPORTED if self.direction == "same" or self.direction.startswith("not") else NO_DIFFERENCE
        return judge(found.low, found.high, factor * self.margin, self.direction)

    def _is_tiny(self, found: Found) -> bool:
        loss = self.metric.endswith("loss") and self.kind in ("pairs", "author")
        return loss and max(found.value_a, found.value_b) < self.tiny

    def at_best(self) -> Self:
        """Return the evidence by each run's best epoch instead of its last, where the tables have both."""
        return replace(self, metric=BEST.get(self.metric, self.metric))

    def by_accuracy(self) -> Self:
        """Return the evidence with settings that the search chose by accuracy, where that was run."""

        def chosen(side: Side) -> Side:
            study = STUDIES.get(side.get("study", ""))
            plain = side.get("variant", "") == "" and study is not None and "by-accuracy" in study.variants
            return side | {"variant": "by-accuracy"} if plain else side

        return replace(self, a=chosen(self.a), b=chosen(self.b))

    @property
    def sides(self) -> tuple[str, str]:
        """Both sides as verdicts.csv has them."""
        return as_text(self.a), as_text(self.b)


def shortened(side: Side, rows: pd.DataFrame, stage: str = "repeat") -> str:
    """Return in words how much less than the study's own epochs its runs were given, or an empty text."""
    study = STUDIES.get(side["study"])
    if not isinstance(study, NetworkStudy) or rows.empty:
        return ""  # a comparison of one's own is as long as its user wants it
    for part in Variant.parse(side.get("variant")).parts:
        if part in study.variants or part == PUBLISHED:
            study = study.as_variant(part)
    planned = study.search.epochs if study.search and stage == "search" else study.epochs
    epochs = rows["epochs"].min()
    return f"Its runs had {epochs} of the study's {planned} epochs." if epochs < planned else ""


def have_a_difference(pairs: pd.DataFrame, points: bool) -> pd.Series:
    """Return for each pair of values whether `differences_of` gives a number: ratios need values above 0."""
    finite = np.isfinite(pairs).all(axis=1)
    return finite if points else finite & (pairs > 0).all(axis=1)


def differences_of(a: np.ndarray, b: np.ndarray, points: bool) -> np.ndarray:
    """Return paired differences (n,): of scores in points, of anything else as log ratios."""
    return 100 * (a - b) if points else np.log(a / b)


def in_percent(log_ratio: float) -> float:
    """Return a log ratio as a difference in percent.

    >>> round(in_percent(np.log(1.5)), 6)
    50.0
    """
    return float(100 * np.expm1(log_ratio))
