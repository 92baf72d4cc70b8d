"""How figures look: colour, line style and marker all tell optimizers apart, in print and without colours too."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any, TypeVar

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

from studies.catalog.metrics import SCORES, names_of
from studies.catalog.network import Setting
from studies.catalog.variant import WORDS, Variant, common

Look = dict[str, Any]  # colour, line style and marker, as Matplotlib takes them
Named = TypeVar("Named", bound=Artist)

PAGE: Any = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "studies",
}

STYLES: dict[str, Look] = {
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
    "Adadelta": {"color": "#4d7c0f", "linestyle": (0, (8, 2)), "marker": "8"},
    "Adamax": {"color": "#2f4858", "linestyle": (0, (2, 1, 1, 1, 1, 1)), "marker": "x"},
    "Lion": {"color": "#9d174d", "linestyle": (0, (5, 2, 2, 2)), "marker": "+"},
}
KERAS = {"Adagrad": "AdaGrad", "RMSprop": "RMSProp"}  # as Keras writes them
OTHERS = [
    {"color": color, "linestyle": line, "marker": marker}
    for color, line, marker in (
        ("#c46a1b", "-", "p"),
        ("#006d77", "--", "H"),
        ("#6b7a12", "-.", "h"),
        ("#a33", ":", "d"),
    )
]
# For optimizers with settings of their own, as comparisons of one's own have them.
SEVERAL = [look for name, look in STYLES.items() if name not in ("Adam", "AMSGrad")] + OTHERS
UNCORRECTED = {"Adam": ":", "AMSGrad": "-."}  # line styles without bias correction

RATES = {column: name for score in SCORES for column, name in names_of("test", score).items()}


@dataclass(frozen=True)
class Drawing:
    """A figure, what to see in it, and the rows it is drawn from."""

    name: str
    figure: Figure
    caption: str
    rows: pd.DataFrame


def style(optimizer: str, corrected: object = True, variant: object = "") -> Look:
    """Return Matplotlib's colour, line style and marker of a series; light where bias correction is off."""
    parts = Variant.parse(variant)
    if any(name not in WORDS for name, equals, _ in (part.partition("=") for part in parts.parts) if equals):
        return SEVERAL[zlib.crc32(f"{optimizer} {parts}".encode()) % len(SEVERAL)]
    name = "AdamW" if "adamw" in parts else KERAS.get(optimizer, optimizer)
    look = STYLES.get(name) or OTHERS[sum(map(ord, name)) % len(OTHERS)]
    if is_uncorrected(corrected) and optimizer in UNCORRECTED:
        return _lighter(look, UNCORRECTED[optimizer])
    return look


def _lighter(look: Look, line: str) -> Look:
    red, green, blue = (0.55 * part + 0.45 for part in matplotlib.colors.to_rgb(look["color"]))
    return look | {"color": matplotlib.colors.to_hex((red, green, blue)), "linestyle": line}


def line_style(optimizer: str) -> Look:
    """Return the style of an optimizer's line, without markers."""
    return style(optimizer) | {"marker": ""}


def is_uncorrected(corrected: object) -> bool:
    """Return whether a value of the column `bias_correction` says no; it is empty where there is no such choice."""
    return str(corrected) == "False"


