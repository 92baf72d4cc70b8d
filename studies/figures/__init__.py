"""Figures from rows: functions that compute rows, and functions that draw them into axes. They never train.

A source's module says which figures a study gets (`drawings`), and which set its studies side by side (`together`).
In a notebook, give a plot function rows of runs.csv, curves.csv or paths.csv, and axes or none:

    curves = studies.results("results").curves
    plot_curves(curves[curves["stage"] == "repeat"], "val_loss")

>>> import studies
>>> from pathlib import Path
>>> import pandas as pd
>>> curves = pd.read_csv(Path(studies.__file__).parent / "published" / "curves.csv.gz", low_memory=False)
>>> axes = plot_curves(curves[curves["study"] == "perez-mlp"], "val_loss")
>>> len(axes.lines) >= 8
True
"""

from types import ModuleType

from studies.catalog import SOURCES
from studies.catalog.metrics import names_of
from studies.figures import answer, bennatan, bushaev, korzeniowski, perez
from studies.figures.dots import differences, plot_beside_published, plot_differences, plot_dots
from studies.figures.grids import loss_grid, plot_heat_map, plot_robustness, plot_sensitivity, robustness
from studies.figures.lines import plot_curves
from studies.figures.reddi import plot_paths
from studies.figures.style import PAGE, RATES, Drawing

__all__ = [
    "PAGE",
    "RATES",
    "Drawing",
    "answer",
    "differences",
    "loss_grid",
    "of_source",
    "plot_beside_published",
    "plot_curves",
    "plot_differences",
    "plot_dots",
    "plot_heat_map",
    "plot_paths",
    "plot_robustness",
    "plot_sensitivity",
    "rates_of",
    "robustness",
]


def of_source(source: str) -> ModuleType:
    """Return the module that draws the networks of a source, given by its key."""
    return {"korzeniowski": korzeniowski, "perez": perez, "bushaev": bushaev}.get(source, bennatan)


def rates_of(source: str, score: str = "accuracy") -> dict[str, str]:
    """Return what a source calls losses and scores, {column: name}."""
    return names_of(SOURCES[source].rows, score)
