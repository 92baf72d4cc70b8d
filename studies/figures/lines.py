"""Curves against the epoch: each function takes rows of curves.csv and axes, draws, and returns the axes."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from studies.figures.style import RATES, current, grid_of, hover, legend_above, look_of, loss_axis, said, with_series

KEPT = 60  # points of a line that are drawn, so that the page of a long study stays small; its CSV has them all
RUN = ["series", "study", "variant", "optimizer", "bias_correction", "schedule", "learning_rate", "beta_2", "seed"]


def by_series(names):
    """Return the legend's label and the line style of a run: its series', as `with_series` tells them apart."""
    return names["series"], look_of(names) | {"marker": ""}


def plot_curves(curves, rate, ax=None, *, series=by_series, **line):
    """Draw one rate (a column of `curves`) of every run against the epoch; a cross marks where one diverged.

    `series` maps what tells runs apart (a dict of the columns RUN) to a label and a line style.
    """
    ax, curves = current(ax), with_series(curves)
    for names, run in curves.groupby(RUN, sort=False, dropna=False):
        names, run = dict(zip(RUN, names, strict=True)), run.sort_values("epoch")
        label, look = series(names)
        seen = label in ax.get_legend_handles_labels()[1]
        drawn, look = thinned(run), {"lw": 1, "alpha": 0.85} | line | look
        path = ax.plot(drawn["epoch"], drawn[rate], label=None if seen else label, **look)[0]
        hover(path, f"{label}, seed {names['seed']}")
        _mark_divergence(run, rate, ax, look["color"])
    ax.grid(alpha=0.3)
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))  # epochs are whole
    if rate.endswith("loss") and curves[rate].gt(0).any():
        loss_axis(ax.yaxis)
    return ax


def thinned(run, kept=KEPT):
    """Return about `kept` rows of a run: all of the first epochs, then evenly spaced ones, and the last."""
    if len(run) <= kept:
        return run
    late = np.linspace(10, len(run) - 1, kept - 10).round().astype(int)
    return run.iloc[np.unique(np.concatenate([np.arange(10), late]))]


def first_runs(curves):
    """Return the curves of the first seed of each study and variant."""
    return curves[curves["seed"] == curves.groupby(["study", "variant"], dropna=False)["seed"].transform("min")]


def last_epochs(curves, share):
    """Return the rows of the last `share` of the epochs."""
    return curves[curves["epoch"] > curves["epoch"].max() * (1 - share)]


def four_rates(curves, series=by_series):
    """Return a figure with every run: training and test, loss (log scale) and accuracy, against the epoch."""
    figure, panels = grid_of(2, 2, height=2.9, sharex=True)
    for ax, rate in zip(panels.ravel(), RATES, strict=True):
        plot_curves(curves, rate, ax, series=series).set_title(RATES[rate])
    for ax in panels[1]:
        ax.set_xlabel("epoch")
    legend_above(figure, panels.ravel())
    return figure


def side_by_side(curves, by, rates=("train_loss", "val_loss"), series=by_series, sharey="row", **line):
    """Return a figure with a row of panels for each rate and a column for each group of the columns `by`."""
    groups = list(curves.groupby(by, sort=False, dropna=False))
    width = min(13.0, max(5.0, 3.2 * len(groups)))
    figure, panels = grid_of(len(rates), len(groups), width=width, height=2.3, sharex="col", sharey=sharey)
    for column, (names, rows) in zip(panels.T, groups, strict=True):
        for ax, rate in zip(column, rates, strict=True):
            plot_curves(rows, rate, ax, series=series, **line)
        column[0].set_title("\n".join(filter(None, map(said, names))))
        column[-1].set_xlabel("epoch")
    for ax, rate in zip(panels[:, 0], rates, strict=True):
        ax.set_ylabel(RATES[rate])
    legend_above(figure, panels.ravel())
    return figure


def _mark_divergence(run, rate, ax, color):
    values = run[rate].to_numpy(float)
    good = np.isfinite(values)
    if good.any() and not good[-1]:
        last = np.flatnonzero(good)[-1]
        ax.plot(run["epoch"].iloc[last], values[last], "x", color=color, ms=6, mew=1.5)
