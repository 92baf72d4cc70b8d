"""Made-up results, quick input for figures and the report: rows of the tables, and whole folders with records."""

import dataclasses
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd

from studies.catalog.fit import fit_of
from studies.records.journal import Journal
from studies.records.outcome import Outcome
from studies.records.tables import CURVE_COLUMNS, PATH_COLUMNS, RUN_COLUMNS

DATA = SimpleNamespace(fingerprint="made up")
SHIFT = {"Adam": 0.0, "AMSGrad": -0.03, "AdaMax": 0.08}


def fits(study, arms, *, seeds=3, epochs=8, stage="repeat", folds=(None,)):
    """Return (runs, curves) of made-up fits: a row for each arm (a dict of columns), seed and fold, and each epoch."""
    runs, curves = [], []
    for arm, seed, fold in product(arms, range(seeds), folds):
        key = {"study": study, "variant": "", "stage": stage, "model": "feedforward", "schedule": "", "fold": fold}
        key |= {"bias_correction": True, "learning_rate": 0.001, "beta_2": 0.999, "options": "", "seed": seed} | arm
        epoch_rows = pd.DataFrame(history(key, epochs))
        curves.append(epoch_rows.assign(epoch=range(1, epochs + 1), **key))
        best = {"best_val_loss": epoch_rows["val_loss"].min(), "best_val_accuracy": epoch_rows["val_accuracy"].max()}
        status = "ok" if np.isfinite(epoch_rows["val_loss"].iloc[-1]) else "diverged"
        runs.append(key | epoch_rows.iloc[-1].to_dict() | best | {"epochs": epochs, "status": status, "seconds": 1.5})
    return pd.DataFrame(runs).reindex(columns=RUN_COLUMNS), pd.concat(curves)[CURVE_COLUMNS]


def history(key, epochs):
    """Return the made-up history of a fit: it falls, higher far from a rate of .001, and is lost at one of 1e3."""
    common = np.random.default_rng(key["seed"] + 100 * (key["fold"] or 0))
    own = np.random.default_rng(sum(map(ord, repr(sorted(key.items(), key=str)))))
    level = 0.25 + 0.06 * abs(np.log10(key["learning_rate"] / 0.001)) + SHIFT.get(key["optimizer"], 0.03)
    loss = level * (1 + 2 / np.arange(1, epochs + 1)) * common.normal(1, 0.01, epochs) * own.normal(1, 0.02)
    if key["learning_rate"] >= 1e3:
        loss[epochs // 2 :] = np.nan
    return {
        "train_loss": loss.tolist(),
        "train_accuracy": (1 - 0.3 * loss).tolist(),
        "val_loss": (1.1 * loss).tolist(),
        "val_accuracy": (1 - 0.33 * loss).tolist(),
    }


def paths(study="synthetic-mod3", variants=("C=3", "C=5"), seeds=3):
    """Return made-up rows of paths.csv: Adam goes to +1, AMSGrad to -1."""
    t = np.unique(np.geomspace(1, 1e6, 50).round().astype(int))
    parts = []
    for variant, optimizer, seed in product(variants, ("Adam", "AMSGrad"), range(seeds)):
        x = (1 if optimizer == "Adam" else -1) * np.tanh(t / 1e4 * (1 + 0.3 * seed))
        part = pd.DataFrame({"t": t, "x": x, "average_regret": (1 + x) / 3, "gamma_min": -0.1 * (x > 0)})
        parts.append(part.assign(study=study, variant=variant, optimizer=optimizer, seed=seed))
    return pd.concat(parts).reindex(columns=PATH_COLUMNS)


def grid(rates=(1e-4, 1e-3, 1e-2, 0.1, 1.0), betas=(0.99, 0.999), **same):
    """Return an arm for each of Adam and AMSGrad, learning rate and beta_2."""
    names = ("optimizer", "learning_rate", "beta_2")
    return [dict(zip(names, each, strict=True)) | same for each in product(("Adam", "AMSGrad"), rates, betas)]


def record(out, study, findings=None):
    """Write a plan and a made-up record of every fit of a `NetworkStudy` into the results folder `out`."""
    journal, found = Journal(out), [*_search(study), *_repeats(study)]
    journal.plan(study, found, findings)
    for fit in found:
        losses = history(dataclasses.asdict(fit), fit.epochs)
        journal.write(fit, Outcome("ok", losses, 2.0, "tensorflow", "cpu:0", {"keras": "3.15.0"}))


def _search(study):
    for arm in study.arms if study.search else ():
        for setting, fold in product(study.search.settings(arm), range(study.search.folds)):
            yield fit_of(study, DATA, arm.at(setting), "search", study.search.epochs, fold=fold)


def _repeats(study):
    for arm, seed in product(study.arms, range(study.seeds)):
        chosen = arm if arm.learning_rate else dataclasses.replace(arm, learning_rate=0.001, beta_2=0.999)
        yield fit_of(study, DATA, chosen, "repeat", study.epochs, seed)
