"""Claims about the one-dimensional problems. Without chance a single walk is the answer; else seeds are repetitions."""

from dataclasses import replace
from math import nan

from studies.catalog import STUDIES
from studies.claims.claim import Part
from studies.claims.comparisons import inconclusive
from studies.claims.statistics import effect
from studies.claims.words import number

TENTH = 10  # a regret that vanishes falls while the steps grow by this factor


def ends_at(claim, tables, *, optimizer, target):
    """Return, for each problem, how far from the target the optimizer's walks end."""

    def distance(walk):
        return walk["x"].iloc[-1] - target

    return _parts(claim, tables, {optimizer: "same"}, distance, lambda value: f"x ends at {number(value + target)}")


def regret_left(claim, tables):
    """Return, for each problem, what is left of the average regret over the last tenfold of steps, against one half.

    Adam's must stay above it, AMSGrad's fall below. A regret that vanishes as t^-1/2 falls to .32.
    """

    def left(walk):
        regret = walk["average_regret"]
        before = regret[walk["t"] <= walk["t"].iloc[-1] / TENTH].iloc[-1]
        return abs(regret.iloc[-1]) / max(abs(before), 1e-300) - 0.5

    def words(value):
        return f"{number(100 * (value + 0.5))} % of the average regret is left after ten times the steps"

    stays = _parts(claim, tables, {"Adam": "better"}, left, words)
    falls = _parts(claim, tables, {"AMSGrad": "better"}, lambda walk: -left(walk), lambda value: words(-value))
    return [*stays, *falls]


def negative_gamma(claim, tables):
    """Return, for each problem, whether the inverse step size ever falls (1 as claimed, -1 not).

    With Adam it must at some step, with SGD and AMSGrad at none.
    """

    def falls(walk):
        return 1.0 if walk["gamma_min"].min() < 0 else -1.0

    def words(value):
        return "Γ is negative at some step" if value > 0 else "Γ is never negative"

    adam = _parts(claim, tables, {"Adam": "better"}, falls, words)
    others = {"SGD": "better", "AMSGrad": "better"}
    return [*adam, *_parts(claim, tables, others, lambda walk: -falls(walk), lambda value: words(-value))]


def largest_step(claim, tables):
    """Return, for each problem, by how much Adam's largest step, in units of its alpha, stays below 1."""
    return _parts(
        claim,
        tables,
        {"Adam": "no worse"},
        lambda walk: 1 - walk["largest_step"].max(),
        lambda value: f"the largest step is {number(1 - value)} α",
    )


def _parts(claim, tables, optimizers, measure, words):
    """Return a part for each optimizer and problem; `optimizers` says what direction is right for each."""
    found = []
    paths = tables.paths.reindex(columns=tables.paths.columns.union([claim.metric], sort=False))
    paths = paths.dropna(subset=[claim.metric])  # Gamma begins with the second step; older records have none
    for study in claim.studies:
        rows = paths[paths["study"] == study]
        rows = rows[(rows["variant"] == "") | rows["variant"].str.startswith("C=")]
        problems = list(rows["variant"].unique()) or [""]
        for optimizer, direction in optimizers.items():
            for problem in problems:
                mine = rows[(rows["optimizer"] == optimizer) & (rows["variant"] == problem)]
                label = ", ".join(filter(None, (study, problem, optimizer)))
                found.append(_part(replace(claim, direction=direction), study, label, mine, measure, words))
    return found


def _part(claim, study, label, rows, measure, words):
    values = [measure(walk) for _, walk in rows.groupby("seed")]
    exact = getattr(STUDIES[study], "seeds", 1) == 1  # nothing in the problem is left to chance
    part = effect(values, rope=claim.rope, direction=claim.direction, exact=exact, study=study, label=label)
    text = words(part.estimate) if part.n else ""
    part = replace(part, p=nan, text=f"{text}, nothing being left to chance" if exact else text)
    planned = STUDIES[study].steps
    steps = rows["t"].max() if part.n else planned
    return inconclusive(part, f"its walks took {steps:.0e} of {planned:.0e} steps" if steps < planned else "")


def scaled(claim, tables):
    """Return how far Adam's walk is from its walk on the same problem with all gradients scaled."""
    study = claim.studies[0]
    rows = tables.paths[(tables.paths["study"] == study) & (tables.paths["optimizer"] == "Adam")]
    plain, scaled = (rows[rows["variant"] == variant] for variant in ("", "scaled"))
    both = plain.merge(scaled, on=["seed", "t"], suffixes=("_plain", "_scaled"))
    if both.empty:
        return [Part(study, study)]
    apart = float((both["x_plain"] - both["x_scaled"]).abs().max())
    part = effect([apart], rope=claim.rope, direction=claim.direction, exact=True, study=study, label=study)
    return [replace(part, text=f"the two walks are {number(apart)} apart at most")]
