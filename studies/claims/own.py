"""The questions of comparisons of one's own: is an optimizer better than Adam?"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from studies.catalog import Arm, NetworkStudy, SyntheticStudy
from studies.catalog.metrics import OWN, OWN_OF_NUMBERS, SQUARED_ERROR, is_score, score_of
from studies.catalog.variant import named
from studies.claims.claim import Claim, single
from studies.claims.comparisons import pairs_of
from studies.claims.words import METRICS

ASKED = "You ask, of "  # what the source of such a claim begins with


def only_own(studies: Sequence[NetworkStudy | SyntheticStudy]) -> bool:
    """Return whether studies are comparisons of one's own, and nothing else: then no claim of a source is asked."""
    return bool(studies) and all(isinstance(study, NetworkStudy) and study.own_command for study in studies)


def own_claims(studies: Iterable[NetworkStudy | SyntheticStudy], first: int) -> tuple[Claim, ...]:
    """Return a claim for each optimizer but Adam, the reference, and metric, of each comparison.

    Numbers count from `first`.

    Claims of one comparison are one family: their p-values are corrected together.
    """
    asked = [
        (study, arm, metric)
        for study in studies
        if isinstance(study, NetworkStudy) and study.own_command
        for arm in study.arms
        for metric in ("val_loss", f"val_{score_of(study.loss)}")
        if arm.optimizer != "Adam" or arm.variant
    ]
    return tuple(_claim(first + k, *each) for k, each in enumerate(asked))


def _claim(number: int, study: NetworkStudy, arm: Arm, metric: str) -> Claim:
    better = "higher" if is_score(metric) else "lower"
    adam = {"study": study.name, "optimizer": "Adam"}
    other = {**adam, "optimizer": arm.optimizer} | ({"variant": arm.variant} if arm.variant else {})
    pairs = pairs_of((other, adam), metric, better)
    if study.loss in (SQUARED_ERROR, OWN, OWN_OF_NUMBERS):  # which is small or large as the unit of the targets is
        pairs = replace(pairs, tiny=0.0)
    return Claim(
        number=number,
        source=f"{ASKED}{study.title}",
        text=f"{named(arm.optimizer, arm.variant)}'s {METRICS[metric]} is {better} than Adam's.",
        readings=single(pairs),
        commands=(study.own_command,) if study.own_command else (),
    )
