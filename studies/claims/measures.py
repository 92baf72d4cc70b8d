"""Claims about spread, grids, failures and published numbers."""

from dataclasses import replace
from math import nan

import numpy as np
from scipy import stats

from studies.catalog import STUDIES
from studies.claims.claim import CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, SUPPORTED, Part
from studies.claims.comparisons import inconclusive, protocol, shortened, side
from studies.claims.statistics import bootstrap_interval, effect, judge, too_few
from studies.claims.words import number

CHANCE_LEVEL = 0.2  # validation accuracy on ten classes at or below which a run has failed; chance is .1 (D)


def spread_and_gap(claim, tables):
    """Return, for each study, how far the spread between runs exceeds the gap between Adam and AMSGrad.

    Spread: the standard deviation over seeds, both optimizers pooled. Both are relative to Adam's mean.
    """
    return [_spread_and_gap(claim, protocol(tables.runs), study) for study in claim.studies]


def _spread_and_gap(claim, repeats, study):
    rows = side(repeats, {"study": study})
    values = rows.pivot_table(index="seed", columns="optimizer", values=claim.metric)
    if not {"Adam", "AMSGrad"} <= set(values) or values[["Adam", "AMSGrad"]].dropna().empty:
        return Part(study, study)
    adam, amsgrad = values[["Adam", "AMSGrad"]].dropna().to_numpy().T

    n, reason = len(adam), too_few(len(adam), tested=False)
    if n == 1:
        return Part(study, study, n, verdict=INCONCLUSIVE, reason=reason, text="one run has no spread")
    low, high = bootstrap_interval((adam, amsgrad), lambda a, b, axis=-1: _spread(a, b, axis) - _gap(a, b, axis))
    spread, gap = _spread(adam, amsgrad), _gap(adam, amsgrad)
    text = f"runs spread by {number(100 * spread)} % (sd), the optimizers differ by {number(100 * gap)} %"
    part = Part(study, study, n, float(spread - gap), low, high, text=text)
    part = replace(part, verdict=judge(low, high, claim.rope, claim.direction))
    return inconclusive(inconclusive(part, shortened(study, "", rows["epochs"].min())), reason)


def _spread(adam, amsgrad, axis=-1):
    pooled = (np.var(adam, axis, ddof=1) + np.var(amsgrad, axis, ddof=1)) / 2
    return np.sqrt(pooled) / np.mean(adam, axis)


def _gap(adam, amsgrad, axis=-1):
    return np.abs(np.mean(amsgrad, axis) - np.mean(adam, axis)) / np.mean(adam, axis)


def grids(runs, study, metric):
    """Return a table (settings x optimizers) of a metric in the search, mean over the folds; NaN where one diverged."""
    search = runs[(runs["stage"] == "search") & (runs["study"] == study) & (runs["variant"] == "")]
    cells = search.groupby(["learning_rate", "beta_2", "optimizer"], dropna=False)[metric]
    return cells.agg(lambda values: values.mean(skipna=False)).unstack("optimizer")


def spread_over_the_grid(claim, tables):
    """Return, for each study, how much closer AMSGrad's losses over the grid lie together than Adam's.

    Pairs are settings: the advantage at one is the difference of the distances |log loss - median|. A setting that
    diverged counts as the worst that did not.
    """
    return [_spread_over_the_grid(claim, tables.runs, study) for study in claim.studies]


def _spread_over_the_grid(claim, runs, study):
    grid = grids(runs, study, claim.metric)
    if not {"Adam", "AMSGrad"} <= set(grid) or grid[["Adam", "AMSGrad"]].isna().all(axis=None):
        return Part(study, study)
    logs = np.log(grid[["Adam", "AMSGrad"]])
    logs = logs.fillna(logs.max(axis=None))
    distances = (logs - logs.median()).abs()
    part = effect(
        distances["Adam"] - distances["AMSGrad"], rope=claim.rope, direction=claim.direction, study=study, label=study
    )
    means = np.exp(distances.mean())
    text = f"over {part.n} settings the loss is off its median by a factor of {number(means['Adam'])} with Adam"
    text += f", of {number(means['AMSGrad'])} with AMSGrad"
    epochs = runs.loc[(runs["stage"] == "search") & (runs["study"] == study), "epochs"].min()
    return inconclusive(replace(part, text=text), shortened(study, "", epochs, stage="search"))


def chosen_settings(claim, tables):
    """Return, for each study and optimizer, whether the search chose what the source chose.

    The estimate is minus what the source's choice costs in our search, relative; one that costs less than the ROPE
    makes no practical difference.
    """
    return [
        _chosen_setting(claim, grids(tables.runs, study, claim.metric), study, optimizer, setting)
        for study in claim.studies
        for optimizer, setting in STUDIES[study].published.items()
    ]


