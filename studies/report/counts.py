"""The answer to "does AMSGrad beat Adam?" in one table: on how many problems which of the two is ahead."""

from typing import Any

import pandas as pd

from studies.claims import lineup
from studies.claims.words import CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, SUPPORTED
from studies.report.answer import METRICS, UNDECIDED, outcome, tuned

AHEAD, BEHIND = "AMSGrad is ahead", "Adam is ahead"
OUTCOMES = {SUPPORTED: AHEAD, CONTRADICTED: BEHIND, NO_DIFFERENCE: NO_DIFFERENCE, INCONCLUSIVE: UNDECIDED}
OF_SOURCES, OF_LINEUP = "published comparisons", "line-up"
IN_LINEUP = {
    lineup.LOSS: "test loss at the epoch with the lowest validation loss",
    lineup.LAST: METRICS["val_loss"],
}


def counts(runs: pd.DataFrame, of_lineup: pd.DataFrame) -> pd.DataFrame:
    """Return on how many problems AMSGrad is ahead of Adam, and the other way, by each measure.

    `runs` and `of_lineup` have the columns of runs.csv, the latter with the rows of the line-up, and may be empty. The
    result has one row for each measure of the published comparisons, as `answer.tuned` takes them, then one for each of
    the line-up. The columns are `comparison`, `measure`, `problems`, the four outcomes, and `pairs of runs`, which are
    those of each problem.
    """
    own = tuned(runs).query("optimizer == 'AMSGrad' and metric != 'best_val_accuracy'")
    own = own.assign(
        comparison=OF_SOURCES, measure=own["metric"].map(METRICS), outcome=[outcome(row) for row in own.itertuples()]
    )
    parts = [own]
    for metric, measure in IN_LINEUP.items() if len(of_lineup) else ():
        mine = lineup.differences(of_lineup, metric)
        mine = mine[mine["arm"] == lineup.AMSGRAD]
        parts.append(mine.assign(comparison=OF_LINEUP, measure=measure, outcome=mine["outcome"].map(OUTCOMES)))
    rows = [row for part in parts for row in _rows(part)]
    return pd.DataFrame(rows, columns=["comparison", "measure", "problems", *OUTCOMES.values(), "pairs of runs"])


def _rows(problems: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row of `counts` for each measure."""
    return [
        {"comparison": comparison, "measure": measure, "problems": len(mine)}
        | {each: sum(mine["outcome"] == each) for each in OUTCOMES.values()}
        | {"pairs of runs": " to ".join(str(n) for n in dict.fromkeys((mine["n"].min(), mine["n"].max())))}
        for (comparison, measure), mine in problems.groupby(["comparison", "measure"], sort=False)
    ]
