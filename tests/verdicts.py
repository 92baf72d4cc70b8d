"""Made-up tables whose answers are known, and the verdict of each."""

from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from studies.catalog import STUDIES
from studies.claims import (
    verdicts,
)
from studies.tables import CURVE_COLUMNS, PATH_COLUMNS, RUN_COLUMNS

CURVES = pd.DataFrame(columns=CURVE_COLUMNS)


def run(study, optimizer, seed, **values):
    row = {"study": study, "optimizer": optimizer, "seed": seed, "variant": "", "stage": "repeat", "schedule": ""}
    row |= {"learning_rate": 0.001, "beta_2": 0.999, "bias_correction": True, "status": "ok", "epochs": 1000}
    return row | values


def table(rows, columns=RUN_COLUMNS):
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*columns, *(rows[0] if rows else ())])))


def verdict(number, runs=(), paths=()):
    found = verdicts(table(list(runs)), CURVES, table(list(paths), PATH_COLUMNS))
    return found[number - 1]


def pairs(change, study="mcgill-feedforward", seeds=10, spread=0.001, metric="train_loss", **values):
    """Return runs of Adam (loss about 1) and of AMSGrad, whose loss differs by `change` in the mean."""
    noise = stats.norm.ppf((np.arange(seeds) + 0.5) / seeds)
    runs = []
    for seed in range(seeds):
        level = 1 + 0.3 * (-1) ** seed  # seeds differ much more than optimizers
        runs.append(run(study, "Adam", seed, **{metric: level}, **values))
        runs.append(run(study, "AMSGrad", seed, **{metric: level + change + spread * noise[seed]}, **values))
    return runs


def grid_of_pairs(changes, metric, study="korzeniowski-logistic"):
    """Return paired runs in the 12 settings of a grid."""
    settings = product((0.01, 0.001, 0.0001), (0.99, 0.999), (True, False))
    runs = []
    for change, (alpha, beta_2, corrected) in zip(changes, settings, strict=True):
        names = {"learning_rate": alpha, "beta_2": beta_2, "bias_correction": corrected, "schedule": "linear"}
        runs += pairs(change, study, metric=metric, **names)
    return runs


def walk(study, optimizer, end, variant="", seed=0, regret=(1.0, 1.0), gamma_min=0.0, **values):
    steps = STUDIES[study].steps
    row = {"study": study, "variant": variant, "optimizer": optimizer, "seed": seed, "gamma_min": gamma_min} | values
    return [row | {"t": t, "x": end, "average_regret": r} for t, r in zip((steps // 10, steps), regret, strict=True)]


def walks(optimizer, end, **values):
    rows = walk("synthetic-online", optimizer, end, **values)
    for variant in ("C=3", "C=5"):
        rows += walk("synthetic-mod3", optimizer, end, variant, **values)
    for seed in range(20):
        rows += walk("synthetic-stochastic", optimizer, end + 1e-3 * seed, seed=seed, **values)
    return rows