def with_series(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of runs.csv or curves.csv with a column `series`: the shortest words that tell what was compared.

    Schedules are named where they differ between these rows, and of "this+that" variants the parts that do. A column
    `legend` has the settings too, where each series has its own.
    """
    variants = [Variant.parse(each) for each in rows["variant"]]
    shared = common(variants)
    words = [rows["optimizer"], [each.without(shared).words for each in variants]]
    if rows["schedule"].map(text).nunique() > 1:
        words.append(rows["schedule"].map(said))
    words.append(rows["bias_correction"].map(lambda corrected: "uncorrected" if is_uncorrected(corrected) else ""))
    rows = rows.assign(series=[", ".join(filter(None, each)) for each in zip(*words, strict=True)])
    settings = pd.Series(settings_of(rows), dtype=object)
    return rows.assign(legend=[", ".join(filter(None, (each, settings.get(each, "")))) for each in rows["series"]])


def settings_of(rows: pd.DataFrame) -> dict[str, str]:
    """Return the learning rate of each series in words, with beta_2 where it varies too; {} where they do not differ,
    and where a series has several, as in a grid."""
    alone = rows.drop_duplicates(["series", "learning_rate", "beta_2"])
    if alone["series"].duplicated().any() or len(alone[["learning_rate", "beta_2"]].drop_duplicates()) < 2:
        return {}
    betas = alone["beta_2"].where(alone["beta_2"].notna() & (alone["beta_2"].nunique() > 1))
    return {
        name: str(Setting(alpha, None if pd.isna(beta_2) else beta_2))
        for name, alpha, beta_2 in zip(alone["series"], alone["learning_rate"], betas, strict=True)
    }


def look_of(run: Mapping[str, Any]) -> Look:
    """Return the style of a series, from one of its rows; light where its name says that t is the update."""
    look = style(run["optimizer"], run["bias_correction"], run["variant"])
    return _lighter(look, ":") if said("inverse-sqrt-update") in run["series"] else look


def said(schedule: object) -> str:
    """Return a schedule as a title says it.

    >>> said("inverse-sqrt-epoch"), said("warm-restarts")
    ('t = epoch', 'warm restarts')
    """
    return text(schedule).replace("inverse-sqrt-", "t = ").replace("-", " ")


def text(value: object) -> str:
    """Return a cell of a table as text; an empty one, which pandas reads as NaN, as an empty text."""
    return value if isinstance(value, str) else ""


def current(ax: Axes | None) -> Axes:
    """Return `ax`, or Matplotlib's current axes where it is None, as in a notebook."""
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.gca()
    return ax


def grid_of(rows: int, columns: int, height: float, width: float = 10.0, **shared: Any) -> tuple[Figure, np.ndarray]:
    """Return a figure of rows x columns panels, and its axes (rows, columns)."""
    figure = Figure(figsize=(width, height * rows + 0.4), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def hover(artist: Named, label: str) -> Named:
    """Name the series that an artist draws; the page shows the name with the value under the pointer."""
    artist.set_gid(f"series:{label}")
    return artist


class LossLocator(LogLocator):
    """Ticks at 1, 2, 5, 10, ...; at evenly spaced values where the axis spans less than these can tell.

    At 1, 10, 100, ... alone where it spans so much that the labels of the others would run into each other: `widest`
    is the ratio of its ends from which on they would.
    """

    def __init__(self, widest: float) -> None:
        super().__init__(subs=(1, 2, 5))
        self.widest = widest

    def tick_values(self, vmin: float, vmax: float) -> Any:
        if vmin > 0 and vmax / vmin < 6:
            return MaxNLocator(5).tick_values(vmin, vmax)
        self.set_params(subs=(1,) if vmin > 0 and vmax / vmin > self.widest else (1, 2, 5))
        return super().tick_values(vmin, vmax)


def loss_axis(ax: Axes, which: str = "y") -> None:
    """Make `which` an axis of losses: logarithmic, with plain numbers."""
    axis = getattr(ax, f"{which}axis")
    ax.set(**{f"{which}scale": "log"})
    axis.set_major_locator(LossLocator(widest=1e3 if which == "y" else 30))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:.4g}")


def both_signs(ax: Axes, which: str, values: pd.Series, flat: float, first: float | None = None) -> None:
    """Make an axis logarithmic on both sides of 0, and linear up to `flat`, with no more ticks than have room.

    `first` is a tick on each side of 0, where the powers of ten begin late.
    """
    axis = getattr(ax, f"{which}axis")
    getattr(ax, f"set_{which}scale")("symlog", linthresh=flat)
    ticks = powers_of_ten(values, 2 * flat)
    if first is not None:
        ticks = sorted({*powers_of_ten(values, 5 * first), *(sign * first for sign in (-1, 1))})
    axis.set_major_locator(FixedLocator(ticks) if len(ticks) > 2 else MaxNLocator(4))
    axis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    axis.set_minor_locator(NullLocator())


def powers_of_ten(values: pd.Series, least: float, most: int = 4) -> list[float]:
    """Return 0 and at most about `most` powers of ten on each side of it, beyond `least`, in the range of `values`.

    >>> powers_of_ten(pd.Series([-3.0, 450.0]), 8.0)
    [0.0, 10.0, 100.0]
    """
    low, high = min(0.0, values.min()), max(0.0, values.max())
    first, last = ceil(log10(least)), floor(log10(max(-low, high, least)))
    powers = [float(10.0**k) for k in range(first, last + 1)]
    powers = powers[:: ceil(len(powers) / most) or 1]
    return [*(-each for each in reversed(powers) if low <= -each), 0.0, *(each for each in powers if each <= high)]


def legend_above(figure: Figure, axes: Iterable[Axes]) -> None:
    """Put one legend for all panels above them: every label of theirs, once."""
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        widths = [0.6 + 0.065 * len(label) for label in found]
        fitting = len(found) if sum(widths) < figure.get_figwidth() else int(figure.get_figwidth() / max(widths))
        columns = max(1, fitting)
        legend = figure.legend(found.values(), found.keys(), loc="outside upper center", ncols=columns)
        for handle in legend.get_lines():
            handle.set(linewidth=max(handle.get_linewidth(), 1.8), alpha=max(handle.get_alpha() or 1, 0.5))


def dark(color: Any) -> bool:
    """Return whether white text is the one to read on a colour."""
    red, green, blue = matplotlib.colors.to_rgb(color)
    return 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
