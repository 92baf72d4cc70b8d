"""The answer to "does AMSGrad beat Adam?": rows and sentences from the tables of a results folder. It never trains."""

from collections.abc import Mapping, Sequence
from math import exp, isnan, nan
from typing import Any

import numpy as np
import pandas as pd

from studies.catalog import STUDIES
from studies.catalog.metrics import ROPES, SCORES, is_accuracy, is_score, rope_of, score_in
from studies.catalog.variant import Variant, named
from studies.claims.statistics import TESTED, judge, mean_interval
from studies.claims.words import CONTRADICTED, NO_DIFFERENCE, SUPPORTED, listed, number

COLUMNS = ["study", "metric", "optimizer", "n", "adam", "other", "estimate", "low", "high", "bias_correction"]
METRICS = {
    "val_accuracy": "test accuracy after the last epoch",
    "val_r2": "test R² after the last epoch",
    "val_loss": "test loss after the last epoch",
    "best_val_loss": "lowest test loss of any epoch",
    "best_val_accuracy": "highest test accuracy of any epoch",
    "best_val_r2": "highest test R² of any epoch",
}
UNDECIDED = "not decided"
KEPT = {"Adam": 2, "AMSGrad": 3}  # numbers that an optimizer keeps for each weight: its slots


def tuned(runs: pd.DataFrame) -> pd.DataFrame:
    """Return each optimizer beside Adam where both trained with the settings that their own searches chose.

    `runs` has the columns of runs.csv. The result has one row for each study, metric and optimizer:

    n              pairs of runs with the same seed
    adam, other    the means
    estimate       the difference: of accuracies and R² in points; of losses in percent of Adam's, by the mean log ratio
    low, high      its 95 % interval by Student's t; NaN for fewer than 5 pairs

    Only runs of a study's own protocol count, not those of its variants. In a comparison of one's own, a variant is
    part of the optimizer's name.
    """
    pairs = _pairs(runs)
    keys = ["study", "optimizer", "bias_correction"]
    found = [
        dict(zip(keys, names, strict=True)) | {"metric": metric} | _difference(mine, metric)
        for names, mine in pairs.groupby(keys, dropna=False, sort=False)
        for metric in _metrics(mine)
    ]
    return pd.DataFrame(found, columns=COLUMNS)


def _metrics(pairs: pd.DataFrame) -> list[str]:
    """Return the metrics of the pairs of one study: losses, and its own score."""
    own = score_in(pairs)
    return [name for name in METRICS if not is_score(name) or name.endswith(own)]


