"""The claims of the sources as data, and the verdict of the records on each.

sources/         the claims: quotes, readings, evidence
own.py           the questions of comparisons of one's own
claim.py         what a claim and a reading are
evidence.py      what a piece of evidence is
comparisons.py   runs against runs, paired by seed; quantities.py: what is computed of the runs of a seed
shares.py        in how many pairs a side is ahead
grids.py         searches and grids of settings
walks.py         the one-dimensional problems
authors.py       the runs that an author published
statistics.py    intervals, tests, Holm's correction
verdicts.py      what it adds up to; decisions.py: of one reading; table.py: as a table
"""

from studies.claims.claim import Claim, Reading
from studies.claims.sources import CLAIMS
from studies.claims.table import frame
from studies.claims.verdicts import Verdict, verdicts
from studies.claims.words import CONTRADICTED, DEPENDS, INCONCLUSIVE, NO_DIFFERENCE, NOT_RUN, SUPPORTED

__all__ = [
    "CLAIMS",
    "CONTRADICTED",
    "DEPENDS",
    "INCONCLUSIVE",
    "NOT_RUN",
    "NO_DIFFERENCE",
    "SUPPORTED",
    "Claim",
    "Reading",
    "Verdict",
    "frame",
    "verdicts",
]
