"""What a claim is, what a part of the evidence says of it, and a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import pandas as pd

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
NO_DIFFERENCE = "no practical difference"
INCONCLUSIVE = "inconclusive"
NOT_RUN = "not run"

LOSS, ACCURACY = 0.005, 0.001  # ROPE: relative to Adam's loss; a tenth of a point of accuracy (D)


@dataclass(frozen=True)
class Tables:
    """The tables of a results folder, as `studies.tables` makes them."""

    runs: pd.DataFrame
    curves: pd.DataFrame
    paths: pd.DataFrame


@dataclass(frozen=True)
class Claim:
    """One statement of a source, and how it is judged.

    Advantages are numbers that count for the claim when positive: relative differences for a loss (relative to
    Adam's where Adam takes part), differences of the fraction for an accuracy. `direction` says what they must be:

    "better"    beyond the ROPE
    "no worse"  above minus the ROPE
    "same"      inside the ROPE, on either side
    """

    number: int
    source: str
    text: str
    studies: tuple[str, ...]
    metric: str  # a column of the tables
    direction: str
    rope: float  # the smallest advantage worth calling one
    measure: Callable[["Claim", Tables], list["Part"]]
    agreement: str = "all"  # of its parts; "most": more than half; "mixed": it says that they do not agree
    readings: tuple[str, ...] = ()  # schedules between which the source leaves the choice
    commands: tuple[str, ...] = ()  # what to run; empty: the studies
    seeded: bool = True  # more seeds strengthen it
    if_contradicted: str = ""  # what we find behind our disagreement with the source


@dataclass(frozen=True)
class Part:
    """What one setting, problem or cell says of a claim. n = 0: nothing was run."""

    study: str
    label: str
    n: int = 0
    estimate: float = nan
    low: float = nan
    high: float = nan
    p: float = nan  # two-sided, of this part alone
    verdict: str = NOT_RUN
    text: str = ""  # the estimate in words
    reason: str = ""  # why there is no verdict
    other_study: str = ""  # of the second side, where it is not the first's


@dataclass(frozen=True)
class Verdict:
    """What the records say of a claim.

    `n`, `estimate` and `interval` (95 %) are those of the part that decides: of the weakest where all must agree.
    They are advantages as `Claim` has them, or distances from what is claimed; the sentence says them in words. `p` is
    the claim's own, `p_holm` corrected for all claims of its source; NaN where the verdict rests on no test.
    """

    claim: Claim
    verdict: str
    n: int
    estimate: float
    interval: tuple[float, float]
    sentence: str
    needs: tuple[str, ...] = ()  # commands that would make or strengthen the verdict
    p: float = nan
    p_holm: float = nan

    @property
    def reason(self):
        """Return what we find behind a disagreement with the source, where there is one."""
        return self.claim.if_contradicted if self.verdict == CONTRADICTED else ""
