"""Figures from tables: each function takes rows (see `studies.tables`) and axes, and draws."""

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

# Colour and line style both tell optimizers apart, for print and for those who do not see the colours.
STYLES = {
    "Adam": {"color": "#1f6fb4", "linestyle": "-"},
    "AMSGrad": {"color": "#d1352b", "linestyle": "--"},
    "AdaMax": {"color": "#2b8a3e", "linestyle": "-."},
    "Nadam": {"color": "#8f5fbf", "linestyle": (0, (5, 2))},
    "SGD": {"color": "#444444", "linestyle": ":"},
    "AdaGrad": {"color": "#b5740b", "linestyle": (0, (3, 1, 1, 1))},
    "RMSProp": {"color": "#17909c", "linestyle": (0, (1, 1))},
}
RATES = {
    "train_loss": "training loss",
    "val_loss": "test loss",
    "train_accuracy": "training accuracy",
    "val_accuracy": "test accuracy",
}


def heat_maps(search_runs, published=None):
    """Return a figure with one heat map of the validation loss over alpha x beta_2 for each optimizer.

    `search_runs` are the rows of the stage "search"; `published` maps optimizers to (learning_rate, beta_2).
    """
    optimizers = list(dict.fromkeys(search_runs["optimizer"]))
    figure = Figure(figsize=(5.2 * len(optimizers), 4.4), layout="constrained")
    grids = {name: validation_loss_grid(search_runs[search_runs["optimizer"] == name]) for name in optimizers}
    finite = np.concatenate([grid.to_numpy()[np.isfinite(grid.to_numpy())] for grid in grids.values()])
    norm = LogNorm(finite.min(), finite.max() * (1 + 1e-9))
    for axes, name in zip(figure.subplots(1, len(optimizers), squeeze=False)[0], optimizers, strict=True):
        image = heat_map(grids[name], axes, norm, (published or {}).get(name))
        axes.set_title(name)
    ticks = np.geomspace(norm.vmin, norm.vmax, 5)
    bar = figure.colorbar(image, ax=figure.axes, label="validation loss (mean over folds)", ticks=ticks)
    bar.ax.set_yticklabels([f"{tick:.3g}" for tick in ticks])
    bar.minorticks_off()
    return figure


def validation_loss_grid(search_runs):
    """Return the mean over folds of the last validation loss, learning rate x beta_2; NaN where one diverged."""
    means = search_runs.groupby(["learning_rate", "beta_2"])["val_loss"].agg(lambda losses: losses.mean(skipna=False))
    return means.unstack("beta_2")


def heat_map(grid, axes, norm, published=None):
    """Draw one grid of losses: a box marks the lowest, a circle the published choice, "div." what diverged."""
    values = grid.to_numpy()
    image = axes.imshow(values, norm=norm, cmap="viridis_r", aspect="auto", origin="lower")
    middle = np.sqrt(norm.vmin * norm.vmax)
    for (i, j), value in np.ndenumerate(values):
        text = f"{value:.4g}" if np.isfinite(value) else "div."
        axes.text(j, i, text, ha="center", va="center", size=8, color="white" if value > middle else "black")
    if np.isfinite(values).any():
        i, j = np.unravel_index(np.nanargmin(values), values.shape)
        axes.add_patch(matplotlib.patches.Rectangle((j - 0.48, i - 0.46), 0.96, 0.92, fill=False, lw=2.5, ec="black"))
    if published in [(a, b) for a in grid.index for b in grid.columns]:
        i, j = grid.index.get_loc(published[0]), grid.columns.get_loc(published[1])
        axes.plot(j, i, "o", ms=34, mfc="none", mec="#d1352b", mew=2)
    axes.set_xticks(range(len(grid.columns)), [f"{b:g}" for b in grid.columns])
    axes.set_yticks(range(len(grid.index)), [f"{a:g}" for a in grid.index])
    axes.set(xlabel="β₂", ylabel="learning rate α")
    return image


def run_curves(curves):
    """Return a figure with every repeated run: training and test, loss (log scale) and accuracy, against the epoch."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True)
    for axes, rate in zip(panels.ravel(), RATES, strict=True):
        curve_panel(curves, rate, axes)
    for axes in panels[1]:
        axes.set_xlabel("epoch")
    panels[0, 0].legend()
    return figure


def curve_panel(curves, rate, axes):
    """Draw one rate (a column of curves) of every run, one line a seed."""
    key = list(curves.columns[: curves.columns.get_loc("epoch")])
    for _, run in curves.groupby(key, sort=False, dropna=False):
        name = run["optimizer"].iloc[0]
        seen = name in axes.get_legend_handles_labels()[1]
        label = None if seen else name
        axes.plot(run["epoch"], run[rate], lw=1, alpha=0.8, label=label, **STYLES.get(name, {}))
    axes.set_title(RATES[rate])
    axes.grid(alpha=0.3)
    if rate.endswith("loss"):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:.3g}")
        axes.yaxis.set_minor_formatter("{x:.3g}")


def walk_paths(paths, at_worst):
    """Return a figure with x, the average regret and the lowest Gamma so far against t, a column for each variant.

    Lines are medians over the seeds, bands reach from the lowest to the highest. `at_worst` maps variants to the
    average regret of standing at +1, which theory has Adam tend to.
    """
    variants = list(dict.fromkeys(paths["variant"]))
    figure = Figure(figsize=(max(4 * len(variants), 7), 9), layout="constrained")
    panels = figure.subplots(3, len(variants), sharex=True, squeeze=False)
    for column, variant in zip(panels.T, variants, strict=True):
        for name, walks in paths[paths["variant"] == variant].groupby("optimizer", sort=False):
            for axes, rate in zip(column, ("x", "average_regret", "gamma_min"), strict=True):
                walk_band(walks, rate, axes, label=name, **STYLES.get(name, {}))
        worst = at_worst[variant]
        column[1].axhline(worst, color="0.4", lw=1, ls=":")
        column[1].annotate(f"at +1: {worst:.3g} (theory, Adam)", (1, worst), size=8, va="bottom")
        column[0].set(title=variant.replace("=", " = "), xscale="log", ylim=(-1.08, 1.08))
        column[1].set_yscale("symlog", linthresh=worst)
        column[2].set_yscale("symlog", linthresh=1e-3)
        column[2].set(xlabel="step t")
        for axes in column:
            axes.grid(alpha=0.3)
    for axes, label in zip(panels[:, 0], ("x (best: −1)", "average regret", "lowest Γ so far"), strict=True):
        axes.set_ylabel(label)
    panels[0, 0].legend(fontsize=8)
    return figure


def walk_band(walks, rate, axes, **style):
    """Draw one rate (a column of paths) of one optimizer: the median of the seeds, and the band they fill."""
    found = walks.groupby("t")[rate]
    axes.plot(found.median(), lw=1.6, **style)
    if walks["seed"].nunique() > 1:
        axes.fill_between(found.min().index, found.min(), found.max(), color=style.get("color"), alpha=0.15, lw=0)
