"""The line-up drawn: every optimizer beside Adam on each problem, all problems together, and where AMSGrad pays."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm

from studies.catalog.lineup import MEASURES
from studies.catalog.metrics import rope_of
from studies.claims.lineup import ADAM
from studies.figures.style import Drawing, Look, current, dark, grid_of, hover, legend_above, loss_axis, style

LIMITS = np.geomspace(1, 4, 121)  # of the profiles: so many times the best optimizer's median loss
LARGEST = 100.0  # percent: differences beyond have the colour of this
ROPE = 100 * rope_of("val_loss")


def plot_map(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw rows of `claims.lineup.differences`: problems x arms, a cell's number and colour the difference in percent.

    Blue: lower than Adam's. Numbers are bold where the interval lies beyond the smallest difference that matters.
    """
    ax = current(ax)
    grid = rows.pivot(index="problem", columns="arm", values="estimate")
    grid = grid.loc[list(dict.fromkeys(rows["problem"])), list(dict.fromkeys(rows["arm"]))]
    decided = rows.set_index(["problem", "arm"])["outcome"]
    values, norm = grid.to_numpy(float), SymLogNorm(ROPE, vmin=-LARGEST, vmax=LARGEST, base=10)
    image = ax.pcolormesh(values, norm=norm, cmap="RdBu_r", edgecolors="white", linewidth=0.5)
    for (i, j), value in np.ndenumerate(values):
        beyond = decided[grid.index[i], grid.columns[j]] in ("supported", "contradicted")
        color = "white" if np.isfinite(value) and dark(image.cmap(norm(value))[:3]) else "black"
        said = signed(value) if np.isfinite(value) else "div."
        ax.text(
            j + 0.5, i + 0.5, said, ha="center", va="center", size=8, color=color, weight="bold" if beyond else None
        )
    ax.set_xticks(np.arange(len(grid.columns)) + 0.5, list(grid.columns), rotation=30, ha="right")
    ax.set_yticks(np.arange(len(grid.index)) + 0.5, list(grid.index))
    ax.invert_yaxis()
    return ax


def signed(value: float) -> str:
    """Return a number to three digits and at most two decimals, with its sign.

    >>> signed(-13.955), signed(0.21484), signed(-1.8e-05), signed(552.2)
    ('−14', '+0.21', '0', '+552')
    """
    value = round(value, 2)
    return f"{value:+.3g}".replace("-", "−") if value else "0"


def look_of(arm: str) -> Look:
    """Return the style of an arm's line; dotted where it has a schedule."""
    optimizer, *others = arm.split(", ")
    look = style(optimizer, "uncorrected" not in others)
    return look | {"marker": ""} | ({"linestyle": ":"} if set(others) - {"uncorrected"} else {})


