"""The line-up from its tables: every optimizer beside Adam on each problem, and on all of them together.

Everything takes rows of runs.csv or curves.csv of the study `lineup`. Its problems are in the column `variant`. Losses
are those of test rows, unless the validation loss is named, at each run's best epoch: that of its lowest validation
loss. A run that diverged has an infinite loss.
"""

from math import exp, inf, log1p
from typing import Any

import numpy as np
import pandas as pd

from studies.catalog.lineup import FINAL, MONITOR, NAME, TUNING
from studies.catalog.metrics import rope_of
from studies.claims import aggregate
from studies.claims.aggregate import Runs
from studies.claims.statistics import TESTED, judge, mean_interval
from studies.claims.words import SCHEDULES

ADAM, AMSGRAD = "Adam", "AMSGrad"  # arms, both with bias correction
LOSS = "test_loss_at_best"
LAST = "test_loss"


def with_arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the line-up's rows of a table with the columns `problem` and `arm`, the name of what was compared."""
    own = rows[(rows["study"] == NAME) & rows["stage"].isin((TUNING, FINAL, MONITOR))]
    names = [_arm(*each) for each in zip(own["optimizer"], own["schedule"], own["bias_correction"], strict=True)]
    return own.assign(problem=own["variant"], arm=pd.Series(names, index=own.index, dtype=object))


def _arm(optimizer: str, schedule: object, corrected: object) -> str:
    words = [optimizer, "uncorrected" if str(corrected) == "False" else ""]
    return ", ".join(filter(None, [*words, SCHEDULES.get(str(schedule), "")]))


def whole_problems(runs: pd.DataFrame) -> list[str]:
    """Return the problems whose final runs are all there: as many of each arm as of the one with the most, `TESTED` or
    more, of Adam and another."""
    counts = final(runs).groupby(["problem", "arm"], sort=False).size().unstack("arm", fill_value=0)
    if ADAM not in counts or len(counts.columns) < 2:
        return []
    every = counts.min(axis=1)
    return list(counts.index[(every == counts.to_numpy().max()) & (every >= TESTED)])


