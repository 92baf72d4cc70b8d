"""How many epochs every optimizer of the line-up takes to a problem's target, a validation loss."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from studies.catalog.lineup import FINAL
from studies.claims.lineup import with_arms


def epochs_to_target(curves: pd.DataFrame, targets: Mapping[str, float]) -> pd.DataFrame:
    """Return one row for each problem of `targets` and arm: in which epoch its final runs reach the target.

    problem, arm, runs    the number of final runs
    reached               the share of them whose validation loss was at most the target after some epoch
    epochs                the median over all runs of the first such epoch, from 1; infinity for a run that has none
    """
    rows = with_arms(curves)
    rows = rows[(rows["stage"] == FINAL) & rows["problem"].isin(list(targets))]
    reached = rows["val_loss"] <= rows["problem"].map(targets).astype(float)
    first = rows["epoch"].where(reached, np.inf).groupby([rows["problem"], rows["arm"], rows["seed"]], sort=False).min()
    of_arm = first.groupby(level=["problem", "arm"], sort=False)
    found = of_arm.agg(runs="size", reached=lambda each: np.isfinite(each).mean(), epochs="median")
    return found.reset_index()
