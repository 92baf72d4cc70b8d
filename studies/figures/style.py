"""How figures look: colour, line style and marker all tell optimizers apart, in print and without colours too."""

from dataclasses import dataclass
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

PAGE: Any = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "studies",
}

STYLES: dict[str, Any] = {
    "Adam": {"color": "#1f6fb4", "linestyle": "-", "marker": "o"},
    "AMSGrad": {"color": "#d1352b", "linestyle": "--", "marker": "s"},
    "AdaMax": {"color": "#2b8a3e", "linestyle": "-.", "marker": "^"},
    "Nadam": {"color": "#8a4fbf", "linestyle": ":", "marker": "v"},
    "AdamW": {"color": "#b8860b", "linestyle": (0, (5, 1)), "marker": "D"},
    "NDAdam": {"color": "#0e8a8a", "linestyle": (0, (3, 1, 1, 1)), "marker": "P"},
    "SWATS": {"color": "#c2478d", "linestyle": (0, (1, 1)), "marker": "X"},
    "AdaGrad": {"color": "#7a4a21", "linestyle": (0, (4, 1, 1, 1, 1, 1)), "marker": "<"},
    "RMSProp": {"color": "#3d3a8c", "linestyle": (0, (2, 2)), "marker": ">"},
    "SGD": {"color": "#555555", "linestyle": (0, (6, 2, 1, 2)), "marker": "*"},
}
OTHERS = [
    {"color": color, "linestyle": line, "marker": marker}
    for color, line, marker in (
        ("#c46a1b", "-", "p"),
        ("#006d77", "--", "H"),
        ("#6b7a12", "-.", "h"),
        ("#a33", ":", "d"),
    )
]
UNCORRECTED = {"Adam": ":", "AMSGrad": "-."}  # line styles without bias correction

RATES = {
    "train_loss": "training loss",
    "val_loss": "test loss",
    "train_accuracy": "training accuracy",
    "val_accuracy": "test accuracy",
}


@dataclass(frozen=True)
class Drawing:
    """A figure, what to see in it, and the rows it is drawn from."""

    name: str
    figure: Figure
    caption: str
    rows: pd.DataFrame


def style(optimizer, corrected=True, variant=""):
    """Return Matplotlib's colour, line style and marker of a series; light where bias correction is off."""
    name = "AdamW" if "adamw" in text(variant) else optimizer
    look = STYLES.get(name) or OTHERS[sum(map(ord, name)) % len(OTHERS)]
    if is_uncorrected(corrected) and optimizer in UNCORRECTED:
        return _lighter(look, UNCORRECTED[optimizer])
    return look


def _lighter(look, line):
    red, green, blue = (0.55 * part + 0.45 for part in matplotlib.colors.to_rgb(look["color"]))
    return look | {"color": matplotlib.colors.to_hex((red, green, blue)), "linestyle": line}


def line_style(optimizer):
    """Return the style of an optimizer's line, without markers."""
    return style(optimizer) | {"marker": ""}


def is_uncorrected(corrected):
    """Return whether a value of the column `bias_correction` says no; it is empty where there is no such choice."""
    return str(corrected) == "False"


def with_series(rows):
    """Return rows of runs.csv or curves.csv with a column `series`: the shortest words that tell what was compared.

    Schedules are named where they differ between these rows, and of "this+that" variants the parts that do.
    """
    variants = [text(variant).split("+") for variant in rows["variant"]]
    shared = set.intersection(*map(set, variants)) if variants else set()
    words = [rows["optimizer"], ["+".join(part for part in parts if part not in shared) for parts in variants]]
    if rows["schedule"].map(text).nunique() > 1:
        words.append(rows["schedule"].map(said))
    words.append(rows["bias_correction"].map(lambda corrected: "uncorrected" if is_uncorrected(corrected) else ""))
    return rows.assign(series=[", ".join(filter(None, each)) for each in zip(*words, strict=True)])


def look_of(run):
    """Return the style of a series, from one of its rows; light where its name says that t is the update."""
    look = style(run["optimizer"], run["bias_correction"], run["variant"])
    return _lighter(look, ":") if said("inverse-sqrt-update") in run["series"] else look


def said(value):
    """Return a variant or schedule as a title says it.

    >>> said("inverse-sqrt-epoch")
    't = epoch'
    """
    return text(value).replace("inverse-sqrt-", "t = ")


def text(value):
    """Return a cell of a table as text; an empty one, which pandas reads as NaN, as an empty text."""
    return value if isinstance(value, str) else ""


def current(ax):
    """Return `ax`, or Matplotlib's current axes where it is None, as in a notebook."""
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.gca()
    return ax


def grid_of(rows, columns, width=10.0, height=2.6, **shared):
    """Return a figure of rows x columns panels, and its axes (rows, columns)."""
    figure = Figure(figsize=(width, height * rows + 0.4), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def hover(artist, label):
    """Name the series that an artist draws; the page shows the name with the value under the pointer."""
    artist.set_gid(f"series:{label}")
    return artist


class LossLocator(LogLocator):
    """Ticks at 1, 2, 5, 10, ...; at evenly spaced values where the axis spans less than these can tell."""

    def tick_values(self, vmin, vmax):
        if vmin > 0 and vmax / vmin < 6:
            return MaxNLocator(5).tick_values(vmin, vmax)
        return super().tick_values(vmin, vmax)


def loss_axis(axis):
    """Make an axis of losses logarithmic, with plain numbers."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LossLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:.4g}")


def legend_above(figure, axes):
    """Put one legend for all panels above them: every label of theirs, once."""
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        columns = min(len(found), int(figure.get_figwidth() // 1.7))
        legend = figure.legend(found.values(), found.keys(), loc="outside upper center", ncols=columns)
        for handle in legend.get_lines():
            handle.set(linewidth=max(handle.get_linewidth(), 1.8), alpha=max(handle.get_alpha() or 1, 0.5))


def dark(color):
    """Return whether white text is the one to read on a colour."""
    red, green, blue = matplotlib.colors.to_rgb(color)
    return 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
