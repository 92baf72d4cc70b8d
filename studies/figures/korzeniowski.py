"""Korzeniowski's figures: for each rate one panel for each learning rate x beta_2, one line a run, and a zoom."""

from studies.figures import grids, lines
from studies.figures.network import of_sensitivity
from studies.figures.style import RATES, Drawing, grid_of, legend_above, with_series

ZOOM = 0.2  # the share of the epochs at the end that a zoom shows
NAMES = {rate: name.replace("test", "validation") for rate, name in RATES.items()}


def drawings(study, runs, curves):
    """Return the figures of one study's rows: the four rates, their zooms, and what the grid ends with."""
    found = []
    for rate, name in NAMES.items():
        short = rate.replace("_", "-")
        caption = f"{name.capitalize()}, one line a run. A column for each learning rate, a row for each β₂."
        found.append(Drawing(short, panels(curves, rate), caption, curves))
        zoom = lines.last_epochs(curves, ZOOM)
        if zoom["epoch"].nunique() > 1:  # a single epoch makes no line
            end = f"{name.capitalize()}, the last {ZOOM:.0%} of the epochs. Scales differ: compare lines, not panels."
            found.append(Drawing(f"{short}-zoom", panels(zoom, rate, sharey=False), end, zoom))
    return found + (_of_grid(with_series(runs)) if runs["val_loss"].notna().any() else [])


def together(runs, curves):
    """Return no figure: the source sets no two models side by side."""
    return []


def panels(curves, rate, sharey=True):
    """Return a figure with one panel for each beta_2 (rows) and learning rate (columns)."""
    rates, betas = sorted(curves["learning_rate"].unique(), reverse=True), sorted(curves["beta_2"].unique())
    figure, axes = grid_of(len(betas), len(rates), height=2.3, sharex=True, sharey=sharey)
    for row, beta_2 in zip(axes, betas, strict=True):
        for ax, alpha in zip(row, rates, strict=True):
            cell = curves[(curves["learning_rate"] == alpha) & (curves["beta_2"] == beta_2)]
            lines.plot_curves(cell, rate, ax, lw=0.9).set_title(f"lr = {alpha:g}, β₂ = {beta_2:g}")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    for ax in axes[:, 0]:
        ax.set_ylabel(NAMES[rate])
    legend_above(figure, axes.ravel())
    return figure


def _of_grid(runs):
    maps = {name: grids.loss_grid(rows) for name, rows in runs.groupby("series", sort=False)}
    caption = "Validation loss after the last epoch, mean over the runs. Box: the lowest of its optimizer."
    figure = grids.heat_maps(maps, label="validation loss (mean over runs)")
    return [Drawing("grid", figure, caption, grids.cells(runs)), of_sensitivity(runs)]
