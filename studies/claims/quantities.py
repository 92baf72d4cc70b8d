"""What evidence computes of the runs of each seed, beside a metric of its one run."""

from collections.abc import Callable
from math import nan

import numpy as np
import pandas as pd

from studies.catalog.metrics import is_score
from studies.catalog.variant import Variant
from studies.claims.evidence import ByStudy, Tables, having, rows_of
from studies.claims.statistics import DIGITS
from studies.claims.words import Side

LAST_EPOCHS = 5  # over which the spread of a loss within a run is taken (D)
NEAR_BEST = 0.01  # a rate or a decay is in the range of optimal values if it can come so near the best accuracy (D)
LAST_PART = 0.8  # of a run's epochs lie before what counts as its last phase: 120 of 150

Quantity = Callable[[Tables, Side, str], pd.Series]  # of each seed, by its number


def of_run(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return the metric of each seed's one run."""
    return rows_of(tables.repeats, side).set_index("seed")[metric].astype(float)


def sd_over_grid(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, the standard deviation of the log of a loss over all settings of a grid."""
    rows = rows_of(tables.repeats, side)
    return np.log(rows[metric].astype(float)).groupby(rows["seed"]).std()


def fall_at_end(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, by what factor a loss falls over the last fifth of the epochs."""
    values = _by_epoch(tables, side, metric)
    if values.empty:
        return _none()
    return values.iloc[:, int(LAST_PART * values.shape[1]) - 1] / values.iloc[:, -1]


def spread_at_end(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, the standard deviation of a metric over the last epochs of its run."""
    return _by_epoch(tables, side, metric).iloc[:, -LAST_EPOCHS:].std(axis=1, ddof=1)


def lowest(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, the lowest value of a metric in any epoch."""
    return _by_epoch(tables, side, metric).min(axis=1)


def gap_of_losses(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, the ratio of the final test loss to the final training loss."""
    rows = rows_of(tables.repeats, side).set_index("seed")
    return rows["val_loss"].astype(float) / rows["train_loss"].astype(float)


def interaction(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, how much the effect of the decay on a metric depends on the learning rate.

    It is the root mean square of what the sum of a rate's and a decay's effect leaves of the metric over the grid. An
    accuracy counts as it is, a loss by its log.
    """
    return _interaction(*_decays(tables, side), metric)


def interaction_near_best(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return the same over the range of optimal values: rates and decays that can come near the best accuracy."""
    rows, way = _decays(tables, side)
    means = rows.groupby(["learning_rate", way])["val_accuracy"].mean()
    for column in ("learning_rate", way):
        near = means.groupby(column).max().round(DIGITS) >= round(means.max() - NEAR_BEST, DIGITS)
        rows = rows[rows[column].isin(near.index[near])]
    return _interaction(rows, way, metric)


def _interaction(rows: pd.DataFrame, way: str, metric: str) -> pd.Series:
    found = {}
    for seed, mine in rows.groupby("seed"):
        grid = mine.pivot_table(index="learning_rate", columns=way, values=metric, dropna=False).to_numpy(float)
        grid = grid if is_score(metric) else np.log(grid)
        rest = grid - grid.mean(axis=0) - grid.mean(axis=1, keepdims=True) + grid.mean()
        found[seed] = float(np.sqrt(np.mean(rest**2)))
    return pd.Series(found, dtype=float)


def best_decay(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, the strength of the decay at which a loss is lowest."""
    rows, way = _decays(tables, side)
    rows = rows[rows[way] > 0]
    return rows.loc[rows.groupby("seed")[metric].idxmin()].set_index("seed")[way] if len(rows) else _none()


def best_normalized_decay(tables: Tables, side: Side, metric: str) -> pd.Series:
    """Return, for each seed, the normalised strength at which a loss is lowest: decay x sqrt(updates).

    Source: Loshchilov and Hutter 2019, appendix B.1, whose decay is `normalized / sqrt(updates)`.
    """
    rows = rows_of_variant(tables.repeats, side)
    updates = rows["epochs"].max() if len(rows) else nan  # the data and batches are the same: epochs count
    return best_decay(tables, side, metric) * np.sqrt(updates)


def rows_of_variant(table: ByStudy, side: Side) -> pd.DataFrame:
    """Return the rows that have the values of a side, and at least the parts that its variant names."""
    wanted = Variant.parse(side.get("variant"))
    names = [part.partition("=")[0] for part in wanted.parts]
    rows = having(table[side["study"]], {column: value for column, value in side.items() if column != "variant"})
    kept = [all(name in each for name in names) for each in map(Variant.parse, rows["variant"])]
    return rows[np.array(kept, dtype=bool)]


def _decays(tables: Tables, side: Side) -> tuple[pd.DataFrame, str]:
    """Return (rows with a column of the strengths of the decay, its name: the last part of the side's variant)."""
    way = Variant.parse(side["variant"]).parts[-1]
    rows = rows_of_variant(tables.repeats, side)
    return rows.assign(**{way: [float(Variant.parse(each).value(way) or nan) for each in rows["variant"]]}), way


def _by_epoch(tables: Tables, side: Side, metric: str) -> pd.DataFrame:
    """Return a metric of the repeated runs, (seeds, epochs)."""
    rows = rows_of(tables.repeated_curves, side)
    return rows.pivot_table(index="seed", columns="epoch", values=metric) if len(rows) else pd.DataFrame()


def _none() -> pd.Series:
    return pd.Series(dtype=float)


QUANTITIES: dict[str, tuple[Quantity, str]] = {
    "": (of_run, ""),
    "sd over the grid": (sd_over_grid, "the sd of the log {metric} over the grid"),
    "fall at the end": (fall_at_end, "the factor by which the {metric} falls over the last fifth of the epochs"),
    "spread at the end": (spread_at_end, f"the sd of the {{metric}} over the last {LAST_EPOCHS} epochs"),
    "lowest": (lowest, "the lowest {metric} of any epoch"),
    "gap of losses": (gap_of_losses, "the ratio of the validation loss to the training loss"),
    "interaction": (interaction, "the part of the {metric} that rate and decay do not explain apart"),
    "interaction near the best": (
        interaction_near_best,
        "the part of the {metric} that rate and decay do not explain apart, in the range of optimal values",
    ),
    "best decay": (best_decay, "the decay with the lowest {metric}"),
    "best normalised decay": (best_normalized_decay, "the normalised decay with the lowest {metric}"),
}

OF_EPOCHS = ("fall at the end", "spread at the end", "lowest", "gap of losses")
