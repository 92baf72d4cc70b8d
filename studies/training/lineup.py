"""The fits of the line-up: tuning, final runs, and the run that is monitored."""

import math

import numpy as np

from studies.catalog import Arm, NetworkStudy, Setting
from studies.catalog.fit import Fit, fit_of
from studies.catalog.lineup import FINAL, MONITOR, MONITORED, TUNING
from studies.data.dataset import Dataset
from studies.errors import StudyError
from studies.records.journal import Journal


def tuning_fits(study: NetworkStudy, data: Dataset, arm: Arm) -> list[Fit]:
    """Return every fit that tunes one arm: each of its settings with each of the search's seeds."""
    assert study.search is not None
    return [
        _fit(study, data, arm.at(setting), TUNING, seed)
        for setting in study.search.settings(arm)
        for seed in study.search.seeds
    ]


def final_fits(study: NetworkStudy, data: Dataset, arm: Arm) -> list[Fit]:
    """Return the final runs of one arm at its setting."""
    return [_fit(study, data, arm, FINAL, seed) for seed in range(study.seeds)]


def monitor_fit(study: NetworkStudy, data: Dataset, chosen: Setting) -> Fit:
    """Return the run of Adam that is monitored, at the learning rate that was chosen for Adam."""
    assert study.search is not None
    return _fit(study, data, MONITORED.at(chosen), MONITOR, study.search.seeds[0])


def _fit(study: NetworkStudy, data: Dataset, arm: Arm, stage: str, seed: int) -> Fit:
    assert study.search is not None
    how = {"fold": 0, "folds": study.search.folds, "fold_seed": study.search.fold_seed}
    return fit_of(study, data, arm, stage, study.epochs, seed, **how)


def tune(study: NetworkStudy, data: Dataset, arm: Arm, journal: Journal) -> Setting:
    """Return the setting of an arm with the lowest validation loss at each run's best epoch, the mean over the seeds.

    A setting with which a run diverged ranks last.
    """
    assert study.search is not None
    settings = study.search.settings(arm)
    losses = [_loss(fit, journal) for fit in tuning_fits(study, data, arm)]
    means = np.reshape(losses, (len(settings), -1)).mean(1)
    if not np.isfinite(means).any():
        raise StudyError(f"Every learning rate of {arm.label} diverged in the tuning of {study.label}.")
    return settings[int(means.argmin())]


def _loss(fit: Fit, journal: Journal) -> float:
    """Return the lowest validation loss of a finished fit; infinity where it diverged."""
    outcome = journal.find(fit)
    assert outcome is not None, "it has been trained"
    return math.inf if outcome.status == "diverged" else min(outcome.history["val_loss"])
