"""The questions of comparisons of one's own: is an optimizer better than Adam?"""

from functools import partial

from studies.claims.claim import ACCURACY, LOSS, Claim
from studies.claims.comparisons import against, compare

METRICS = (("val_loss", "loss is lower", LOSS), ("val_accuracy", "accuracy is higher", ACCURACY))


def own_claims(descriptions, first):
    """Return a claim for each optimizer but Adam, and metric, of each comparison; numbers count from `first`.

    `descriptions` are those of the plans in a folder; only comparisons have a `command` of their own. Claims of one
    comparison are one family: their p-values are corrected together.
    """
    asked = [
        (study, arm["optimizer"], *metric)
        for study in descriptions
        if study.get("command")
        for arm in study["arms"]
        for metric in METRICS
        if arm["optimizer"] != "Adam"
    ]
    return tuple(_claim(first + k, *each) for k, each in enumerate(asked))


def _claim(number, study, optimizer, metric, better, rope):
    return Claim(
        number=number,
        source=f"You ask, of {study['title']}",
        text=f"{optimizer}'s final validation {better} than Adam's.",
        studies=(study["name"],),
        metric=metric,
        direction="better",
        rope=rope,
        measure=partial(compare, sides=[against(study["name"], optimizer, "Adam")]),
        commands=(study["command"],),
    )
