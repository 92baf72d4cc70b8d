"""Korzeniowski's figures: for each rate one panel for each learning rate x beta_2, one line a run, and a zoom."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.catalog import NetworkStudy
from studies.catalog.metrics import names_of
from studies.claims.authors import author_runs
from studies.figures import grids, lines
from studies.figures.bennatan import of_sensitivity
from studies.figures.style import Drawing, current, grid_of, hover, legend_above, style, with_series

ZOOM = 0.2  # the share of the epochs at the end that a zoom shows
NAMES = names_of("validation")
LOSSES = {"train_loss": "training loss", "val_loss": "validation loss"}


def drawings(study: NetworkStudy, runs: pd.DataFrame, curves: pd.DataFrame) -> list[Drawing]:
    """Return the figures of one study's rows: the four rates, their zooms, and what the grid ends with."""
    found = []
    for rate, name in NAMES.items():
        short = rate.replace("_", "-")
        caption = f"{name.capitalize()}, one line a run. A column for each learning rate, a row for each β₂."
        found.append(Drawing(short, panels(curves, rate), caption, curves))
        zoom = lines.last_epochs(curves, ZOOM)
        if zoom["epoch"].nunique() > 1:  # a single epoch makes no line
            figure = panels(zoom, rate, sharey=False)
            end = f"{name.capitalize()}, the last {ZOOM:.0%} of the epochs. {lines.scales_in_words(figure)}"
            found.append(Drawing(f"{short}-zoom", figure, end, zoom))
    found += _of_grid(with_series(runs)) if runs["val_loss"].notna().any() else []
    return found + _beside_author(study, runs)


def together(runs: pd.DataFrame, curves: pd.DataFrame) -> list[Drawing]:
    """Return no figure: the source sets no two models side by side."""
    return []


def panels(curves: pd.DataFrame, rate: str, sharey: bool = True) -> Figure:
    """Return a figure with one panel for each beta_2 (rows) and learning rate (columns)."""
    rates, betas = sorted(curves["learning_rate"].unique(), reverse=True), sorted(curves["beta_2"].unique())
    figure, axes = grid_of(len(betas), len(rates), height=2.3, sharex=True, sharey=sharey)
    for row, beta_2 in zip(axes, betas, strict=True):
        for ax, alpha in zip(row, rates, strict=True):
            cell = curves[(curves["learning_rate"] == alpha) & (curves["beta_2"] == beta_2)]
            lines.plot_curves(cell, rate, ax, lw=0.9).set_title(f"α = {alpha:g}, β₂ = {beta_2:g}")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    for ax in axes[:, 0]:
        ax.set_ylabel(NAMES[rate])
    legend_above(figure, axes.ravel())
    return figure


def beside_author(study: NetworkStudy, runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each setting that the author has too: our mean losses, n, and his."""
    keys = ["optimizer", "learning_rate", "beta_2", "bias_correction"]
    ours = runs[(runs["variant"] == "") & (runs["schedule"] == "linear")]
    ours = ours.groupby(keys)[list(LOSSES)].agg("mean").assign(n=ours.groupby(keys).size()).reset_index()
    theirs = author_runs().query("study == @study.name")[[*keys, *LOSSES]]
    return ours.merge(theirs, on=keys, suffixes=("", "_author"))


def plot_beside_author(rows: pd.DataFrame, loss: str, ax: Axes | None = None) -> Axes:
    """Draw rows of `beside_author`: our mean of a loss against the author's, a marker for each setting."""
    ax = current(ax)
    for (optimizer, corrected), mine in rows.groupby(["optimizer", "bias_correction"], sort=False):
        look = style(optimizer, corrected)
        label = optimizer + ("" if corrected else ", uncorrected")
        theirs, ours = mine[f"{loss}_author"], mine[loss]
        dots = ax.plot(theirs, ours, look["marker"], color=look["color"], ms=6, alpha=0.8, label=label)
        hover(dots[0], label)
    ends = [rows[[loss, f"{loss}_author"]].to_numpy().min(), rows[[loss, f"{loss}_author"]].to_numpy().max()]
    ax.plot(ends, ends, color="0.4", lw=1, zorder=0)
    ax.set(xlabel=f"{LOSSES[loss]}, the author's", ylabel=f"{LOSSES[loss]}, ours")
    ax.grid(alpha=0.3)
    return ax


def _beside_author(study: NetworkStudy, runs: pd.DataFrame) -> list[Drawing]:
    rows = beside_author(study, runs)
    if rows.empty:
        return []
    figure, panels = grid_of(1, len(LOSSES), width=9, height=3.4)
    for ax, loss in zip(panels[0], LOSSES, strict=True):
        plot_beside_author(rows, loss, ax)
    legend_above(figure, panels[0, :1])
    apart = {loss: (rows[loss] - rows[f"{loss}_author"]).abs().max() for loss in LOSSES}
    caption = (
        f"Final losses of {len(rows)} settings: the mean of our runs (n = {rows['n'].min()}) against the mean of the "
        "author's five, from his public logs. On the line both are equal. They are at most "
        + " and ".join(f"{distance:.4f} apart in {LOSSES[loss]}" for loss, distance in apart.items())
        + "."
    )
    return [Drawing("author", figure, caption, rows)]


def _of_grid(runs: pd.DataFrame) -> list[Drawing]:
    maps = {name: grids.loss_grid(rows) for name, rows in runs.groupby("series", sort=False)}
    caption = "Validation loss after the last epoch, mean over the runs. Box: the lowest of its optimizer."
    figure = grids.heat_maps(maps, label="validation loss (mean over runs)")
    return [Drawing("grid", figure, caption, grids.cells(runs)), of_sensitivity(runs)]
