"""Single fits and repeated training: one setting for each optimizer, several seeds."""

from collections.abc import Sequence

from studies.catalog import Arm, NetworkStudy
from studies.catalog.fit import Fit, fit_of
from studies.catalog.lineup import FINAL, TUNING
from studies.data.dataset import Dataset
from studies.data.folds import folds
from studies.records.journal import Journal
from studies.training import batchwise
from studies.training.estimator import classifier


def repeat_fits(study: NetworkStudy, data: Dataset, arms: Sequence[Arm]) -> list[Fit]:
    """Return every fit of the repeated training of some arms with their settings."""
    return [
        fit_of(study, data, arm, stage="repeat", epochs=study.epochs, seed=seed)
        for arm in arms
        for seed in range(study.seeds)
    ]


def train(fit: Fit, data: Dataset, journal: Journal) -> None:
    """Train a fit and record it, with validation after every epoch: on its fold if it has one, else on the test set."""
    if fit.stage in (TUNING, FINAL):
        journal.write(fit, batchwise.trained(fit, data))
        return
    x, y = data.x_train, data.y_train
    each = classifier(fit, data, journal)
    if fit.folds is not None and fit.fold_seed is not None:
        fold_of = folds(y, fit.folds, fit.fold_seed)
        rows = fold_of != fit.fold
        each.fit(x[rows], y[rows], fold_of=fold_of[rows], pool=(x, y, fold_of))
    else:
        each.fit(x, y, validation_data=(data.x_test, data.y_test))
