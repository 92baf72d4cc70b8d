"""Bushaev's figures: variants of Adam side by side, and L2 against decoupled decay as heat maps."""

import pandas as pd

from studies.figures import grids, network
from studies.figures.style import Drawing, text

WAYS = {"l2": "L2 penalty", "decoupled": "decoupled decay"}


def drawings(study, runs, curves):
    """Return the figures of one study's rows: the decay heat maps where it varies the decay, else the comparison."""
    decays = decay_of(runs)
    if len(decays):
        return _of_decays(decays)
    own = text(study.get("variant"))
    repeats = runs[runs["stage"] == "repeat"]
    plain = repeats[
        (repeats["optimizer"] == "Adam") & (repeats["variant"].map(text) == own) & (repeats["schedule"].map(text) == "")
    ]
    return network.drawings(study, runs, curves, base=plain)


def together(runs, curves):
    """Return no figure: each study of this source stands for itself."""
    return []


def decay_of(runs):
    """Return the rows whose variant ends in l2=DECAY or decoupled=DECAY, with columns `way` and `weight_decay`."""
    found = runs["variant"].map(text).str.extract(r"(?:^|\+)(?P<way>l2|decoupled)=(?P<weight_decay>[-+.\de]+)$")
    return runs.assign(way=found["way"], weight_decay=pd.to_numeric(found["weight_decay"])).dropna(subset="way")


def _of_decays(runs):
    found = []
    for metric, name in (
        ("val_accuracy", "test error (%), mean over seeds"),
        ("train_accuracy", "training error (%), mean over seeds"),
    ):
        errors = runs.assign(error=100 * (1 - runs[metric]))
        maps = {
            WAYS[way]: grids.loss_grid(rows, "learning_rate", "weight_decay", "error")
            for way, rows in errors.groupby("way", sort=False)
        }
        caption = (
            f"{name.split(',')[0].capitalize()} over rate and decay. Where they are separate choices, the low region "
            "stands upright or lies flat; where they are tied, it runs along a diagonal. Box: the lowest."
        )
        rows = (
            errors.groupby(["way", "learning_rate", "weight_decay"])["error"].agg(["size", "mean", "std"]).reset_index()
        )
        found.append(Drawing(f"decay-{metric.split('_')[0]}", grids.heat_maps(maps, label=name), caption, rows))
    return found
