"""Tune: find the setting that suits an optimizer, by cross-validation over a grid."""

import dataclasses
import math
import warnings

from sklearn.model_selection import GridSearchCV, PredefinedSplit

from studies.catalog import Arm, NetworkStudy, Search, Setting
from studies.catalog.fit import Fit, fit_of
from studies.catalog.variant import PROTOCOL
from studies.data.dataset import Dataset
from studies.data.folds import folds
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.training.estimator import classifier


def search_fits(study: NetworkStudy, data: Dataset, arm: Arm) -> list[Fit]:
    """Return every fit of the search for one arm's setting."""
    search = _search_of(study)
    return [
        dataclasses.replace(_search_fit(study, data, arm.at(setting)), fold=fold)
        for setting in search.settings(arm)
        for fold in range(search.folds)
    ]


def tune(study: NetworkStudy, data: Dataset, arm: Arm, journal: Journal) -> Setting:
    """Search the study's grid for an arm with scikit-learn's GridSearchCV and return the best `Setting`.

    The best has the lowest validation loss, or the highest accuracy, after the last epoch, averaged over the folds: the
    search's `select` says which. A setting that diverged in any fold ranks last.
    """
    search, y = _search_of(study), data.y_train
    settings, fold_of = search.settings(arm), folds(y, search.folds, search.fold_seed)
    fits = [_search_fit(study, data, arm.at(setting)) for setting in settings]
    grid = GridSearchCV(
        classifier(fits[0], data, journal, select=search.select),
        {"work": fits},
        cv=PredefinedSplit(fold_of),
        refit=False,
        error_score="raise",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
        grid.fit(data.x_train, y, fold_of=fold_of, pool=(data.x_train, y, fold_of))
    if not math.isfinite(grid.best_score_):
        raise StudyError(f"Every setting of {arm.label} diverged in the search of {study.name}.")
    return settings[grid.best_index_]


def _search_fit(study: NetworkStudy, data: Dataset, arm: Arm) -> Fit:
    search = _search_of(study)
    fit = fit_of(
        dataclasses.replace(study, variant=PROTOCOL) if search.of_protocol else study,
        data,
        dataclasses.replace(arm, schedule=search.schedule or arm.schedule),
        stage="search",
        epochs=search.epochs,
        folds=search.folds,
        fold_seed=search.fold_seed,
        patience=search.patience,
    )
    return dataclasses.replace(fit, loss=search.loss or fit.loss)


def _search_of(study: NetworkStudy) -> Search:
    assert study.search is not None, f"{study.name} has no search"
    return study.search