def final(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the final runs; the losses of those that diverged are infinite."""
    rows = with_arms(runs)
    rows = rows[rows["stage"] == FINAL]
    losses = [name for name in (LOSS, LAST) if name in rows]
    return rows.assign(**{name: rows[name].where(rows["status"] != "diverged", inf).fillna(inf) for name in losses})


def losses_of(runs: pd.DataFrame, metric: str = LOSS) -> dict[str, dict[str, np.ndarray]]:
    """Return {arm: {problem: (seeds,)}} of the whole problems, the runs in the order of their seeds."""
    rows, names = final(runs).sort_values("seed", kind="stable"), whole_problems(runs)
    return {
        str(arm): {name: mine.loc[mine["problem"] == name, metric].to_numpy(float) for name in names}
        for arm, mine in rows.groupby("arm", sort=False)
    }


def differences(runs: pd.DataFrame, metric: str = LOSS) -> pd.DataFrame:
    """Return one row for each whole problem and arm but Adam: how far its loss is from Adam's, over pairs of runs.

    problem, arm, n         n pairs of runs with the same seed, neither of which diverged
    adam, other             the mean losses
    estimate, low, high     the difference in percent of Adam's loss, by the mean log ratio; its 95 % interval (Student)
    outcome                 supported (the arm's loss is lower by more than the ROPE), contradicted, no practical
                            difference, or inconclusive
    probability             that a run of the arm has the lower loss, of all pairs of runs
    """
    losses, found = losses_of(runs, metric), []
    for arm, problems in losses.items():
        for problem, other in problems.items() if arm != ADAM else ():
            adam = losses[ADAM][problem]
            finite = np.isfinite(adam) & np.isfinite(other) & (adam > 0) & (other > 0)
            logs = np.log(other[finite] / adam[finite])
            low, high = mean_interval(logs)
            values = (float(logs.mean()) if len(logs) else np.nan, low, high)
            estimate, low, high = (100 * (exp(each) - 1) for each in values)
            row = {"problem": problem, "arm": arm, "n": int(finite.sum())}
            row |= {"adam": adam[finite].mean(), "other": other[finite].mean()} if len(logs) else {}
            row |= {"estimate": estimate, "low": low, "high": high, "diverged": int((~np.isfinite(other)).sum())}
            row["outcome"] = judge(low, high, 100 * rope_of("val_loss"), "lower")
            row["probability"] = aggregate.probability_lower([other], [adam])
            found.append(row)
    columns = ["problem", "arm", "n", "adam", "other", "estimate", "low", "high", "diverged", "outcome", "probability"]
    return pd.DataFrame(found, columns=columns)


def relative(losses: dict[str, dict[str, np.ndarray]], arm: str) -> Runs:
    """Return the losses of an arm's runs over the median of Adam's on each problem."""
    return [losses[arm][name] / np.median(adam) for name, adam in losses[ADAM].items()]


def ranking(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each arm over all whole problems, the lowest interquartile mean first.

    iqm, iqm_low, iqm_high      interquartile mean of the losses over the median of Adam's, and its bootstrap interval
    last                        the same of the last epoch
    probability, ...            that a run of the arm has a lower loss than one of Adam, and its bootstrap interval
    better, equal, worse        Bayesian signed-rank test over the problems' mean log ratios, with the ROPE of a loss
    edges                       problems on which the chosen learning rate is the lowest or the highest of the grid
    """
    losses, last, apart = losses_of(runs), losses_of(runs, LAST), differences(runs)
    rope, at_edge, found = log1p(rope_of("val_loss")), edges(runs), []
    for arm in losses if whole_problems(runs) else ():
        mine = list(losses[arm].values())
        middle = aggregate.bootstrapped(aggregate.interquartile_mean, relative(losses, arm))
        lower = aggregate.bootstrapped(aggregate.probability_lower, mine, list(losses[ADAM].values()))
        ratios = np.log1p(apart.loc[apart["arm"] == arm, "estimate"] / 100)
        test = aggregate.signed_rank(ratios, rope)
        row: dict[str, Any] = {"arm": arm, "problems": len(mine), "iqm": middle.value, "iqm_low": middle.low}
        row |= {"iqm_high": middle.high, "last": aggregate.interquartile_mean(relative(last, arm))}
        if arm != ADAM:
            row |= {"probability": lower.value, "probability_low": lower.low, "probability_high": lower.high}
            row |= {"better": test.lower, "equal": test.same, "worse": test.higher}
        found.append(row | {"edges": int(at_edge.get(arm, 0))})
    return pd.DataFrame(found).sort_values("iqm", kind="stable") if found else pd.DataFrame(columns=["arm", "iqm"])


def profiles(runs: pd.DataFrame, limits: np.ndarray) -> pd.DataFrame:
    """Return, for each arm and limit, the share of runs whose loss is at most so many times the best arm's median."""
    losses, names = losses_of(runs), whole_problems(runs)
    best = {name: min(np.median(of_arm[name]) for of_arm in losses.values()) for name in names}
    parts = [
        pd.DataFrame({"arm": arm, "limit": limits, "share": aggregate.profile(scaled, limits)})
        for arm, mine in losses.items()
        if (scaled := [mine[name] / best[name] for name in names])
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["arm", "limit", "share"])


def chosen(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each problem and arm with final runs: the learning rate that was chosen, and those tried.

    `edge` is "lowest" or "highest" where the choice is the end of the grid, else empty.
    """
    rows = with_arms(runs)
    tried = rows[rows["stage"] == TUNING].groupby(["problem", "arm"])["learning_rate"].agg(["min", "max", "nunique"])
    kept = final(runs).groupby(["problem", "arm"], sort=False)["learning_rate"].first()
    found = tried.join(kept.rename("chosen"), how="inner").reset_index()
    edge = np.select([found["chosen"] == found["min"], found["chosen"] == found["max"]], ["lowest", "highest"], "")
    return found.assign(edge=np.where(found["nunique"] > 2, edge, ""))


def edges(runs: pd.DataFrame) -> pd.Series:
    """Return on how many problems each arm chose the lowest or the highest learning rate of the grid."""
    found = chosen(runs)
    return (found["edge"] != "").groupby(found["arm"]).sum()


def budgets(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the expected validation loss of each arm, against how many learning rates of the grid are tried at random.

    The columns are `arm`, `tried` and `loss`: the mean over the problems of the expected lowest loss (the mean over the
    seeds, each at its best epoch), over the lowest of Adam's grid; the mean is geometric. A rate with which a run
    diverged counts as the highest loss of the others.
    """
    rows = with_arms(runs)
    rows = rows[rows["stage"] == TUNING]
    losses = rows["best_val_loss"].where(rows["status"] != "diverged", inf).fillna(inf)
    means: Any = losses.groupby([rows["problem"], rows["arm"], rows["learning_rate"]], sort=False).mean()
    parts = []
    for arm in rows["arm"].unique():
        ratios = []
        for problem in rows["problem"].unique():
            if {(problem, arm), (problem, ADAM)} <= set(means.index.droplevel(2)):
                grid = means[problem, arm].to_numpy()
                lowest = aggregate.expected_lowest(_capped(grid), range(1, len(grid) + 1))
                ratios.append(lowest / means[problem, ADAM].min())
        if ratios and len({len(each) for each in ratios}) == 1:
            mean = np.exp(np.log(ratios).mean(0))
            parts.append(pd.DataFrame({"arm": arm, "tried": range(1, len(mean) + 1), "loss": mean}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["arm", "tried", "loss"])


def _capped(losses: np.ndarray) -> np.ndarray:
    """Return losses with the highest finite one in place of infinite ones: a rate that diverges is as bad as that."""
    finite = losses[np.isfinite(losses)]
    return np.minimum(losses, finite.max()) if len(finite) else losses
