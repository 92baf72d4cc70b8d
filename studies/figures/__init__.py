"""Figures from rows: functions that compute rows, and functions that draw them into axes. They never train.

A source's module says which figures a study gets (`drawings`), and which set its studies side by side (`together`).
In a notebook, give a plot function rows of runs.csv, curves.csv or paths.csv, and axes or none:

    curves = studies.results("results").curves
    plot_curves(curves[curves["stage"] == "repeat"], "val_loss")
"""

from studies.figures import bushaev, korzeniowski, network, perez
from studies.figures.dots import differences, plot_beside_published, plot_differences, plot_dots
from studies.figures.grids import loss_grid, plot_heat_map, plot_robustness, plot_sensitivity, robustness
from studies.figures.lines import plot_curves
from studies.figures.style import PAGE, RATES, Drawing
from studies.figures.synthetic import plot_paths

__all__ = [
    "PAGE",
    "RATES",
    "Drawing",
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


def of_source(source):
    """Return the module that draws the networks of a source, by the first word of its studies' names."""
    return {"korzeniowski": korzeniowski, "perez": perez, "bushaev": bushaev}.get(source, network)


def rates_of(source):
    """Return what a source calls losses and accuracies, {column: name}."""
    return korzeniowski.NAMES if source == "korzeniowski" else RATES
