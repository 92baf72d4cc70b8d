"""Where AMSGrad pays: its advantage on each problem of the line-up, beside what was measured there with Adam."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

from studies.catalog.lineup import MEASURES, MONITOR, Statement
from studies.claims.aggregate import rank_correlation
from studies.claims.lineup import AMSGRAD, differences, with_arms
from studies.claims.words import CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED, number

COLUMNS = ["problem", "held_out", "n", "estimate", "low", "high", "outcome", *MEASURES]


def advantages(runs: pd.DataFrame, held_out: Collection[str]) -> pd.DataFrame:
    """Return AMSGrad's row of `lineup.differences` on each whole problem, with Adam's `MEASURES` there.

    `held_out` names the problems that are held out, of which the column `held_out` says so.
    """
    apart = differences(runs)
    rows = with_arms(runs)
    monitored = rows[rows["stage"] == MONITOR].set_index("problem").reindex(columns=list(MEASURES))
    mine = apart[apart["arm"] == AMSGRAD].join(monitored, on="problem")
    return mine.assign(held_out=mine["problem"].isin(held_out)).reindex(columns=COLUMNS)


def right(rows: pd.DataFrame, statement: Statement) -> list[bool]:
    """Return, for each row of `advantages`, whether a statement is right about it."""
    values = rows[statement.measure] if statement.measure else [np.nan] * len(rows)
    return [statement.predicts(x) == (said == SUPPORTED) for x, said in zip(values, rows["outcome"], strict=True)]


def proposed(rows: pd.DataFrame) -> Statement:
    """Return the statement that is right on most rows of `advantages`, of those that are not held out.

    Thresholds lie halfway between neighbouring values. Of several that are right equally often it is the simplest,
    "nowhere", or else the first.
    """
    rows = rows[~rows["held_out"].astype(bool)]
    statements = [Statement(""), *_with_thresholds(rows)]
    return max(statements, key=lambda each: sum(right(rows, each)))


def _with_thresholds(rows: pd.DataFrame) -> Iterable[Statement]:
    for measure in MEASURES:
        values = np.unique(rows[measure].dropna())
        for threshold in (values[1:] + values[:-1]) / 2:
            yield from (Statement(measure, above, float(f"{threshold:.4g}")) for above in (True, False))


def judged(rows: pd.DataFrame, statement: Statement | None) -> str:
    """Return the verdict of the rows of `advantages` that are held out on a statement.

    It is supported where it is right on all of them, contradicted where it is wrong on half of them or more.
    """
    rows = rows[rows["held_out"].astype(bool)]
    if statement is None or rows.empty:
        return NOT_RUN
    good = sum(right(rows, statement))
    return SUPPORTED if good == len(rows) else CONTRADICTED if 2 * good <= len(rows) else INCONCLUSIVE


def stated(statement: Statement) -> str:
    """Return a statement as a sentence.

    >>> stated(Statement("train_tail_index", above=False, threshold=2.5))
    "AMSGrad's test loss is lower than Adam's by more than 1 % where the tail index of the gradients is below 2.5, and \
nowhere else."
    """
    pays = "AMSGrad's test loss is lower than Adam's by more than 1 %"
    if not statement.measure:
        return f"{pays} on no problem."
    side = "above" if statement.above else "below"
    return f"{pays} where {MEASURES[statement.measure]} is {side} {number(statement.threshold)}, and nowhere else."


def in_words(rows: pd.DataFrame, statement: Statement | None) -> list[str]:
    """Return what rows of `advantages` say of where AMSGrad pays, in sentences: correlations, and the verdict."""
    said = []
    if len(rows) > 2:
        found = {measure: rank_correlation(rows[measure], -rows["estimate"]) for measure in MEASURES}
        told = "; ".join(f"{MEASURES[name]} {number(r)} (p = {number(p)})" for name, (r, p) in found.items())
        said.append(
            f"Rank correlations of AMSGrad's advantage in test loss with what was measured with Adam, over {len(rows)} "
            f"problems: {told}."
        )
    verdict, own = judged(rows, statement), rows[rows["held_out"].astype(bool)]
    if statement is not None and verdict != NOT_RUN:
        said.append(
            f"Stated before the problems held out were run: “{stated(statement)}” It is right on "
            f"{sum(right(own, statement))} of these {len(own)}: {verdict}."
        )
    return said


def values(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of `advantages` as a table for readers."""
    return [
        {
            "problem": row.problem + " (held out)" * bool(row.held_out),
            "AMSGrad's test loss less Adam's, %": number(row.estimate),
            "95 % interval": f"{number(row.low)} to {number(row.high)}",
            **{name: number(getattr(row, column)) for column, name in MEASURES.items()},
        }
        for row in rows.itertuples()
    ]
