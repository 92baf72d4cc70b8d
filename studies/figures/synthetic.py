"""Figures of the online problems: the point and the average regret against t, the middle and the band over seeds."""

from studies.catalog.synthetic import regrets_at_worst
from studies.figures.style import Drawing, current, grid_of, hover, legend_above, line_style

NUMBERS = {
    "x": "x (best: −1)",
    "average_regret": "average regret",
    "gamma_min": "lowest Γ so far",
}

COLUMNS = {  # of the table of where walks end
    "t": "steps",
    "x": "last x",
    "average_regret": "average regret",
    "gamma_min": "lowest Γ",
    "negative_gamma": "share of Γ below 0",
    "largest_step": "largest step / α",
}


def drawings(study, paths):
    """Return the figures of one study's rows of paths.csv."""
    if paths.empty:
        return []
    caption = (
        "Where each optimizer stands at step t, and its average regret so far. The best point is −1; an average "
        "regret that tends to a number above 0 (dotted: theory, for Adam) means that the optimizer never learns. "
        "Lines are medians over the seeds, bands reach from the lowest to the highest."
    )
    if "gamma_min" in paths:
        caption += " Below: the lowest Γ so far; proofs of convergence need it never to be negative."
    return [Drawing("paths", walk_paths(paths, regrets_at_worst(study)), caption, paths)]


def ends(study, paths):
    """Return one row for each variant and optimizer: where it ends (median of the seeds), beside theory's regret."""
    last = paths[paths["t"] == paths["t"].max()].drop(columns=["study", "seed"])
    last = last.groupby(["variant", "optimizer"], sort=False).median().reset_index()
    adam, amsgrad = (last["optimizer"] == name for name in ("Adam", "AMSGrad"))
    last.loc[adam, "in theory"] = last["variant"].map(regrets_at_worst(study))
    last.loc[amsgrad, "in theory"] = 0.0
    return last.rename(columns=COLUMNS)


def plot_paths(paths, column="x", ax=None):
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


def walk_paths(paths, theory):
    """Return a figure with what each walk does against t, one column for each variant, one row for each number.

    `theory` maps variants to the average regret that Adam tends to.
    """
    variants, numbers = list(dict.fromkeys(paths["variant"])), [name for name in NUMBERS if name in paths]
    width = max(5.5, 4 * len(variants))
    figure, panels = grid_of(len(numbers), len(variants), width=width, height=2.6, sharex=True)
    for column, variant in zip(panels.T, variants, strict=True):
        mine = paths[paths["variant"] == variant]
        for ax, number in zip(column, numbers, strict=True):
            plot_paths(mine, number, ax)
            if number == "gamma_min":
                ax.set_yscale("symlog", linthresh=1e-3)
        column[0].set(title=variant.replace("=", " = "), ylim=(-1.08, 1.08))
        column[1].set_yscale("symlog", linthresh=theory[variant])
        column[1].axhline(theory[variant], color="0.4", lw=1, ls=":", label="at +1 for ever (theory, Adam)")
        column[-1].set_xlabel("step t")
    for ax, number in zip(panels[:, 0], numbers, strict=True):
        ax.set_ylabel(NUMBERS[number])
    legend_above(figure, panels.ravel())
    return figure
