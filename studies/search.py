"""Tune: find the setting that suits an optimizer, by cross-validation over a grid."""

import dataclasses
import math
import warnings

from sklearn.model_selection import GridSearchCV, PredefinedSplit

from studies.errors import StudyError
from studies.estimator import classifier
from studies.journal import fit_of
from studies.training import folds


def search_fits(study, data, arm):
    """Return every fit of the search for one arm's setting."""
    return [
        dataclasses.replace(_search_fit(study, data, arm.at(setting)), fold=fold)
        for setting in study.search.settings(arm)
        for fold in range(study.search.folds)
    ]


def tune(study, data, arm, journal):
    """Search the study's grid for an arm with scikit-learn's GridSearchCV and return the best `Setting`.

    The best has the lowest validation loss after the last epoch, averaged over the folds. A setting that diverged in
    any fold ranks last.
    """
    settings = study.search.settings(arm)
    search = GridSearchCV(
        classifier(_search_fit(study, data, arm), data, journal),
        [{f"optimizer__{name}": [x] for name, x in dataclasses.asdict(setting).items()} for setting in settings],
        cv=PredefinedSplit(fold_of := folds(study.search, data.y_train)),
        refit=False,
        error_score="raise",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
        search.fit(data.x_train, data.y_train, fold_of=fold_of, pool=(data.x_train, data.y_train, fold_of))
    if not math.isfinite(search.best_score_):
        raise StudyError(f"Every setting of {arm.label} diverged in the search of {study.name}.")
    return settings[search.best_index_]


def _search_fit(study, data, arm):
    of_search = {"folds": study.search.folds, "fold_seed": study.search.fold_seed, "patience": study.search.patience}
    return fit_of(study, data, arm, stage="search", epochs=study.search.epochs, **of_search)