def _chosen_setting(claim, grid, study, optimizer, published):
    label = f"{study}, {optimizer}"
    theirs = (published.learning_rate, published.beta_2)
    if optimizer not in grid or theirs not in grid.index or grid[optimizer].isna().all():
        return Part(study, label)
    ours = grid[optimizer].idxmin()
    cost = float(grid[optimizer][theirs] / grid[optimizer][ours] - 1)
    verdict = SUPPORTED if ours == theirs else NO_DIFFERENCE if cost <= claim.rope else CONTRADICTED
    text = f"our search chose α = {ours[0]:g}, β₂ = {ours[1]:g}; the source α = {theirs[0]:g}, β₂ = {theirs[1]:g}"
    text += "" if ours == theirs else f", which costs {number(100 * cost)} % more loss"
    text += "; three folds carry no interval"
    return Part(study, label, STUDIES[study].search.folds, -cost, verdict=verdict, text=text)


def failures(claim, tables, *, learning_rate):
    """Return, for each optimizer, the share of the runs at a rate that fail, less one half."""
    rows = side(protocol(tables.runs), {"study": claim.studies[0], "learning_rate": learning_rate})
    return [_failures(claim, rows[rows["optimizer"] == name], name) for name in ("Adam", "AMSGrad")]


def _failures(claim, rows, optimizer):
    study, n = claim.studies[0], len(rows)
    if not n:
        return Part(study, optimizer)
    failed = int(((rows["status"] == "diverged") | ~(rows[claim.metric] > CHANCE_LEVEL)).sum())
    test = stats.binomtest(failed, n)
    share = test.proportion_ci()
    text = f"{failed} of {n} runs fail (95 % interval {100 * share.low:.0f} to {100 * share.high:.0f} % of them)"
    low, high = share.low - 0.5, share.high - 0.5
    part = Part(study, optimizer, n, failed / n - 0.5, low, high, test.pvalue, judge(low, high, 0, "better"), text)
    return inconclusive(part, shortened(study, "", rows["epochs"].min()))


def published_accuracies(claim, tables, *, published):
    """Return, for each cell of `published`, (study, variant, optimizer) -> accuracy in %, how far we end from it."""
    repeats = protocol(tables.runs)
    return [_published_accuracy(claim, repeats, cell, accuracy) for cell, accuracy in published.items()]


def _published_accuracy(claim, repeats, cell, published):
    study, variant, optimizer = cell
    label = ", ".join(filter(None, cell))
    rows = side(repeats, {"study": study, "variant": variant, "optimizer": optimizer})
    values = rows[claim.metric].dropna()
    part = effect(values - published / 100, rope=claim.rope, direction="same", study=study, label=label)
    if not part.n:
        return part
    low, high = number(100 * part.low), number(100 * part.high)
    bounds = "" if np.isnan(part.low) else f" (95 % interval of the difference {low} to {high})"
    text = f"we reach {100 * values.mean():.2f} %, the source {published:.2f} %{bounds}"
    return inconclusive(replace(part, text=text), shortened(study, variant, rows["epochs"].min()))


def separation(claim, tables, *, variant):
    """Return how much more the effect of the decay depends on the rate with L2 than with decoupled decay.

    For each seed: the root mean square of what the sum of a rate's and a decay's effect leaves of the accuracies.
    """
    study = claim.studies[0]
    rows = protocol(tables.runs).query("study == @study and variant.str.startswith(@variant + '+')", engine="python")
    if rows.empty:
        return [Part(study, f"{study}, {variant}")]
    ways = rows["variant"].str.extract(r"\+(?P<way>.+)=(?P<decay>.+)")
    rest = (
        rows.assign(**ways)
        .groupby(["way", "seed"])[["learning_rate", "decay", claim.metric]]
        .apply(_interaction, metric=claim.metric)
    )
    rest = rest.unstack("way").reindex(columns=["l2", "decoupled"]).dropna()
    label, excess = f"{study}, {variant}", rest["l2"] - rest["decoupled"]
    part = effect(excess, rope=claim.rope, direction=claim.direction, study=study, label=label)
    if not part.n:
        return [part]
    means = 100 * rest.mean()
    text = f"choosing rate and decay apart misjudges the accuracy by {number(means['l2'])} points with L2"
    text += f", by {number(means['decoupled'])} with decoupled decay"
    return [inconclusive(replace(part, text=text), shortened(study, variant, rows["epochs"].min()))]


def _interaction(rows, metric):
    grid = rows.pivot_table(index="learning_rate", columns="decay", values=metric)
    values = grid.to_numpy()
    if not values.size or np.isnan(values).any():
        return nan
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    return float(np.sqrt(np.mean(rest**2)))
