"""The metrics of runs: what they are called, and the smallest differences that matter (the ROPE).

A run has losses, of which the lower is better, and scores, of which the higher is better: the accuracy, or of a
regression R². Losses are compared by their ratio, scores by their difference in points: a point is .01.
"""

from collections.abc import Iterable
from typing import Any

SQUARED_ERROR = "mean_squared_error"  # the usual loss of a regression
MULTILABEL = "multilabel_crossentropy"  # the usual loss where a row may have several labels
OWN, OWN_OF_NUMBERS = "own", "own_of_numbers"  # losses that a user chose, the second one of a regression
SCORES = {"accuracy": "accuracy", "r2": "R²"}  # in words, by the end of the column

# Of losses a share of the other side's; of scores an absolute difference (D). A training loss is read off a figure in
# most sources: 2 % is the width of a line on its axis. R² is 1 less the ratio of the squared error to the variance of
# the targets: where it is one half, a squared error that is lower by 1 % makes it higher by .005.
ROPES = {"train_loss": 0.02, "loss": 0.01, "accuracy": 0.001, "r2": 0.005}


def score_of(loss: str) -> str:
    """Return which score is measured beside a loss.

    >>> score_of("mean_squared_error"), score_of("sparse_categorical_crossentropy")
    ('r2', 'accuracy')
    """
    return "r2" if loss in (SQUARED_ERROR, OWN_OF_NUMBERS) else "accuracy"


def score_in(rows: Any) -> str:
    """Return which score the runs of one study have, from its rows of runs.csv or curves.csv, a pandas frame."""
    other = "val_accuracy" in rows and rows["val_accuracy"].notna().any()
    return "r2" if "val_r2" in rows and not other else "accuracy"


def is_score(metric: str) -> bool:
    """Return whether a column of runs.csv holds scores; the other metrics are losses."""
    return metric.rpartition("_")[2] in SCORES


def is_accuracy(metric: str) -> bool:
    """Return whether a column of runs.csv holds accuracies, which are told in percent."""
    return metric.endswith("accuracy")


def rope_of(metric: str) -> float:
    """Return the smallest difference of a metric that matters: of losses relative, of scores absolute.

    >>> rope_of("train_loss"), rope_of("best_val_loss"), rope_of("val_accuracy"), rope_of("best_val_r2")
    (0.02, 0.01, 0.001, 0.005)
    """
    end = metric if metric == "train_loss" else metric.rpartition("_")[2]
    return ROPES.get(end, ROPES["loss"])


def names_of(rows: str, score: str = "accuracy") -> dict[str, str]:
    """Return what losses and scores are called, {column: name}, where the rows that validate are called `rows`.

    >>> names_of("validation")["val_loss"], names_of("test", "r2")["val_r2"]
    ('validation loss', 'test R²')
    """
    return {
        f"{part}_{what}": f"{name} {words}"
        for what, words in (("loss", "loss"), (score, SCORES[score]))
        for part, name in (("train", "training"), ("val", rows))
    }


def in_words(scores: Iterable[str] = ("accuracy",)) -> str:
    """Return the smallest differences that matter, in words.

    >>> in_words()
    '2 % of a training loss, 1 % of another loss, 0.1 points of accuracy'
    """
    losses = f"{100 * ROPES['train_loss']:g} % of a training loss, {100 * ROPES['loss']:g} % of another loss"
    return ", ".join([losses, *(f"{100 * ROPES[each]:g} points of {SCORES[each]}" for each in scores)])
