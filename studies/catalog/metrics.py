"""The metrics of runs: what they are called, and the smallest differences that matter (the ROPE)."""

# Of losses a share of the other side's; of accuracies a fraction of the rows (D). A training loss is read off a figure
# in most sources: 2 % is the width of a line on its axis.
ROPES = {"train_loss": 0.02, "loss": 0.01, "accuracy": 0.001}


def is_accuracy(metric: str) -> bool:
    """Return whether a column of runs.csv holds accuracies; the other metrics are losses."""
    return metric.endswith("accuracy")


def rope_of(metric: str) -> float:
    """Return the smallest difference of a metric that matters: of losses relative, of accuracies absolute.

    >>> rope_of("train_loss"), rope_of("best_val_loss"), rope_of("val_accuracy")
    (0.02, 0.01, 0.001)
    """
    return ROPES["accuracy" if is_accuracy(metric) else "train_loss" if metric == "train_loss" else "loss"]


def names_of(rows: str) -> dict[str, str]:
    """Return what losses and accuracies are called, {column: name}, where the rows that validate are called `rows`.

    >>> names_of("validation")["val_loss"]
    'validation loss'
    """
    return {
        f"{part}_{what}": f"{name} {what}"
        for what in ("loss", "accuracy")
        for part, name in (("train", "training"), ("val", rows))
    }


def in_words() -> str:
    """Return the smallest differences that matter, in words.

    >>> in_words()
    '2 % of a training loss, 1 % of another loss, 0.1 points of accuracy'
    """
    train, loss, accuracy = (100 * ROPES[each] for each in ("train_loss", "loss", "accuracy"))
    return f"{train:g} % of a training loss, {loss:g} % of another loss, {accuracy:g} points of accuracy"
