"""Curves against the epoch: each function takes rows of curves.csv and axes, draws, and returns the axes."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from studies.catalog import heading_of
from studies.catalog.metrics import names_of, score_in
from studies.catalog.variant import Variant, common
from studies.figures.style import (
    RATES,
    Look,
    current,
    grid_of,
    hover,
    legend_above,
    look_of,
    loss_axis,
    said,
    settings_of,
    text,
    with_series,
)

Run = Mapping[str, Any]  # what tells a run apart: the columns `RUN`
Series = Callable[[Run], tuple[str, Look]]

COLUMNS = 4  # of panels in a line, where each is a study
WIDTH = 32  # characters of a line of a panel's title
KEPT = 60  # points of a line that are drawn, so that the page of a long study stays small; its CSV has them all
RUN = [
    "series",
    "legend",
    "study",
    "variant",
    "optimizer",
    "bias_correction",
    "schedule",
    "learning_rate",
    "beta_2",
    "seed",
]


def by_series(names: Run) -> tuple[str, Look]:
    """Return the legend's label and the line style of a run: its series', as `with_series` tells them apart."""
    return names["legend"], look_of(names) | {"marker": ""}


def by_name(names: Run) -> tuple[str, Look]:
    """Return the same with the series' name alone, without its settings."""
    return names["series"], look_of(names) | {"marker": ""}


def plot_curves(
    curves: pd.DataFrame, rate: str, ax: Axes | None = None, *, series: Series = by_series, **line: Any
) -> Axes:
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
        loss_axis(ax)
    return ax


def thinned(run: pd.DataFrame) -> pd.DataFrame:
    """Return about `KEPT` rows of a run: all of the first epochs, then evenly spaced ones, and the last."""
    if len(run) <= KEPT:
        return run
    late = np.linspace(10, len(run) - 1, KEPT - 10).round().astype(int)
    return run.iloc[np.unique(np.concatenate([np.arange(10), late]))]


def first_runs(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of the first seed of each study and variant."""
    return curves[curves["seed"] == curves.groupby(["study", "variant"], dropna=False)["seed"].transform("min")]


def last_epochs(curves: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the rows of the last `share` of the epochs."""
    return curves[curves["epoch"] > curves["epoch"].max() * (1 - share)]


def four_rates(curves: pd.DataFrame) -> Figure:
    """Return a figure with every run: training and test, loss (log scale) and score, against the epoch."""
    figure, panels = grid_of(2, 2, height=2.9, sharex=True)
    for ax, (rate, name) in zip(panels.ravel(), names_of("test", score_in(curves)).items(), strict=True):
        plot_curves(curves, rate, ax).set_title(name)
    for ax in panels[1]:
        ax.set_xlabel("epoch")
    legend_above(figure, panels.ravel())
    return figure


def side_by_side(
    curves: pd.DataFrame,
    by: list[str],
    rates: Sequence[str] = ("train_loss", "val_loss"),
    series: Series = by_series,
    sharey: bool | str = "row",
    **line: Any,
) -> Figure:
    """Return a figure with a row of panels for each rate and a column for each group of the columns `by`."""
    groups = list(curves.groupby(by, sort=False, dropna=False))
    width = min(13.0, max(5.0, 3.2 * len(groups)))
    shared = common([Variant.parse(each) for each in curves["variant"]])
    figure, panels = grid_of(len(rates), len(groups), width=width, height=2.3, sharex="col", sharey=sharey)
    for column, (names, rows) in zip(panels.T, groups, strict=True):
        _column(column, rows, rates, series, **line)
        found = dict(zip(by, names, strict=True))
        own = {"variant": str(Variant.parse(found["variant"]).without(shared))} if "variant" in by else {}
        column[0].set_title(title_of(found | own))
    for ax, rate in zip(panels[:, 0], rates, strict=True):
        ax.set_ylabel(RATES[rate])
    legend_above(figure, panels.ravel())
    return figure


def by_study(curves: pd.DataFrame, rates: Sequence[str] = ("train_loss", "val_loss"), **line: Any) -> Figure:
    """Return a figure with a column of panels for each study and variant, `COLUMNS` to a line, each on its own scale.

    Where the settings of a study's series differ, its title says them: the legend is common to all.
    """
    groups = list(curves.groupby(["study", "variant"], sort=False, dropna=False))
    columns, size = min(COLUMNS, len(groups)), len(rates)
    figure, panels = grid_of(size * ceil(len(groups) / columns), columns, width=max(5.0, 3.2 * columns), height=2.1)
    places = [panels[size * row : size * (row + 1), k] for row in range(len(panels) // size) for k in range(columns)]
    for place, (names, rows) in zip(places, groups, strict=False):
        _column(place, rows, rates, by_name, **line)
        settings = [f"{name}: {setting}" for name, setting in settings_of(with_series(rows)).items()]
        place[0].set_title("\n".join([title_of(dict(zip(("study", "variant"), names, strict=True))), *settings]))
    for row, axes in enumerate(panels):
        axes[0].set_ylabel(RATES[rates[row % size]])
    for ax in (ax for place in places[len(groups) :] for ax in place):
        ax.set_axis_off()
    legend_above(figure, panels.ravel())
    return figure


def _column(column: np.ndarray, rows: pd.DataFrame, rates: Sequence[str], series: Series, **line: Any) -> None:
    for ax, rate in zip(column, rates, strict=True):
        plot_curves(rows, rate, ax, series=series, **line)
    column[-1].set_xlabel("epoch")


def title_of(names: Run) -> str:
    """Return the title of a panel from what its rows have in common: study, variant, schedule and optimizer, or some.

    >>> title_of({"variant": "dropout", "schedule": "inverse-sqrt-epoch"})
    'dropout\\nt = epoch'
    """
    variant = names.get("variant", "")
    first = heading_of(names["study"], variant) if "study" in names else Variant.parse(variant).words
    lines = [fill(first, WIDTH), text(names.get("optimizer")), said(names.get("schedule"))]
    return "\n".join(filter(None, lines))


def scales_in_words(figure: Figure) -> str:
    """Return how much the panels of a figure, each on its own scale, differ: by what factor each axis ends above its
    beginning, in a sentence."""
    ratios = [top / bottom for bottom, top in (ax.get_ylim() for ax in figure.axes if ax.axison) if bottom > 0]
    return f"Each panel has its own scale: the top is {min(ratios):.3g} to {max(ratios):.3g} times the bottom."


def _mark_divergence(run: pd.DataFrame, rate: str, ax: Axes, color: Any) -> None:
    values = run[rate].to_numpy(float)
    good = np.isfinite(values)
    if good.any() and not good[-1]:
        last = np.flatnonzero(good)[-1]
        ax.plot(run["epoch"].iloc[last], values[last], "x", color=color, ms=6, mew=1.5)
