"""Figures of a grid of settings: heat maps, sensitivity, robustness. Each takes rows of runs.csv."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from studies.figures.style import current, dark, grid_of, hover, legend_above, look_of, loss_axis, text, with_series

Place = tuple[float, float | None]  # (row, column) of a grid, by their settings
NEAR = np.concatenate([[0.0], np.geomspace(0.001, 10, 60)])  # tolerances of the robustness profile
SYMBOLS = {"learning_rate": "learning rate α", "beta_2": "β₂", "weight_decay": "weight decay"}


def loss_grid(
    rows: pd.DataFrame, y: str = "learning_rate", x: str = "beta_2", metric: str = "val_loss"
) -> pd.DataFrame:
    """Return the mean of a metric over folds or seeds for each pair of settings, y x x; NaN where a fit diverged."""
    means = rows.groupby([y, x])[metric].agg(lambda losses: losses.mean(skipna=False))
    return means.unstack(x)


def cells(rows: pd.DataFrame, metric: str = "val_loss") -> pd.DataFrame:
    """Return one row for each optimizer and setting of a grid: n fits, and the metric's mean (NaN: one diverged).

    Further numbers that the grid varies have columns of their names.
    """
    rows = with_series(rows)
    further = further_numbers(rows)
    names = ["series", "optimizer", "bias_correction", "variant", "schedule", "learning_rate", "beta_2"]
    found = rows.join(further).groupby([*names, *further], sort=False, dropna=False)[metric]
    return found.agg(n="size", mean=lambda losses: losses.mean(skipna=False)).reset_index()


def further_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers in the column `options`, by name, that vary within a series of `rows`; NaN where one has none.

    `rows` are from `with_series`.
    """
    texts = rows.reindex(columns=["options"])["options"].map(text)
    parts = [dict(part.split("=") for part in each.split("; ") if part) for each in texts]
    found = pd.DataFrame(parts, index=rows.index).apply(pd.to_numeric, errors="coerce")
    varied = found.groupby(rows["series"]).nunique().gt(1).any()
    return found[[name for name in found if varied[name]]]


def heat_maps(
    grids: Mapping[str, pd.DataFrame],
    published: Mapping[str, Place] | None = None,
    label: str = "validation loss (mean over folds)",
) -> Figure:
    """Return a figure with one heat map for each of `grids` (title -> frame, as from `loss_grid`), on one scale.

    `published` maps titles to the (row, column) that the source chose, which a circle marks.
    """
    tallest = max(len(grid) for grid in grids.values())
    height = min(3.8, 1.4 + 0.6 * tallest)
    figure, panels = grid_of(1, len(grids), width=min(max(5.2 * len(grids), 7), 12), height=height)
    norm, ticks = scale_of(np.concatenate([grid.to_numpy(float).ravel() for grid in grids.values()]))
    for ax, (title, grid) in zip(panels[0], grids.items(), strict=True):
        image = plot_heat_map(grid, ax, norm=norm, published=(published or {}).get(title))
        ax.set_title(title)
    bar = figure.colorbar(image, ax=figure.axes, label=fill(label, 24), ticks=ticks)
    bar.ax.set_yticklabels([f"{tick:.3g}" for tick in ticks])
    bar.minorticks_off()
    return figure


def scale_of(values: np.ndarray) -> tuple[Normalize, np.ndarray]:
    """Return a colour scale over the finite ones of `values`, logarithmic where they are positive, and five ticks."""
    values = values[np.isfinite(values)]
    if not len(values) or values.min() <= 0:
        low, high = (values.min(), values.max()) if len(values) else (0, 1)
        return Normalize(low, high), np.linspace(low, high, 5)
    low, high = values.min(), values.max() * (1 + 1e-9)
    return LogNorm(low, high), np.geomspace(low, high, 5)


