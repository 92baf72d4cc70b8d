"""What pages say of the line-up: sentences, pictures and tables, from its rows of runs.csv and curves.csv."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from studies.catalog.lineup import MEASURES, STATEMENT, LineupStudy, Statement
from studies.catalog.metrics import ROPES
from studies.catalog.problems import PROBLEMS
from studies.claims import lineup, paying
from studies.claims.lineup import ADAM, AMSGRAD
from studies.claims.targets import epochs_to_target
from studies.claims.words import CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, SUPPORTED, listed, number
from studies.figures import Drawing
from studies.figures import lineup as drawn

ENOUGH = 6  # problems; of fewer nothing is said of all together in a sentence
POINTS = f"{100 * ROPES['loss']:g} %"


class About(NamedTuple):
    """What a line-up's studies say of its problems, by name, in the order of the catalog."""

    titles: dict[str, str]
    targets: dict[str, float]
    held_out: list[str]

    @classmethod
    def of(cls, studies: Sequence[Any]) -> "About":
        """Return it of studies; those that are not of the line-up do not count."""
        own = {str(each.variant): each for each in studies if isinstance(each, LineupStudy)}
        ordered = [problem.name for problem in PROBLEMS if problem.name in own]
        own = {name: own[name] for name in ordered} | own  # then those that a user has registered
        titles, targets = ({name: getattr(each, what) for name, each in own.items()} for what in ("title", "target"))
        return cls(titles, targets, [name for name, each in own.items() if each.held_out])


def sentences(runs: pd.DataFrame, held_out: Sequence[str], statement: Statement | None = STATEMENT) -> list[str]:
    """Return what the line-up says, in sentences; nothing where no problem is whole."""
    apart = lineup.differences(runs)
    if apart.empty:
        return []
    ranked = lineup.ranking(runs)
    said = [_of_amsgrad(apart, ranked), _of_all(apart, ranked), _of_edges(runs)]
    return [each for each in said if each] + paying.in_words(paying.advantages(runs, held_out), statement)


def _of_amsgrad(apart: pd.DataFrame, ranked: pd.DataFrame) -> str:
    """Return on how many problems AMSGrad's loss is the lower one, and what the problems say together."""
    mine = apart[apart["arm"] == AMSGRAD]
    if mine.empty:
        return ""
    count, row = mine["outcome"].value_counts(), ranked.set_index("arm").loc[AMSGRAD]
    n, problems = mine["n"].max(), f"{len(mine)} problem{'s' * (len(mine) > 1)}"
    counts = (
        f"In the line-up of {problems}, all optimizers tuned alike, {AMSGRAD}'s test loss is lower than {ADAM}'s by "
        f"more than {POINTS} on {count.get(SUPPORTED, 0)} and higher on {count.get(CONTRADICTED, 0)}; on "
        f"{count.get(NO_DIFFERENCE, 0)} the difference is within {POINTS}, on {count.get(INCONCLUSIVE, 0)} it is not "
        f"decided (at most {n:.0f} pairs of runs on each)."
    )
    if len(mine) < ENOUGH:
        return counts
    return (
        f"{counts} Over the problems, the probability that {AMSGRAD} is better, equal, worse is "
        f"{number(row['better'])}, {number(row['equal'])}, {number(row['worse'])} (Bayesian signed-rank test with "
        f"{POINTS} as the smallest difference that matters)."
    )


def _of_all(apart: pd.DataFrame, ranked: pd.DataFrame) -> str:
    """Return which optimizers lie below Adam over all problems, and which above, by the interquartile mean."""
    if apart["problem"].nunique() < ENOUGH:
        return ""
    others = ranked[ranked["arm"] != ADAM]
    below = [_with_interval(row) for row in others[others["iqm_high"] < 1].itertuples()]
    above = [_with_interval(row) for row in others[others["iqm_low"] > 1].itertuples()]
    rest = len(others) - len(below) - len(above)
    told = f"{listed(below)} below it" if below else "no optimizer below it"
    told += f", {listed(above)} above it" if above else ", none above it"
    return (
        f"Of {len(others)} other optimizers, the interquartile mean of the test loss over the median of {ADAM}'s has "
        f"1 outside its 95 % interval for {len(below) + len(above)}: {told}; for {rest} the interval holds 1."
    )


def _with_interval(row: Any) -> str:
    return f"{row.arm} ({number(row.iqm)}, {number(row.iqm_low)} to {number(row.iqm_high)})"


