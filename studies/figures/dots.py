"""Dot plots of what runs end with: paired differences with intervals, spreads, ours beside the published numbers."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from scipy import stats

from studies.figures.style import RATES, current, grid_of, hover, look_of, with_series

FINAL = ("train_loss", "val_loss", "val_accuracy")


def mean_interval(values, confidence=0.95):
    """Return the mean of the finite values and Student's interval for it, NaN for fewer than two values."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    mean = values.mean() if len(values) else np.nan
    if len(values) < 2:
        return mean, np.nan, np.nan
    half = stats.sem(values) * stats.t.ppf(0.5 + confidence / 2, len(values) - 1)
    return mean, mean - half, mean + half


def differences(runs, base, metrics=FINAL, pair=("study", "seed")):
    """Return one row for each run that is not in `base`, and metric: its value minus that of the run in `base` with the
    same `pair` columns. Both are rows of runs.csv; `base` holds one run for each pair."""
    pair = list(pair)
    others = with_series(runs).drop(index=base.index)
    found = others.merge(base[[*pair, *metrics]], on=pair, suffixes=("", "_base"))
    kept = found[["study", "variant", "schedule", "optimizer", "bias_correction", "series", "seed"]]
    parts = [kept.assign(metric=name, difference=found[name] - found[f"{name}_base"]) for name in metrics]
    return pd.concat(parts, ignore_index=True)


def plot_dots(rows, column, ax=None):
    """Draw one number of every run, a line of dots a series; below it the mean and its 95 % interval (Student)."""
    ax = current(ax)
    labels = []
    for place, (name, mine) in enumerate(rows.groupby("series", sort=False)):
        values, look = mine[column].astype(float), look_of(mine.iloc[0])
        points = ax.plot(values, np.full(len(values), place), look["marker"], color=look["color"], ms=4.5, alpha=0.6)
        hover(points[0], name)
        mean, low, high = mean_interval(values)
        ax.plot([low, high], [place + 0.28] * 2, "-", color=look["color"], lw=2)
        hover(ax.plot(mean, place + 0.28, "|", color=look["color"], ms=9, mew=2)[0], f"{name}: mean")
        labels.append(f"{name} (n = {values.notna().sum()})")
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(alpha=0.3, axis="x")
    return ax


def plot_differences(rows, ax=None, *, rope=None):
    """Draw rows of `differences` of one metric; `rope` is the half width of the band that is too small to matter."""
    ax = plot_dots(rows, "difference", ax)
    ax.axvline(0, color="black", lw=1)
    if rope is not None:
        ax.axvspan(-rope, rope, color="0.9", zorder=0)
    return ax


def final_values(runs, metrics=FINAL):
    """Return a figure with the last value of every run, one panel for each metric."""
    runs = with_series(runs)
    figure, panels = _row_of_panels(runs["series"].nunique(), len(metrics))
    for ax, metric in zip(panels, metrics, strict=True):
        plot_dots(runs, metric, ax).set_xlabel(RATES[metric])
    return figure


def paired_differences(rows, base):
    """Return a figure of rows of `differences` from the runs `base`, one panel for each metric.

    The grey band is half a percent of the baseline's mean loss, or 0.1 points of accuracy.
    """
    metrics = list(dict.fromkeys(rows["metric"]))
    figure, panels = _row_of_panels(rows["series"].nunique(), len(metrics))
    for ax, metric in zip(panels, metrics, strict=True):
        rope = 0.001 if metric.endswith("accuracy") else 0.005 * base[metric].mean()
        plot_differences(rows[rows["metric"] == metric], ax, rope=rope)
        ax.set_xlabel(f"{RATES[metric]}, minus {base['optimizer'].iloc[0]}'s")
    return figure


def plot_beside_published(rows, ax=None):
    """Draw rows of (label, published, ours, low, high): an open diamond for theirs, a dot and interval for ours."""
    ax = current(ax)
    places = np.arange(len(rows))
    errors = np.stack([rows["ours"] - rows["low"], rows["high"] - rows["ours"]]).astype(float)
    look = {"fmt": "o", "color": "#1f6fb4", "capsize": 3, "label": "ours"}
    hover(ax.errorbar(rows["ours"], places, xerr=np.nan_to_num(errors), **look)[0], "ours")
    look = {"marker": "D", "ls": "", "ms": 8, "mfc": "none", "mec": "#d1352b", "mew": 1.5, "label": "published"}
    hover(ax.plot(rows["published"], places, **look)[0], "published")
    ax.set_yticks(places, rows["label"])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.margins(x=0.08)  # room for a whole diamond
    ax.grid(alpha=0.3)
    return ax


def _row_of_panels(series, columns):
    figure, panels = grid_of(1, columns, width=10.5, height=0.6 + 0.34 * series, sharey=True)
    return figure, panels[0]