def plot_heat_map(
    grid: pd.DataFrame,
    ax: Axes | None = None,
    *,
    norm: Normalize | None = None,
    published: Place | None = None,
) -> QuadMesh:
    """Draw one grid of losses: a box marks the lowest, a circle the published choice, "div." what diverged."""
    ax = current(ax)
    values = grid.to_numpy(float)
    norm = norm or scale_of(values)[0]
    image = ax.pcolormesh(values, norm=norm, cmap="viridis_r", edgecolors="white", linewidth=0.5)
    for (i, j), value in np.ndenumerate(values):
        text = f"{value:.4g}" if np.isfinite(value) else "div."
        color = "white" if np.isfinite(value) and dark(image.cmap(norm(value))[:3]) else "black"
        ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", size=8, color=color)
    if np.isfinite(values).any():
        i, j = np.unravel_index(np.nanargmin(values), values.shape)
        ax.add_patch(Rectangle((j + 0.02, i + 0.03), 0.96, 0.94, fill=False, lw=2.5, ec="black"))
    if published in [(a, b) for a in grid.index for b in grid.columns]:
        i, j = grid.index.get_loc(published[0]), grid.columns.get_loc(published[1])
        ax.plot(j + 0.5, i + 0.5, "o", ms=34, mfc="none", mec="#d1352b", mew=2)
    ax.set_xticks(np.arange(len(grid.columns)) + 0.5, [f"{b:g}" for b in grid.columns])
    ax.set_yticks(np.arange(len(grid.index)) + 0.5, [f"{a:g}" for a in grid.index])
    ax.set(xlabel=SYMBOLS.get(grid.columns.name), ylabel=SYMBOLS.get(grid.index.name))
    return image


def plot_sensitivity(rows: pd.DataFrame, setting: str, ax: Axes | None = None, *, metric: str = "val_loss") -> Axes:
    """Draw, for each optimizer, the metric against one setting: the line at its best over the other, dots for all."""
    ax = current(ax)
    means = cells(rows, metric).dropna(subset="mean")
    for label, mine in means.groupby("series", sort=False):
        look = look_of(mine.iloc[0])
        best = mine.groupby(setting)["mean"].min()
        hover(ax.plot(best.index, best, label=label, lw=1.6, ms=5, **look)[0], label)
        ax.plot(mine[setting], mine["mean"], look["marker"], ms=2.5, color=look["color"], alpha=0.5)
    ax.set(xlabel=SYMBOLS.get(setting, setting), ylabel=metric.replace("val_", "validation ").replace("_", " "))
    if setting == "learning_rate":
        ax.set_xscale("log")
    else:
        ax.set_xticks(sorted(set(means[setting].dropna())))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.tick_params(axis="x", rotation=30)
    loss_axis(ax)
    ax.grid(alpha=0.3)
    return ax


def robustness(
    rows: pd.DataFrame, metric: str = "val_loss", tolerances: Sequence[float] | np.ndarray = NEAR
) -> pd.DataFrame:
    """Return, for each optimizer and tolerance, the share of its grid whose mean metric is at most (1 + tolerance)
    times the lowest of any optimizer. A setting that diverged is never near."""
    means = cells(rows, metric)
    best = means["mean"].min()
    parts = []
    names = ["series", "optimizer", "bias_correction", "variant", "schedule"]
    for each, mine in means.groupby(names, sort=False, dropna=False):
        shares = [(mine["mean"] <= best * (1 + tolerance)).mean() for tolerance in tolerances]
        part = pd.DataFrame({"tolerance": tolerances, "share": shares, "settings": len(mine)})
        parts.append(part.assign(**dict(zip(names, each, strict=True))))
    return pd.concat(parts, ignore_index=True)


def plot_robustness(profile: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the rows of `robustness`: the share of the grid that comes near the best, against how near."""
    ax = current(ax)
    for label, mine in profile.groupby("series", sort=False):
        near, look = mine[mine["tolerance"] > 0], look_of(mine.iloc[0]) | {"marker": ""}
        hover(
            ax.step(100 * near["tolerance"], 100 * near["share"], where="post", lw=1.6, **look, label=label)[0], label
        )
    ax.axvline(5, color="0.5", lw=1, ls=":")
    ax.text(5, 103, "5 %", ha="center", size=8)
    ax.set(xscale="log", xlabel="within this much of the best loss (%)", ylabel="share of the grid (%)", ylim=(-3, 110))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.grid(alpha=0.3)
    return ax


def sensitivity(rows: pd.DataFrame) -> Figure:
    """Return a figure with the sensitivity of the loss to each setting, and the robustness, over a grid's rows."""
    settings = [name for name in ("learning_rate", "beta_2") if rows[name].nunique() > 1]
    settings += list(further_numbers(with_series(rows)))
    figure, panels = grid_of(1, len(settings) + 1, width=max(10, 3.2 * (len(settings) + 1)), height=2.6)
    for ax, setting in zip(panels[0], settings, strict=False):
        plot_sensitivity(rows, setting, ax)
    plot_robustness(robustness(rows), panels[0, -1])
    legend_above(figure, panels[0])
    return figure
