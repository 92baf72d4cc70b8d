"""Bushaev's figures: variants of Adam side by side, and L2 against decoupled decay as heat maps."""

import pandas as pd

from studies.catalog import NetworkStudy
from studies.catalog.variant import Variant
from studies.figures import bennatan, grids
from studies.figures.style import Drawing, text

WAYS = {"l2": "L2 penalty", "decoupled": "decoupled decay"}


def drawings(study: NetworkStudy, runs: pd.DataFrame, curves: pd.DataFrame) -> list[Drawing]:
    """Return the figures of one study's rows: the decay heat maps where it varies the decay, else the comparison."""
    decays = decay_of(runs)
    if len(decays):
        return _of_decays(decays)
    own = str(study.variant)
    repeats = runs[runs["stage"] == "repeat"]
    plain = repeats[
        (repeats["optimizer"] == "Adam") & (repeats["variant"].map(text) == own) & (repeats["schedule"].map(text) == "")
    ]
    return bennatan.drawings(study, runs, curves, base=plain)


def together(runs: pd.DataFrame, curves: pd.DataFrame) -> list[Drawing]:
    """Return no figure: each study of this source stands for itself."""
    return []


def decay_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose variant ends in l2=DECAY or decoupled=DECAY, with columns `way` and `weight_decay`."""
    variants = runs["variant"].map(Variant.parse)
    parts = [
        runs.assign(way=way, weight_decay=pd.to_numeric(variants.map(lambda each, way=way: each.value(way))))
        for way in WAYS
    ]
    return pd.concat(parts).dropna(subset="weight_decay").sort_index(kind="stable")


def _of_decays(runs: pd.DataFrame) -> list[Drawing]:
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
