"""The questions of comparisons of one's own: is an optimizer better than Adam?"""

from collections.abc import Iterable, Sequence

from studies.catalog import NetworkStudy, SyntheticStudy
from studies.claims.claim import Claim, single
from studies.claims.comparisons import versus

ASKED = "You ask, of "  # what the source of such a claim begins with
METRICS = {"val_loss": ("loss is lower", "lower"), "val_accuracy": ("accuracy is higher", "higher")}


def only_own(studies: Sequence[NetworkStudy | SyntheticStudy]) -> bool:
    """Return whether studies are comparisons of one's own, and nothing else: then no claim of a source is asked."""
    return bool(studies) and all(isinstance(study, NetworkStudy) and study.own_command for study in studies)


def own_claims(studies: Iterable[NetworkStudy | SyntheticStudy], first: int) -> tuple[Claim, ...]:
    """Return a claim for each optimizer but Adam, and metric, of each comparison; numbers count from `first`.

    Claims of one comparison are one family: their p-values are corrected together.
    """
    asked = [
        (study, arm.optimizer, metric)
        for study in studies
        if isinstance(study, NetworkStudy) and study.own_command
        for arm in study.arms
        for metric in METRICS
        if arm.optimizer != "Adam"
    ]
    return tuple(_claim(first + k, *each) for k, each in enumerate(asked))


def _claim(number: int, study: NetworkStudy, optimizer: str, metric: str) -> Claim:
    words, direction = METRICS[metric]
    return Claim(
        number=number,
        source=f"{ASKED}{study.title}",
        text=f"{optimizer}'s final validation {words} than Adam's.",
        readings=single(versus(study.name, optimizer, "Adam", metric, direction)),
        commands=(study.own_command,) if study.own_command else (),
    )