def _pairs(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of runs with tuned settings: columns ending in `_adam` are those of Adam's run."""
    own = runs[(runs["variant"].fillna("") == "") | ~runs["study"].isin(STUDIES)]
    searched = own.loc[own["stage"] == "search", "study"].unique()
    repeats = own[(own["stage"] == "repeat") & own["study"].isin(searched)]
    names = [named(*each) for each in zip(repeats["optimizer"], repeats["variant"], strict=True)]
    repeats = repeats.assign(optimizer=names)
    adam, others = repeats[repeats["optimizer"] == "Adam"], repeats[repeats["optimizer"] != "Adam"]
    return others.merge(adam, on=["study", "seed", "backend", "device"], suffixes=("", "_adam"))


def _difference(pairs: pd.DataFrame, metric: str) -> dict[str, Any]:
    found, points = pairs[[f"{metric}_adam", metric]].dropna().to_numpy(float), is_score(metric)
    found = found if points else found[(found > 0).all(axis=1)]  # a loss of one's own may be negative: no ratio
    a, b = found.T
    differences = 100 * (b - a) if points else np.log(b / a)
    values = (differences.mean() if len(found) else nan, *mean_interval(differences))
    estimate, low, high = values if points else (100 * (exp(each) - 1) for each in values)
    means = found.mean(axis=0) if len(found) else (nan, nan)
    names = ("n", "adam", "other", "estimate", "low", "high")
    return dict(zip(names, (len(found), *means, estimate, low, high), strict=True))


def searches(runs: pd.DataFrame) -> pd.DataFrame:
    """Return, for each learning rate of the searches, in how many settings AMSGrad's training loss is the lower one.

    The columns are `learning_rate`, `lower` and `settings`. A setting is a study's learning rate, beta_2 and `options`;
    its training loss is the mean over the folds after the last epoch. A setting in which a fit diverged does not count.
    """
    own = runs[(runs["stage"] == "search") & (runs["variant"].fillna("") == "")]
    own = own[(own["bias_correction"].astype(str) == "True") & own["optimizer"].isin(["Adam", "AMSGrad"])]
    rest = own.reindex(columns=["beta_2", "options"]).map(str)  # an empty cell is a value, too
    own, keys = own.assign(rest=rest["beta_2"] + rest["options"]), ["study", "learning_rate", "rest", "optimizer"]
    means = own.groupby(keys)["train_loss"].agg(lambda losses: losses.mean(skipna=False)).unstack("optimizer")
    means = means.reindex(columns=["Adam", "AMSGrad"]).dropna()
    lower = (means["AMSGrad"] < means["Adam"]).groupby("learning_rate").agg(["sum", "size"])
    return lower.rename(columns={"sum": "lower", "size": "settings"}).reset_index()


def walks(paths: pd.DataFrame) -> pd.DataFrame:
    """Return where Adam and AMSGrad end on each problem of the synthetic studies: the median x over the seeds.

    The index is (study, problem), with an empty problem where a study has only one; the columns are Adam and AMSGrad.
    """
    own = paths.assign(problem=paths["variant"].fillna(""))
    own = own[np.array([not each.apart_from("C") for each in map(Variant.parse, own["problem"])], dtype=bool)]
    last = own[own["t"] == own.groupby("study")["t"].transform("max")]
    ends = last.groupby(["study", "problem", "optimizer"], sort=False)["x"].median().unstack("optimizer")
    return ends.reindex(columns=["Adam", "AMSGrad"]).dropna()


def searches_in_words(lower: pd.DataFrame) -> str:
    """Return the rows of `searches` as a sentence, empty where there are none.

    >>> searches_in_words(pd.DataFrame({"learning_rate": [0.001, 0.1], "lower": [0, 9], "settings": [10, 10]}))
    "In the searches, AMSGrad's training loss after the last epoch is the lower one in 0 of 10 settings with \
α = 0.001, 9 of 10 with α = 0.1."
    """
    if lower.empty:
        return ""
    first, *others = [f"{each.lower} of {each.settings} with α = {each.learning_rate:g}" for each in lower.itertuples()]
    counts = ", ".join([first.replace(" with", " settings with", 1), *others])
    return f"In the searches, AMSGrad's training loss after the last epoch is the lower one in {counts}."


def walks_in_words(ends: pd.DataFrame) -> str:
    """Return the rows of `walks` as a sentence, empty where there are none.

    >>> index = pd.MultiIndex.from_tuples([("synthetic-mod3", "C=3"), ("synthetic-online", "")])
    >>> walks_in_words(pd.DataFrame({"Adam": [1.0, 0.99], "AMSGrad": [-1.0, -0.98]}, index=index))
    'On 2 one-dimensional problems, where −1 is the best point and +1 the worst, Adam ends at x = 0.99 to 1, AMSGrad \
at −1 to −0.98.'
    """
    if ends.empty:
        return ""
    adam, amsgrad = (f"{number(each.min())} to {number(each.max())}" for each in (ends["Adam"], ends["AMSGrad"]))
    problems = f"{len(ends)} one-dimensional problem{'s' * (len(ends) > 1)}"
    return f"On {problems}, where −1 is the best point and +1 the worst, Adam ends at x = {adam}, AMSGrad at {amsgrad}."


def times(runs: pd.DataFrame) -> pd.Series:
    """Return how many times as long as Adam's the runs of AMSGrad took, by study: the median over pairs, as in `tuned`.

    What ran on the machine beside them is in it.
    """
    pairs = _pairs(runs)
    pairs = pairs[pairs["optimizer"] == "AMSGrad"]
    return (pairs["seconds"] / pairs["seconds_adam"]).groupby(pairs["study"], sort=False).median()


def cost_in_words(ratios: pd.Series) -> str:
    """Return what AMSGrad costs, by `times`, as a sentence.

    >>> cost_in_words(pd.Series([0.9, 1.5]))
    "AMSGrad keeps 3 numbers for each weight, Adam 2; its runs took 0.9 to 1.5 times as long as Adam's (medians, by \
problem)."
    """
    if ratios.empty:
        return ""
    low, high = number(round(ratios.min(), 2)), number(round(ratios.max(), 2))
    many, of = (f"{low} to {high}", "medians, by problem") if low != high else (low, "median")
    return (
        f"AMSGrad keeps {KEPT['AMSGrad']} numbers for each weight, Adam {KEPT['Adam']}; its runs took {many} "
        f"times as long as Adam's ({of})."
    )


def more(runs: pd.DataFrame, paths: pd.DataFrame) -> list[str]:
    """Return what else the tables say to those who choose: by learning rate, on the synthetic problems, of cost."""
    told = (searches_in_words(searches(runs)), walks_in_words(walks(paths)), cost_in_words(times(runs)))
    return [each for each in told if each]


def outcome(row: Any) -> str:
    """Return what a row of `tuned` decides: which side is ahead, "no practical difference" or "not decided".

    A side is ahead where the whole interval lies beyond the smallest difference worth the name (the ROPE). There is no
    practical difference where the whole interval lies within it. A row with the `verdict` of a claim has that.
    """
    judged = getattr(row, "verdict", "")
    if not judged and row.n >= TESTED:
        low, high = (row.low, row.high) if is_score(row.metric) else (-row.high, -row.low)
        judged = judge(low, high, 100 * rope_of(row.metric), "higher")
    words = {SUPPORTED: f"{row.optimizer} is ahead", CONTRADICTED: "Adam is ahead", NO_DIFFERENCE: NO_DIFFERENCE}
    return words.get(judged, UNDECIDED)


def sentence(row: Any) -> str:
    """Return a row of `tuned` in words: what it decides, both values, the difference, its interval, and n.

    >>> row = pd.Series(dict(zip(COLUMNS, ["digits", "val_loss", "AMSGrad", 10, 0.2, 0.1, -50, -60, -40, True])))
    >>> sentence(row)
    'AMSGrad is ahead: the test loss after the last epoch is 0.1 with AMSGrad and 0.2 with Adam, 50 % lower with \
AMSGrad (95 % interval −60 to −40 %; n = 10 pairs of runs).'
    """
    said, other, metric = outcome(row), row.optimizer, row.metric
    size = _rounded(abs(row.estimate))
    where = f"{'higher' if row.estimate > 0 else 'lower'} with {other}" if size != "0" else "apart"
    bounds = "no interval" if isnan(row.low) else f"95 % interval {_interval(row)} {_unit(metric)}"
    return (
        f"{said[0].upper()}{said[1:]}: the {METRICS[metric]} is {_value(metric, row.other)} with {other} and "
        f"{_value(metric, row.adam)} with Adam, {size} {_unit(metric)} {where} "
        f"({bounds}; n = {row.n} pair{'s' * (row.n > 1)} of runs)."
    )


def sentences(rows: pd.DataFrame) -> list[str]:
    """Return what rows of `tuned` say.

    Of one problem: a sentence on its score for each optimizer, or one for all of which it decides the same. Of several:
    a count, of test losses too, which says what early stopping leaves of them.
    """
    if rows["study"].nunique() < 2:
        return of_one_problem(list(rows[rows["metric"].isin([f"val_{each}" for each in SCORES])].itertuples()))
    groups = [(str(name), mine) for name, mine in rows.groupby("optimizer", sort=False) if mine["study"].nunique() > 1]
    return [f"{_count(name, mine[mine['metric'] == 'val_accuracy'])} {_losses(name, mine)}" for name, mine in groups]


def of_one_problem(rows: Sequence[Any]) -> list[str]:
    """Return what rows of `tuned` of one metric say: those that decide the same, of as many pairs, in one sentence."""
    groups: dict[tuple[str, int, float], list[Any]] = {}
    for row in rows:
        groups.setdefault((outcome(row).replace(row.optimizer, "other"), row.n, row.adam), []).append(row)
    return [_together(group) if len(group) > 1 else sentence(group[0]) for group in groups.values()]


def _together(rows: Sequence[Any]) -> str:
    """Return a sentence on several optimizers that lie alike beside Adam, with as many pairs of runs."""
    first, names = rows[0], listed(_named(row) for row in rows)
    said, unit = outcome(first), _unit(first.metric)
    said = {f"{first.optimizer} is ahead": f"{names} are ahead", "Adam is ahead": f"Adam is ahead of {names}"}.get(
        said, f"{said[0].upper()}{said[1:]} between Adam and each of {names}"
    )
    values = listed(f"{_value(first.metric, row.other)} with {_named(row)}" for row in rows)
    differences = "; ".join(
        f"{_named(row)} {_rounded(row.estimate)}{'' if isnan(row.low) else f', 95 % interval {_interval(row)}'}"
        for row in rows
    )
    return (
        f"{said}: the {METRICS[first.metric]} is {_value(first.metric, first.adam)} with Adam, {values} (differences "
        f"in {unit}: {differences}; n = {first.n} pair{'s' * (first.n > 1)} of runs each)."
    )


def _named(row: Any) -> str:
    """Return the name of a row's optimizer, and whether it was not corrected."""
    return row.optimizer + (", uncorrected" if str(row.bias_correction) == "False" else "")


def _count(optimizer: str, rows: pd.DataFrame) -> str:
    """Return on how many problems an optimizer is ahead of Adam in test accuracy, or behind it, in a sentence."""
    said, points = [outcome(row) for row in rows.itertuples()], f"{100 * ROPES['accuracy']:g} points"
    low, high = _rounded(rows["estimate"].min()), _rounded(rows["estimate"].max())
    return (
        f"{optimizer}'s test accuracy after the last epoch is higher than Adam's by more than {points} on "
        f"{said.count(f'{optimizer} is ahead')} of {len(rows)} problems, and lower by more than {points} on "
        f"{said.count('Adam is ahead')}. On {said.count(NO_DIFFERENCE)} the difference is within {points}, on "
        f"{said.count(UNDECIDED)} it is not decided. The mean differences are {low} to {high} points."
    )


def _losses(optimizer: str, rows: pd.DataFrame) -> str:
    """Return on how many problems an optimizer's test loss is the lower one, at the last epoch and at the best."""
    last, best = (rows[rows["metric"] == name] for name in ("val_loss", "best_val_loss"))
    ahead = [sum(outcome(row) == f"{optimizer} is ahead" for row in each.itertuples()) for each in (last, best)]
    ranges = [f"{_rounded(each.min())} to {_rounded(each.max())}" for each in (last["estimate"], best["estimate"])]
    return (
        f"Its test loss is lower by more than {100 * ROPES['loss']:g} % on {ahead[0]} after the last epoch, and on "
        f"{ahead[1]} at each run's best epoch, as early stopping would have it; the mean differences are {ranges[0]} % "
        f"and {ranges[1]} %."
    )


def in_words(rows: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return rows of `tuned` as a table for readers. `titles` maps studies to their titles.

    Columns that hold one value only, the problem or the optimizer, are left out.
    """
    table = pd.DataFrame(
        {
            "problem": titles.get(row.study, row.study),
            "optimizer": _named(row),
            "measure": METRICS[row.metric],
            "Adam": _value(row.metric, row.adam),
            "other": _value(row.metric, row.other),
            "difference": f"{_rounded(row.estimate)} {_unit(row.metric)}",
            "95 % interval": "" if isnan(row.low) else _interval(row),
            "n": row.n,
            "outcome": outcome(row),
        }
        for row in rows[~rows["metric"].isin([f"best_val_{each}" for each in SCORES])].itertuples()
    )
    others = rows["optimizer"].unique()
    table = table.rename(columns={"other": others[0]} if len(others) == 1 else {})
    return table.drop(
        columns=[name for name in ("problem", "optimizer") if name in table and table[name].nunique() == 1]
    )


def _value(metric: str, mean: float) -> str:
    return f"{100 * mean:.2f} %" if is_accuracy(metric) else f"{mean:.4g}".replace("-", "−")


def _interval(row: Any) -> str:
    return f"{_rounded(row.low)} to {_rounded(row.high)}"


def _unit(metric: str) -> str:
    return "points" if is_score(metric) else "%"


def _rounded(difference: float) -> str:
    """Return a difference in words; what is less than a thousandth of a point or percent is 0."""
    return number(round(difference, 3) + 0.0)