def plot_profiles(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw rows of `claims.lineup.profiles`: the share of runs, in percent, that come so near to the best optimizer."""
    ax = current(ax)
    for arm, mine in rows.groupby("arm", sort=False):
        hover(ax.plot(mine["limit"], 100 * mine["share"], label=arm, lw=1.6, **look_of(str(arm)))[0], str(arm))
    ax.set(xscale="log", xlabel="loss over the median of the best optimizer's, at most", ylabel="share of runs (%)")
    ax.set_xticks([1, 1.25, 1.5, 2, 3, 4], ["1", "1.25", "1.5", "2", "3", "4"])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    return ax


def plot_budgets(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw rows of `claims.lineup.budgets`: the expected validation loss against how many learning rates are tried."""
    ax = current(ax)
    for arm, mine in rows.groupby("arm", sort=False):
        hover(ax.plot(mine["tried"], mine["loss"], label=arm, lw=1.6, **look_of(str(arm)))[0], str(arm))
    ax.set(xlabel="learning rates tried at random", ylabel="expected validation loss (1: all of Adam's grid)")
    loss_axis(ax)
    ax.grid(alpha=0.3)
    return ax


def plot_paying(rows: pd.DataFrame, measure: str, ax: Axes | None = None) -> Axes:
    """Draw rows of `claims.paying.advantages` in ascending order of a measure: a dot and its interval for each problem.

    Hollow dots are the problems that are held out. Grey: differences that are too small to matter.
    """
    ax = current(ax)
    rows = rows.sort_values(measure, kind="stable")
    _difference_axis(ax)
    ax.set_xscale("symlog", linthresh=ROPE)
    ax.xaxis.set_major_formatter("{x:g}")
    for place, row in enumerate(rows.itertuples()):
        color = "#d1352b"
        ax.plot([row.low, row.high], [place, place], color=color, lw=1.5)
        dot = ax.plot(row.estimate, place, "o", color=color, mfc="white" if row.held_out else color, ms=6)
        hover(dot[0], row.problem)
    labels = [f"{name}  {value:.2f}" for name, value in zip(rows["problem"], rows[measure], strict=True)]
    ax.set_yticks(range(len(rows)), labels)
    ax.set_title(f"by {MEASURES[measure]}")
    return ax


def _difference_axis(ax: Axes) -> None:
    """Make the horizontal axis that of AMSGrad's differences from Adam."""
    ax.axvspan(-ROPE, ROPE, color="0.88", zorder=0)
    ax.axvline(0, color="black", lw=1)
    ax.set_xlabel("AMSGrad minus Adam: test loss, in %")
    ax.grid(alpha=0.3, axis="x")


def beside_adam(rows: pd.DataFrame, titles: Mapping[str, str]) -> Drawing:
    """Return the figure of rows of `claims.lineup.differences`, problems by arms. `titles` are those of problems."""
    order = {name: place for place, name in enumerate(titles)}
    rows = rows.sort_values("problem", key=lambda names: names.map(order), kind="stable")
    named = rows.assign(problem=[titles.get(each, each) for each in rows["problem"]])
    problems, arms = named["problem"].nunique(), named["arm"].nunique()
    figure, panels = grid_of(1, 1, width=4.6 + 0.68 * arms, height=1.2 + 0.33 * problems)
    plot_map(named, panels[0, 0])
    n = rows["n"].max()
    caption = (
        f"Test loss of every optimizer less that of {ADAM}, in percent (mean log ratio over at most {n:.0f} pairs of "
        "runs with the same seed, each at its best epoch by the validation loss), with the learning rates that were "
        f"chosen on validation rows. Bold: the 95 % interval lies beyond {ROPE:g} %. Blue: lower."
    )
    return Drawing("problems", figure, caption, rows)


def together(profile: pd.DataFrame, budget: pd.DataFrame) -> Drawing:
    """Return the figure of all problems together: rows of `claims.lineup.profiles`, and of `budgets` if any."""
    figure, panels = grid_of(1, 1 + bool(len(budget)), width=10.5, height=4.2)
    plot_profiles(profile, panels[0, 0])
    if len(budget):
        plot_budgets(budget, panels[0, 1])
    legend_above(figure, panels[0])
    caption = (
        "Left: the share of runs whose test loss is at most so many times the median of the best optimizer on the "
        "problem, the mean over the problems. Right: the validation loss to expect after so many learning rates of the "
        f"grid, tried at random, over the lowest of {ADAM}'s (geometric mean over the problems)."
    )
    return Drawing("profiles", figure, caption, profile)


def plot_forest(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw rows of `report.lineup.with_own`: AMSGrad's difference and its interval, a line for each; one's own in bold.

    Grey: differences that are too small to matter.
    """
    ax = current(ax)
    _difference_axis(ax)
    for place, row in enumerate(rows.itertuples()):
        color = "#d1352b" if row.own else "0.45"
        ax.plot([row.low, row.high], [place, place], color=color, lw=2)
        hover(ax.plot(row.estimate, place, "o", color=color, ms=6)[0], row.problem)
    ax.set_yticks(range(len(rows)), list(rows["problem"]))
    for label, own in zip(ax.get_yticklabels(), rows["own"], strict=True):
        label.set_fontweight("bold" if own else "normal")
    ax.set_ylim(len(rows) - 0.5, -0.5)
    return ax


def forest(rows: pd.DataFrame) -> Drawing:
    """Return the figure of one's own comparisons among the problems: rows of `report.lineup.with_own`."""
    figure, panels = grid_of(1, 1, width=9.0, height=0.8 + 0.3 * len(rows))
    plot_forest(rows, panels[0, 0])
    caption = (
        "AMSGrad against Adam on the problems of the line-up, and in bold in your comparisons. The difference in test "
        "loss is that at each run's best epoch, with its 95 % interval (Student's): in the line-up by the validation "
        "loss, in a comparison by the test loss itself. Grey: too small to matter (D)."
    )
    return Drawing("yours", figure, caption, rows)


def paying(rows: pd.DataFrame) -> Drawing:
    """Return the figure of AMSGrad's advantage against what was measured with Adam: rows of `claims.paying`."""
    figure, panels = grid_of(1, len(MEASURES), width=10.5, height=1.2 + 0.24 * len(rows))
    for ax, measure in zip(panels[0], MEASURES, strict=True):
        plot_paying(rows, measure, ax)
    caption = (
        "The test loss of AMSGrad less that of Adam, in percent with its 95 % interval, the problems in the order of "
        "what one run of Adam under OptimizerMonitor measured on each, which is beside the name. Hollow: problems that "
        "are held out. Grey: too small to matter."
    )
    return Drawing("paying", figure, caption, rows)