def _of_edges(runs: pd.DataFrame) -> str:
    """Return how often the chosen learning rate is an end of the grid, so that a better one may lie beyond."""
    found = lineup.chosen(runs)
    found = found[found["problem"].isin(lineup.whole_problems(runs))]
    at_edge = found[found["edge"] != ""]
    if found.empty:
        return ""
    arms = at_edge["arm"].value_counts()
    named = f": {listed(f'{count} of {arm}' for arm, count in arms.items())}" if len(at_edge) else ""
    return (
        f"The learning rate that was chosen is the lowest or the highest of the grid in {len(at_edge)} of {len(found)} "
        f"searches{named}."
    )


def with_own(runs: pd.DataFrame, titles: Mapping[str, str], own: pd.DataFrame) -> pd.DataFrame:
    """Return AMSGrad's difference on each problem and in each comparison of one's own, in ascending order.

    `own` are rows of `answer.tuned` with the titles of the comparisons in `study`. The columns are `problem`,
    `estimate`, `low`, `high` and `own`.
    """
    apart = lineup.differences(runs)
    problems = apart[apart["arm"] == AMSGRAD].assign(own=False)
    problems["problem"] = [titles.get(each, each) for each in problems["problem"]]
    mine = own[(own["optimizer"] == AMSGRAD) & (own["metric"] == "best_val_loss")]
    mine = mine.assign(problem=mine["study"], own=True)
    columns = ["problem", "estimate", "low", "high", "own"]
    found = pd.concat([part[columns] for part in (problems, mine) if len(part)] or [problems[columns]])
    return found.sort_values("estimate", kind="stable", ignore_index=True)


def drawings(runs: pd.DataFrame, about: About, own: pd.DataFrame) -> list[Drawing]:
    """Return the figures of the line-up; none where no problem is whole. `own` is as `with_own` takes it."""
    apart, where = lineup.differences(runs), paying.advantages(runs, about.held_out)
    if apart.empty:
        return []
    found = [
        drawn.beside_adam(apart, about.titles),
        drawn.together(lineup.profiles(runs, drawn.LIMITS), lineup.budgets(runs)),
    ]
    measured = where.dropna(subset=list(MEASURES))
    found += [drawn.paying(measured)] if len(measured) else []
    rows = with_own(runs, about.titles, own)
    return [*found, drawn.forest(rows)] if rows["own"].any() else found


def ranked(runs: pd.DataFrame) -> pd.DataFrame:
    """Return `claims.lineup.ranking` as a table for readers."""
    rows = []
    for row in lineup.ranking(runs).itertuples():
        cells: dict[str, Any] = {"optimizer": row.arm, "test loss over Adam's": number(row.iqm)}
        cells |= {"95 % interval": f"{number(row.iqm_low)} to {number(row.iqm_high)}", "last epoch": number(row.last)}
        if row.arm != ADAM:
            interval = f"{number(row.probability_low)} to {number(row.probability_high)}"
            cells["P(run lower than Adam's)"] = f"{number(row.probability)} ({interval})"
            cells["P(better), P(equal), P(worse)"] = ", ".join(map(number, (row.better, row.equal, row.worse)))
        rows.append(cells | {"α at an edge": row.edges})
    return pd.DataFrame(rows).fillna("")


def epochs(curves: pd.DataFrame, about: About) -> pd.DataFrame:
    """Return the median epochs of every optimizer to each problem's target, "–" where fewer than half reach it."""
    found = epochs_to_target(curves, about.targets)
    if found.empty:
        return pd.DataFrame()
    cells = found.assign(epochs=[f"{each:g}" if np.isfinite(each) else "–" for each in found["epochs"]])
    table = cells.pivot(index="problem", columns="arm", values="epochs").reindex(
        index=list(dict.fromkeys(found["problem"])), columns=list(dict.fromkeys(found["arm"]))
    )
    titles = {name: f"{about.titles[name]}: {target:g}" for name, target in about.targets.items()}
    return table.rename(index=titles).rename_axis(index="problem, target").reset_index().fillna("")


def learning_rates(runs: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the learning rate that was chosen for every optimizer on each problem; one at an edge has a star."""
    found = lineup.chosen(runs)
    cells = [f"{row.chosen:g}" + " *" * bool(row.edge) for row in found.itertuples()]
    table = found.assign(cell=cells).pivot(index="problem", columns="arm", values="cell")
    return table.rename(index=dict(titles)).reset_index().fillna("")
