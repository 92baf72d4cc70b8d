"""Made-up tables whose answers are known, and the verdict of each."""

from itertools import product
from unittest import mock

import numpy as np
import pandas as pd
from scipy import stats

from studies.catalog import STUDIES
from studies.claims import CLAIMS, verdicts
from studies.claims.decisions import decide
from studies.claims.evidence import Tables
from studies.records.tables import CURVE_COLUMNS, PATH_COLUMNS, RUN_COLUMNS

CURVES = pd.DataFrame(columns=CURVE_COLUMNS)


def run(study, optimizer, seed, **values):
    row = {"study": study, "optimizer": optimizer, "seed": seed, "variant": "", "stage": "repeat", "schedule": ""}
    row |= {"learning_rate": 0.001, "beta_2": 0.999, "bias_correction": True, "status": "ok", "epochs": 1000}
    return row | values


def table(rows, columns=RUN_COLUMNS):
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*columns, *(rows[0] if rows else ())])))


def curves_of(run, **columns):
    """Return the rows of curves.csv of a run, `columns` {metric: values}."""
    names = {name: value for name, value in run.items() if name in CURVE_COLUMNS}
    epochs = range(1, 1 + len(next(iter(columns.values()))))
    return [
        names | {"epoch": epoch, **{name: values[epoch - 1] for name, values in columns.items()}} for epoch in epochs
    ]


def tables(runs=(), paths=(), curves=()):
    return Tables(table(list(runs)), table(list(curves), CURVE_COLUMNS), table(list(paths), PATH_COLUMNS))


def verdict(number, runs=(), paths=(), curves=()):
    """Return the verdict on a claim, with the other claims of its source counted."""
    made, source = tables(runs, paths, curves), next(each.source for each in CLAIMS if each.number == number)
    with mock.patch("studies.claims.verdicts.CLAIMS", [each for each in CLAIMS if each.source == source]):
        found = verdicts(made.runs, made.curves, made.paths)
    return next(each for each in found if each.claim.number == number)


def reading(number, name, runs=(), paths=(), curves=()):
    """Return the decision on one reading of a claim, before Holm's correction."""
    (claim,) = (each for each in CLAIMS if each.number == number)
    (chosen,) = (each for each in claim.readings if each.name == name)
    return decide(chosen, tables(runs, paths, curves))


def pairs(change, study="mcgill-feedforward", seeds=10, spread=0.001, metric="train_loss", **values):
    """Return runs of Adam (loss about 1) and of AMSGrad, whose loss differs by `change` in the mean."""
    noise = stats.norm.ppf((np.arange(seeds) + 0.5) / seeds)
    runs = []
    for seed in range(seeds):
        level = 1 + 0.3 * (-1) ** seed  # seeds differ much more than optimizers
        runs.append(run(study, "Adam", seed, **{metric: level}, **values))
        ratio = 1 + change + spread * noise[seed]
        runs.append(run(study, "AMSGrad", seed, **{metric: level * ratio}, **values))
    return runs


def grid_of_pairs(changes, metric, study="korzeniowski-logistic", rates=(0.01, 0.001, 0.0001)):
    """Return paired runs in the settings of a grid: rates x two beta_2 x with and without correction."""
    settings = product(rates, (0.99, 0.999), (True, False))
    runs = []
    for change, (alpha, beta_2, corrected) in zip(changes, settings, strict=True):
        names = {"learning_rate": alpha, "beta_2": beta_2, "bias_correction": corrected, "schedule": "linear"}
        runs += pairs(change, study, metric=metric, **names)
    return runs


def walk(study, optimizer, end, variant="", seed=0, regret=(1.0, 1.0), gamma_min=0.0, **values):
    own = STUDIES[study]
    steps = own.steps
    row = {"study": study, "variant": variant, "optimizer": optimizer, "seed": seed, "gamma_min": gamma_min} | values
    return [row | {"t": t, "x": end, "average_regret": r} for t, r in zip((steps // 10, steps), regret, strict=True)]


def walks(optimizer, end, variant="", **values):
    """Return walks on every problem of the three synthetic studies, or of a variant that all have."""
    plus = f"{variant}+" if variant else ""
    rows = walk("synthetic-online", optimizer, end, variant, **values)
    for problem in ("C=3", "C=5", "C=10"):
        rows += walk("synthetic-mod3", optimizer, end, f"{plus}{problem}", **values)
    for seed in range(20):
        rows += walk("synthetic-stochastic", optimizer, end + 1e-3 * seed, variant, seed=seed, **values)
    return rows
