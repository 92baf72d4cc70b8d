"""Made-up results of the line-up: rows of runs.csv and curves.csv, and whole folders with records."""

import dataclasses
from itertools import product

import numpy as np
import pandas as pd

from studies.catalog import STUDIES
from studies.catalog.lineup import FINAL, MONITOR
from studies.records.journal import Journal
from studies.records.outcome import Outcome
from studies.training import lineup
from tests.made_up import DATA

RATES = (0.001, 0.01, 0.1)
ARMS = {"Adam": 0.0, "AMSGrad": -0.05, "SGD": 0.2}  # by how much the log of the loss lies from Adam's


def rows(problems=("a", "b", "c"), arms=None, seeds=8, gammas=None, noise=0.01):
    """Return (runs, curves) of made-up tuning, final and monitored runs: a loss falls by half in each of three epochs.

    `arms` maps an optimizer to the log of its loss over Adam's, or to a dictionary of these by problem.
    """
    runs, curves = [], []
    for (k, problem), (optimizer, shift) in product(enumerate(problems), (arms or ARMS).items()):
        key = {"study": "lineup", "variant": problem, "optimizer": optimizer, "schedule": "", "options": ""}
        key["bias_correction"] = True if optimizer in ("Adam", "AMSGrad") else None
        apart = shift[problem] if isinstance(shift, dict) else shift
        for rate, seed in product(RATES, range(1000, 1003)):
            level = np.exp(apart + abs(np.log10(rate / 0.01)))
            runs.append(_run(key, "tuning", rate, seed, level))
        for seed in range(seeds):
            own = np.random.default_rng([seed, k, *map(ord, optimizer)]).normal(0, noise)
            run = _run(key, "final", 0.01, seed, np.exp(apart + own)) | {"test_loss_at_best": np.exp(apart + own)}
            runs.append(run | {"test_loss": 1.1 * np.exp(apart + own)})
            curves += [key | {"stage": "final", "seed": seed, "epoch": e, "val_loss": run["val_loss"] * 2 ** (3 - e)}
                       for e in (1, 2, 3)]  # fmt: skip
    for k, problem in enumerate(problems):
        monitored = {"train_negative_gamma": (gammas or {}).get(problem, 0.1 * k), "train_tail_index": 3 - 0.2 * k}
        key = {"study": "lineup", "variant": problem, "optimizer": "Adam", "schedule": "", "bias_correction": False}
        runs.append(_run(key, "monitor", 0.01, 1000, 1.0) | monitored)
    return pd.DataFrame(runs), pd.DataFrame(curves)


def _run(key, stage, rate, seed, loss):
    of_run = {"stage": stage, "learning_rate": rate, "seed": seed, "status": "ok", "val_loss": loss}
    return key | of_run | {"best_val_loss": loss, "best_val_loss_epoch": 3}


def record(out, problem, seeds=8):
    """Write a plan and a made-up record of every fit of a problem of the catalog, with two arms, into a folder."""
    study = STUDIES["lineup"].as_variant(problem)
    search = dataclasses.replace(study.search, learning_rates=RATES)
    study = dataclasses.replace(study, arms=study.arms[:2], seeds=seeds, epochs=3, search=search)
    arms = [arm.at(study.search.settings(arm)[1]) for arm in study.arms]
    fits = [fit for arm in study.arms for fit in lineup.tuning_fits(study, DATA, arm)]
    fits += [fit for arm in arms for fit in lineup.final_fits(study, DATA, arm)]
    fits.append(lineup.monitor_fit(study, DATA, study.search.settings(study.arms[0])[1]))
    journal = Journal(out)
    journal.plan(study, fits)
    for fit in fits:
        journal.write(fit, Outcome("ok", _history(fit), 1.0, "tensorflow", "cpu:0", {"keras": "3.15.0"}))


def _history(fit):
    noise = np.random.default_rng([fit.seed, len(fit.optimizer)]).normal(0, 0.01)
    level = np.exp(ARMS[fit.optimizer] + abs(np.log10(fit.learning_rate / 0.01)) + noise)
    parts = ("train", "val", "test") if fit.stage == FINAL else ("train", "val")
    found = {f"{part}_loss": [2 * level, level, 1.1 * level] for part in parts}
    measured = {"train_negative_gamma": [0.2] * 3, "train_tail_index": [2.5] * 3} if fit.stage == MONITOR else {}
    return found | measured
