"""The answer as a picture: how far an optimizer lies from Adam on each problem, beside what is too small to matter."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from studies.catalog.metrics import rope_of
from studies.claims.words import listed
from studies.figures.style import STYLES, Drawing, current, grid_of, hover

PANELS = {"val_accuracy": "test accuracy, in points", "val_r2": "test R², in points", "val_loss": "test loss, in %"}


def plot_forest(rows: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """Draw rows of answer.csv of one metric, and of its best epoch: for each `problem` the estimate and its interval.

    The grey band holds the differences that are too small to matter. Full dots are the last epoch's, hollow dots those
    of the best epoch.
    """
    ax = current(ax)
    rope = 100 * rope_of(metric)
    ax.axvspan(-rope, rope, color="0.88", zorder=0)
    ax.axvline(0, color="black", lw=1)
    for place, problem in enumerate(rows["problem"].unique()):
        for name, offset, fill in ((metric, -0.14, None), (f"best_{metric}", 0.14, "white")):
            for row in rows[(rows["problem"] == problem) & (rows["metric"] == name)].itertuples():
                color = STYLES.get(row.optimizer.partition(" ")[0], STYLES["SGD"])["color"]
                ax.plot([row.low, row.high], [place + offset] * 2, color=color, lw=2)
                dot = ax.plot(row.estimate, place + offset, "o", color=color, mfc=fill or color, ms=6)
                hover(dot[0], f"{row.optimizer}, {'best' if fill else 'last'} epoch")
    ax.set_ylim(rows["problem"].nunique() - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.grid(alpha=0.3, axis="x")
    return ax


def forest(rows: pd.DataFrame, titles: dict[str, str]) -> Drawing:
    """Return the figure of rows of answer.csv: a line for each problem, and each of several optimizers.

    `titles` maps studies to their titles.
    """
    optimizers, problems = list(rows["optimizer"].unique()), rows["study"].nunique()
    counts = rows.groupby(["study", "optimizer"])["n"].transform("max")
    names = [titles.get(each, each) for each in rows["study"]]
    if len(optimizers) > 1:
        pairs = zip(rows["optimizer"], names, strict=True)
        names = [optimizer if problems == 1 else f"{optimizer}, {name}" for optimizer, name in pairs]
    rows = rows.assign(problem=[f"{name}\n(n = {count})" for name, count in zip(names, counts, strict=True)])
    labels, optimizer = list(rows["problem"].unique()), optimizers[0] if len(optimizers) == 1 else ""
    drawn = {metric: words for metric, words in PANELS.items() if metric in set(rows["metric"])}
    figure, panels = grid_of(1, len(drawn), width=9.5, height=0.5 + 0.5 * len(labels), sharey=True)
    for ax, (metric, words) in zip(panels[0], drawn.items(), strict=True):
        plot_forest(rows, metric, ax).set_xlabel(f"{optimizer or 'each'} minus Adam: {words}")
    panels[0, 0].set_yticks(range(len(labels)), labels)
    caption = (
        f"{optimizer or listed(optimizers)} against Adam, each with the settings that its own search chose: the mean "
        "difference over pairs of runs with the same seed, with its 95 % interval (Student's; none for fewer than 5 "
        "pairs). Full dots: after the last epoch; hollow dots: each run's best epoch. Grey: too small to matter (D)."
    )
    name = "forest" if optimizer in ("AMSGrad", "") else f"forest-{optimizer.lower()}"
    return Drawing(name, figure, caption, rows.drop(columns="problem"))
