"""The claims of the sources as data, and the verdict of the records on each.

sources/         the claims
own.py           the questions of comparisons of one's own
comparisons.py   runs against runs, paired by seed
measures.py      spread, grids, failures, published numbers
walks.py         the one-dimensional problems
statistics.py    intervals, tests, Holm's correction
verdicts.py      what it adds up to
"""

from studies.claims.claim import CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, NOT_RUN, SUPPORTED, Claim, Verdict
from studies.claims.sources import CLAIMS
from studies.claims.verdicts import frame, verdicts

__all__ = [
    "CLAIMS",
    "CONTRADICTED",
    "INCONCLUSIVE",
    "NOT_RUN",
    "NO_DIFFERENCE",
    "SUPPORTED",
    "Claim",
    "Verdict",
    "frame",
    "verdicts",
]  # fmt: skip
