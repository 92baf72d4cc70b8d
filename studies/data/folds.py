"""Folds of a search: which rows validate together."""

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold


def folds(y: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return, for each row of the targets `y`, the fold (0, 1, ...) in which it validates: shuffled.

    Folds of classes (rows,) are stratified; those of (rows, outputs) are not.

    >>> folds(np.array([0, 0, 0, 1, 1, 1]), count=3, seed=0).tolist()
    [2, 1, 0, 2, 0, 1]
    """
    fold_of = np.empty(len(y), int)
    kind = StratifiedKFold if np.ndim(y) == 1 else KFold
    splits = kind(count, shuffle=True, random_state=seed).split(y, y)
    for fold, (_, validation) in enumerate(splits):
        fold_of[validation] = fold
    return fold_of
