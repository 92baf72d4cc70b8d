"""Single fits and repeated training: one setting for each optimizer, several seeds."""

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedKFold

from studies.estimator import classifier
from studies.journal import fit_of


def repeat_fits(study, data, arms):
    """Return every fit of the repeated training of some arms with their settings."""
    return [
        fit_of(study, data, arm, stage="repeat", epochs=study.epochs, seed=seed)
        for arm in arms
        for seed in range(study.seeds)
    ]


def repeat(fits, study, data, journal):
    """Train each fit and record it."""
    Parallel()(delayed(train)(fit, study, data, journal) for fit in fits)


def train(fit, study, data, journal):
    """Train one fit and record it, with validation after every epoch: on its fold in a search, else on the test set."""
    x, y = data.x_train, data.y_train
    each = classifier(fit, data, journal)
    if fit.stage == "search":
        fold_of = folds(study.search, y)
        rows = fold_of != fit.fold
        each.fit(x[rows], y[rows], fold_of=fold_of[rows], pool=(x, y, fold_of))
    else:
        each.fit(x, y, validation_data=(data.x_test, data.y_test))


def folds(search, y):
    """Return, for each row, the fold (0, 1, ...) in which it validates: stratified, shuffled with the search's seed."""
    fold_of = np.empty(len(y), int)
    splits = StratifiedKFold(search.folds, shuffle=True, random_state=search.fold_seed).split(y, y)
    for fold, (_, validation) in enumerate(splits):
        fold_of[validation] = fold
    return fold_of
