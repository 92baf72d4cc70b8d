"""Figures of the online problems: the point and the average regret against t, the middle and the band over seeds."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.catalog import SyntheticStudy
from studies.catalog.synthetic import regrets_at_worst
from studies.catalog.variant import Variant, common
from studies.figures.style import Drawing, both_signs, current, grid_of, hover, legend_above, line_style

NUMBERS = {
    "x": "x (best: −1)",
    "average_regret": "average regret",
    "gamma_min": "lowest Γ so far",
}

BOTH = ("Adam", "AMSGrad")  # which the sources draw
SMALL = 1e-6  # of the largest |Γ|: up to there, the axis of Γ is linear
FLAT = 1e-3  # where the axis of a regret becomes linear, if theory gives a regret of 0

COLUMNS = {  # of the table of where walks end
    "t": "steps",
    "x": "last x",
    "average_regret": "average regret",
    "gamma_min": "lowest Γ",
    "negative_gamma": "share of Γ below 0",
    "largest_step": "largest step / α",
}


def drawings(study: SyntheticStudy, paths: pd.DataFrame) -> list[Drawing]:
    """Return the figures of one study's rows of paths.csv."""
    if paths.empty:
        return []
    caption = (
        "Where each optimizer stands at step t, and its average regret so far. The best point is −1, with a regret of "
        "0. The dotted line is the average regret of standing at +1 for ever, which theory gives for Adam. "
        "Lines are medians over the seeds, bands reach from the lowest to the highest."
    )
    if "gamma_min" in paths:
        caption += " Below: the lowest Γ so far; proofs of convergence need it never to be negative."
    both, others = paths[paths["optimizer"].isin(BOTH)], "The point x of each optimizer at step t, a panel for each; "
    others += "lines are medians over the seeds, bands reach from the lowest to the highest. The best point is −1."
    return [
        Drawing("paths", walk_paths(both, regrets_at_worst(study)), caption, both),
        Drawing("optimizers", panels_of_optimizers(paths), others, paths),
    ]


def ends(study: SyntheticStudy, paths: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each variant and optimizer: where it ends (median of the seeds), beside theory's regret."""
    last = paths[paths["t"] == paths["t"].max()].drop(columns=["study", "seed"])
    last = last.groupby(["variant", "optimizer"], sort=False).median().reset_index()
    adam, amsgrad = (last["optimizer"] == name for name in ("Adam", "AMSGrad"))
    last.loc[adam, "in theory"] = last["variant"].map(regrets_at_worst(study))
    last.loc[amsgrad, "in theory"] = 0.0
    return last.rename(columns=COLUMNS)


def plot_paths(paths: pd.DataFrame, column: str = "x", ax: Axes | None = None) -> Axes:
    """Draw one column of paths.csv against t: the median of the seeds, and the band between the lowest and highest."""
    ax = current(ax)
    for optimizer, mine in paths.groupby("optimizer", sort=False):
        found = mine.groupby("t")[column]
        middle, look = found.median(), line_style(optimizer)
        hover(ax.plot(middle.index, middle, label=optimizer, lw=1.6, **look)[0], optimizer)
        if mine["seed"].nunique() > 1:
            ax.fill_between(middle.index, found.min(), found.max(), color=look["color"], alpha=0.07, lw=0)
    ax.set_xscale("log")
    ax.grid(alpha=0.3)
    return ax


def walk_paths(paths: pd.DataFrame, theory: Mapping[str, float]) -> Figure:
    """Return a figure with what each walk does against t, one column for each variant, one row for each number.

    `theory` maps variants to the average regret that Adam tends to.
    """
    variants, numbers = list(dict.fromkeys(paths["variant"])), [name for name in NUMBERS if name in paths]
    width, titles = min(13.0, max(5.5, 4 * len(variants))), titles_of(variants)
    figure, panels = grid_of(len(numbers), len(variants), width=width, height=2.6, sharex=True)
    for column, variant in zip(panels.T, variants, strict=True):
        mine = paths[paths["variant"] == variant]
        for ax, number in zip(column, numbers, strict=True):
            plot_paths(mine, number, ax)
        column[0].set(title=titles[variant], ylim=(-1.08, 1.08))
        column[1].axhline(theory[variant], color="0.4", lw=1, ls=":", label="at +1 for ever (theory, Adam)")
        both_signs(column[1], "y", mine["average_regret"], abs(theory[variant]) or FLAT)
        if mine["average_regret"].min() >= 0:
            column[1].set_ylim(bottom=-(abs(theory[variant]) or FLAT) / 3)
        if "gamma_min" in numbers:
            both_signs(column[2], "y", mine["gamma_min"], SMALL * float(mine["gamma_min"].abs().max()) or FLAT)
        column[-1].set_xlabel("step t")
    for ax, number in zip(panels[:, 0], numbers, strict=True):
        ax.set_ylabel(NUMBERS[number])
    legend_above(figure, panels.ravel())
    return figure


def titles_of(variants: list[str]) -> dict[str, str]:
    """Return what tells each of a study's variants from the others, in words.

    >>> titles_of(["corrected+C=3", "corrected+C=5"])
    {'corrected+C=3': 'C = 3', 'corrected+C=5': 'C = 5'}
    """
    shared = common(list(map(Variant.parse, variants)))
    return {each: Variant.parse(each).without(shared).words for each in variants}


def panels_of_optimizers(paths: pd.DataFrame) -> Figure:
    """Return a figure of x against t: a column of panels for each optimizer, a row for each variant."""
    variants, optimizers = (list(dict.fromkeys(paths[name])) for name in ("variant", "optimizer"))
    titles = titles_of(variants)
    figure, panels = grid_of(len(variants), len(optimizers), width=11, height=1.6, sharex=True, sharey=True)
    for row, variant in zip(panels, variants, strict=True):
        for ax, optimizer in zip(row, optimizers, strict=True):
            plot_paths(paths[(paths["variant"] == variant) & (paths["optimizer"] == optimizer)], "x", ax)
        row[0].set_ylabel(titles[variant] or "x")
    for ax, optimizer in zip(panels[0], optimizers, strict=True):
        ax.set(title=optimizer, ylim=(-1.08, 1.08))
    for ax in panels[-1]:
        ax.set_xlabel("step t")
    return figure
