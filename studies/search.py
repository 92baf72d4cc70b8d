"""Tune: find the setting that suits an optimizer, by cross-validation over a grid."""

import dataclasses
import math
import warnings

from sklearn.model_selection import GridSearchCV, PredefinedSplit

from studies.catalog import Setting
from studies.errors import StudyError
from studies.estimator import classifier
from studies.training import fit_of, folds


def search_fits(study, data, optimizer):
    """Return every fit of the search for one optimizer's setting."""
    work = _search_fit(study, data, optimizer)
    return [
        dataclasses.replace(work, learning_rate=setting.learning_rate, beta_2=setting.beta_2, fold=fold)
        for setting in study.search.settings
        for fold in range(study.search.folds)
    ]


def tune(study, data, optimizer, journal):
    """Search the study's grid with scikit-learn's GridSearchCV and return the best `Setting`.

    The best has the lowest validation loss after the last epoch, averaged over the folds. A setting that diverged in
    any fold ranks last.
    """
    search = GridSearchCV(
        classifier(_search_fit(study, data, optimizer), data, journal),
        {"optimizer__learning_rate": study.search.learning_rates, "optimizer__beta_2": study.search.beta_2s},
        cv=PredefinedSplit(fold_of := folds(study.search, data.y_train)),
        refit=False,
        error_score="raise",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
        search.fit(data.x_train, data.y_train, fold_of=fold_of, pool=(data.x_train, data.y_train, fold_of))
    if not math.isfinite(search.best_score_):
        raise StudyError(f"Every setting of {optimizer} diverged in the search of {study.name}.")
    best = search.best_params_
    return Setting(best["optimizer__learning_rate"], best["optimizer__beta_2"])


def _search_fit(study, data, optimizer):
    return dataclasses.replace(
        fit_of(study, data, optimizer, stage="search", epochs=study.search.epochs),
        folds=study.search.folds,
        fold_seed=study.search.fold_seed,
    )
