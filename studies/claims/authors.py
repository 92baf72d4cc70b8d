"""Evidence from the runs that an author published: means and standard deviations of 5 runs of each setting.

`data/korzeniowski_runs.csv` holds the figures of Korzeniowski's public logs, https://fdlm.github.io/post/amsgrad/.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log, nan
from typing import Any

import pandas as pd

from studies.catalog.metrics import is_score
from studies.claims.evidence import Evidence, Found, Tables, having, in_percent
from studies.claims.grids import CHANCE_LEVEL, Correlation, correlated
from studies.claims.statistics import sd_ratio, welch
from studies.claims.words import METRICS, Side, between, interval_in_words, number, value_in_words

MODELS = {
    "korzeniowski-logistic": "logreg",
    "korzeniowski-cifarnet": "cifarnet",
    "korzeniowski-smallvgg": "small_vgg",
    "korzeniowski-vgg": "vgg",
}
COLUMNS = {
    "train_loss": "train_loss",
    "train_accuracy": "train_acc",
    "val_loss": "val_loss",
    "val_accuracy": "val_acc",
    "best_val_loss": "min_val_loss",
    "best_val_accuracy": "best_val_acc",
}


@cache
def author_runs() -> pd.DataFrame:
    """Return a row for each of the author's settings, with the names of our tables; accuracies are fractions."""
    rows = pd.read_csv(str(files("studies.claims") / "data" / "korzeniowski_runs.csv"))
    studies = {model: study for study, model in MODELS.items()}
    named = {theirs: ours for ours, theirs in COLUMNS.items()}
    named |= {f"{theirs}_sd": f"{ours}_sd" for ours, theirs in COLUMNS.items()}
    rows = rows.rename(columns=named).assign(study=rows["model"].map(studies))
    rows["optimizer"] = rows["optimizer"].map({"adam": "Adam", "amsgrad": "AMSGrad"})
    percent = [name for name in rows if name.removesuffix("_sd").endswith("accuracy")]
    return rows.assign(**{name: rows[name] / 100 for name in percent})


def _rows(side: Side) -> pd.DataFrame:
    rows = author_runs()
    known = {column: value for column, value in side.items() if column in rows}
    return having(rows[rows["study"] == side["study"]], known)


def _run(side: Side) -> dict[str, Any]:
    """Return the one row of a setting."""
    return _run_of(tuple(side.items()))


@cache
def _run_of(values: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    (row,) = _rows(dict(values)).to_dict("records")
    return row


@dataclass(frozen=True, kw_only=True)
class AuthorPairs(Evidence):
    """Two of the author's settings, by Welch's test on means and standard deviations: unpaired, n = 5 each.

    The estimate is the difference of accuracies in points, or the log ratio of losses in percent; the standard
    deviation of a log is that of the loss over its mean.
    """

    kind = "author"

    def measure(self, tables: Tables) -> Found:
        a, b = (_run(side) for side in (self.a, self.b))
        n, points = int(min(a["runs"], b["runs"])), is_score(self.metric)
        means, sds = ([each[f"{self.metric}{end}"] for each in (a, b)] for end in ("", "_sd"))
        if points:
            numbers = [100 * each for pair in zip(means, sds, strict=True) for each in pair]
        else:
            numbers = [each for mean, sd in zip(means, sds, strict=True) for each in (log(mean), sd / mean)]
        estimate, (low, high), p = welch(numbers[0], numbers[1], a["runs"], numbers[2], numbers[3], b["runs"])
        if not points:
            estimate, low, high = map(in_percent, (estimate, low, high))
        first, second = between(self.a, self.b)
        unit, side = "points" if points else "%", "higher" if estimate > 0 else "lower"
        mean_a, mean_b = map(float, means)
        words_a, words_b = (value_in_words(self.metric, mean) for mean in (mean_a, mean_b))
        values = f"{words_a} with {first} and {words_b} with {second}"
        text = f"the author's runs: the {METRICS[self.metric]} is {values}: {number(abs(estimate))} {unit} {side} "
        text += interval_in_words(low, high, unit)
        return Found(n, mean_a, mean_b, estimate, low, high, p, text, values=f"{METRICS[self.metric]}: {values}")


@dataclass(frozen=True, kw_only=True)
class AuthorSpread(Evidence):
    """The standard deviation of the author's runs a over that of b, less 1, in percent, as `SpreadOfRuns` has it."""

    kind = "author, ratio of sds"

    def measure(self, tables: Tables) -> Found:
        a, b = (_run(side) for side in (self.a, self.b))
        sds, n = [float(each[f"{self.metric}_sd"]) for each in (a, b)], int(min(a["runs"], b["runs"]))
        if not all(sds):
            return Found()  # less than the digits that the logs have
        ratio, (low, high), p = sd_ratio(sds[0], int(a["runs"]), sds[1], int(b["runs"]))
        text = (
            f"the author's runs: the {METRICS[self.metric]} has an sd of {number(sds[0])} with {self.a['optimizer']} "
        )
        text += f"and of {number(sds[1])} with {self.b['optimizer']}"
        estimate, low, high = (100 * (each - 1) for each in (ratio, low, high))
        return Found(n, sds[0], sds[1], estimate, low, high, p, text)


@dataclass(frozen=True, kw_only=True)
class AuthorCorrelation(Correlation):
    """As `Correlation`, over the author's settings."""

    kind = "author, rank correlation"

    def measure(self, tables: Tables) -> Found:
        rows = _rows(self.a)
        rows = rows[rows["val_accuracy"] >= self.least_accuracy]
        return correlated(rows[self.metric].to_numpy(float), rows[self.other].to_numpy(float), self)


@dataclass(frozen=True, kw_only=True)
class AuthorFailures(Evidence):
    """How far the mean accuracy of the author's runs a lies from `CHANCE_LEVEL`, in points, by Welch's test."""

    kind = "author, failures"
    unit = "points"

    def measure(self, tables: Tables) -> Found:
        run = _run(self.a)
        mean, sd, n = 100 * run[self.metric], 100 * run[f"{self.metric}_sd"], int(run["runs"])
        chance = 100 * CHANCE_LEVEL
        estimate, (low, high), p = welch(mean, sd, n, chance, 0.0, n)
        text = f"the author's runs reach {mean:.2f} % {interval_in_words(low + chance, high + chance, '%')}"
        return Found(n, mean / 100, CHANCE_LEVEL, estimate, low, high, nan if sd == 0 else p, text)
