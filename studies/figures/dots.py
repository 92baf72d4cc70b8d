"""Dot plots of what runs end with: paired differences with intervals, spreads, ours beside the published numbers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from studies.catalog.metrics import is_score, rope_of, score_in
from studies.claims.statistics import mean_interval
from studies.figures.style import RATES, Look, both_signs, current, grid_of, hover, look_of, loss_axis, with_series

KEPT = [
    *("study", "variant", "schedule", "optimizer", "bias_correction", "learning_rate", "beta_2", "seed"),
    *("series", "legend"),
]
WIDE = 10  # of losses, largest over smallest; beyond, their axis is logarithmic
NEAR = 5  # times the smallest difference that matters; up to there, such an axis is linear
FAR = 50  # times the smallest difference that matters; beyond, an axis is logarithmic


def final_metrics(runs: pd.DataFrame) -> list[str]:
    """Return what to show of the last epoch of a study's runs: both losses, and the score of the test rows."""
    return ["train_loss", "val_loss", f"val_{score_in(runs)}"]


def differences(
    runs: pd.DataFrame,
    base: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    pair: Sequence[str] = ("study", "seed"),
) -> pd.DataFrame:
    """Return one row for each run that is not in `base`, and metric: how far it is from the run in `base` with the same
    `pair` columns, an accuracy or R² in points, a loss in percent (by the log ratio). Both are rows of runs.csv; `base`
    holds one run for each pair. By default the metrics are those of `final_metrics`."""
    pair, metrics = list(pair), metrics or final_metrics(runs)
    others = with_series(runs).drop(index=base.index)
    found = others.merge(base[[*pair, *metrics]], on=pair, suffixes=("", "_base"))
    kept = found[KEPT]
    parts = [kept.assign(metric=name, difference=_apart(name, found[name], found[f"{name}_base"])) for name in metrics]
    return pd.concat(parts, ignore_index=True)


def _apart(metric: str, values: pd.Series, base: pd.Series) -> pd.Series:
    return 100 * (values - base) if is_score(metric) else 100 * (values.astype(float) / base - 1)


def plot_dots(rows: pd.DataFrame, column: str, ax: Axes | None = None, *, ratios: bool = False) -> Axes:
    """Draw one number of every run, a line of dots a series; below it the mean and its 95 % interval (Student's t).

    `rows` are from `with_series`. A series of fewer than 5 runs has no interval. `ratios`: the numbers are differences
    in percent, of which the mean and the interval are those of the log ratios.
    """
    ax = current(ax)
    labels = []
    for place, (name, mine) in enumerate(rows.groupby("series", sort=False)):
        values, look = mine[column].astype(float), look_of(mine.iloc[0])
        points = ax.plot(values, np.full(len(values), place), look["marker"], color=look["color"], ms=4.5, alpha=0.6)
        hover(points[0], name)
        mean, low, high = middle(values, ratios)
        ax.plot([low, high], [place + 0.28] * 2, "-", color=look["color"], lw=2)
        hover(ax.plot(mean, place + 0.28, "|", color=look["color"], ms=9, mew=2)[0], f"{name}: mean")
        settings = mine["legend"].iloc[0].removeprefix(str(name)).removeprefix(", ")
        labels.append(f"{name} (n = {values.notna().sum()})" + f"\n{settings}" * bool(settings))
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(alpha=0.3, axis="x")
    return ax


def middle(values: pd.Series, ratios: bool) -> tuple[float, float, float]:
    """Return the mean of numbers and its 95 % interval; of `ratios`, which are in percent, by their logs.

    >>> [round(each, 2) for each in middle(pd.Series([-50.0, 100.0] * 3), ratios=True)]
    [0.0, -54.92, 121.85]
    """
    if not ratios:
        return float(values.mean()), *mean_interval(values)
    logs = np.log1p(values / 100)
    mean, low, high = (float(100 * np.expm1(each)) for each in (logs.mean(), *mean_interval(logs)))
    return mean, low, high


def plot_differences(rows: pd.DataFrame, ax: Axes | None = None, *, rope: float | None = None) -> Axes:
    """Draw rows of `differences` of one metric; `rope` is the half width of the band that is too small to matter."""
    ax = plot_dots(rows, "difference", ax, ratios=not is_score(rows["metric"].iloc[0]))
    ax.axvline(0, color="black", lw=1)
    if rope is not None:
        ax.axvspan(-rope, rope, color="0.85", zorder=0)
        if rows["difference"].abs().max() > FAR * rope:  # one bad arm must not squeeze the others
            both_signs(ax, "x", rows["difference"], NEAR * rope, first=NEAR * rope)
    return ax


def final_values(runs: pd.DataFrame) -> Figure:
    """Return a figure with the last value of every run, one panel for each metric."""
    runs, metrics = with_series(runs), final_metrics(runs)
    figure, panels = _row_of_panels(runs, len(metrics))
    for ax, metric in zip(panels, metrics, strict=True):
        plot_dots(runs, metric, ax).set_xlabel(RATES[metric])
        values = runs[metric].dropna()
        if not is_score(metric) and 0 < WIDE * values.min() < values.max():
            loss_axis(ax, "x")
    return figure


def paired_differences(rows: pd.DataFrame, base: pd.DataFrame) -> Figure:
    """Return a figure of rows of `differences` from the runs `base`, one panel for each metric.

    The grey band is the smallest difference that matters, see `studies.catalog.metrics`.
    """
    metrics = list(dict.fromkeys(rows["metric"]))
    figure, panels = _row_of_panels(rows, len(metrics))
    for ax, metric in zip(panels, metrics, strict=True):
        plot_differences(rows[rows["metric"] == metric], ax, rope=100 * rope_of(metric))
        unit = "points" if is_score(metric) else "%"
        ax.set_xlabel(f"{RATES[metric]} less {base['optimizer'].iloc[0]}'s, {unit}")
    return figure


def plot_beside_published(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw rows of (label, published, ours, low, high): an open diamond for theirs, a dot and interval for ours."""
    ax = current(ax)
    places = np.arange(len(rows))
    errors = np.stack([rows["ours"] - rows["low"], rows["high"] - rows["ours"]]).astype(float)
    ours: Look = {"fmt": "o", "color": "#1f6fb4", "capsize": 3, "label": "ours"}
    hover(ax.errorbar(rows["ours"], places, xerr=np.nan_to_num(errors), **ours)[0], "ours")
    theirs: Look = {"marker": "D", "ls": "", "ms": 8, "mfc": "none", "mec": "#d1352b", "mew": 1.5, "label": "published"}
    hover(ax.plot(rows["published"], places, **theirs)[0], "published")
    ax.set_yticks(places, rows["label"])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.margins(x=0.08)  # room for a whole diamond
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(alpha=0.3)
    return ax


def _row_of_panels(rows: pd.DataFrame, columns: int) -> tuple[Figure, np.ndarray]:
    each = 0.34 if rows["series"].equals(rows["legend"]) else 0.42  # settings take a line of their own
    figure, panels = grid_of(1, columns, width=10.5, height=0.6 + each * rows["series"].nunique(), sharey=True)
    return figure, panels[0]
