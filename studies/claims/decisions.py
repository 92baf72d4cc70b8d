"""What the pieces of evidence of one reading add up to."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from math import isnan, nan

from studies.claims.claim import Reading
from studies.claims.evidence import Evidence, Found, Tables
from studies.claims.statistics import LEVEL, MOST, p_of_at_least
from studies.claims.words import CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, NOT_RUN, SUPPORTED, number

COUNTED = {
    SUPPORTED: "support the claim",
    CONTRADICTED: "contradict it",
    NO_DIFFERENCE: "show no practical difference",
    INCONCLUSIVE: "are inconclusive",
    NOT_RUN: "were not run",
}


@dataclass(frozen=True)
class Part:
    """What the tables say of one piece of evidence."""

    evidence: Evidence
    found: Found
    verdict: str

    @property
    def p(self) -> float:
        return self.found.p

    @property
    def badness(self) -> float:
        """How far the estimate lies on the side that counts against the claim. It only orders the parts."""
        estimate, direction = self.found.estimate, self.evidence.direction
        return abs(estimate) if direction == "same" else estimate if direction in ("lower", "not higher") else -estimate

    def p_on(self, side: int) -> float:
        """Return the p that counts for (side 1) or against (-1) the claim; 1 if the estimate is on the other side."""
        if isnan(self.p):
            return 1.0
        if self.evidence.direction == "same":
            return self.p
        edge = {"not lower": -1, "not higher": 1}.get(self.evidence.direction, 0) * self.evidence.margin
        speaks_for = self.found.estimate > edge
        if self.evidence.direction in ("lower", "not higher"):
            speaks_for = self.found.estimate < edge
        return self.p if speaks_for == (side > 0) else 1.0


@dataclass(frozen=True)
class Decision:
    """What the pieces of a reading add up to, before the other claims of its source are considered."""

    reading: Reading
    parts: tuple[Part, ...]
    p_holm: float = nan

    @property
    def needed(self) -> int:
        """How many pieces must support the claim."""
        return len(self.parts) // 2 + 1 if self.reading.agreement == "most" else len(self.parts)

    @cached_property
    def run(self) -> list[Part]:
        """The pieces that there are runs of, the one that counts most against the claim last."""
        return sorted((part for part in self.parts if part.found.n), key=lambda part: part.badness)

    @property
    def deciding(self) -> Part:
        """The last of the pieces that the claim needs."""
        return self.run[min(self.needed, len(self.run)) - 1]

    @cached_property
    def uncorrected(self) -> str:
        """The verdict without regard to other claims."""
        if not self.run:
            return NOT_RUN
        counts, every = Counter(part.verdict for part in self.parts), len(self.parts)
        if self.reading.agreement == "mixed":
            return _mixed(counts, every)
        if counts[SUPPORTED] >= self.needed:
            return SUPPORTED
        if counts[CONTRADICTED] > every - self.needed:
            return CONTRADICTED
        return NO_DIFFERENCE if counts[NO_DIFFERENCE] > every / 2 else INCONCLUSIVE

    @cached_property
    def p(self) -> float:
        """The p-value of the reading, or of its contrary; NaN where no piece is tested."""
        if self.reading.agreement == "mixed" or all(isnan(part.p) for part in self.parts):
            return nan
        opposite = len(self.parts) - self.needed + 1
        against = p_of_at_least(opposite, [part.p_on(-1) for part in self.parts])
        if all(part.evidence.direction == "same" for part in self.parts):
            return min(1.0, against)
        return min(1.0, against, p_of_at_least(self.needed, [part.p_on(1) for part in self.parts]))

    @property
    def fails(self) -> bool:
        """Whether the verdict rests on a test that does not hold after Holm's correction."""
        rests = not isnan(self.p_holm) and self.uncorrected in (SUPPORTED, CONTRADICTED)
        equal = all(part.evidence.direction == "same" for part in self.parts) and self.uncorrected == SUPPORTED
        return rests and not equal and self.p_holm >= LEVEL

    @property
    def verdict(self) -> str:
        return INCONCLUSIVE if self.fails else self.uncorrected


def decide(reading: Reading, tables: Tables) -> Decision:
    """Return what the tables say of a reading."""
    found = [each.measure(tables) for each in reading.evidence]
    pairs = zip(reading.evidence, found, strict=True)
    return Decision(reading, tuple(Part(each, measured, each.judged(measured)) for each, measured in pairs))


def _mixed(counts: Counter[str], every: int) -> str:
    """Return the verdict on "neither is ahead throughout"."""
    if every in (counts[SUPPORTED], counts[CONTRADICTED]):
        return CONTRADICTED
    decided = [verdict for verdict in (SUPPORTED, CONTRADICTED, NO_DIFFERENCE) if counts[verdict]]
    return SUPPORTED if len(decided) > 1 or counts[NO_DIFFERENCE] == every else INCONCLUSIVE


def sentence(decision: Decision) -> str:
    """Return a reading's evidence in words: how many pieces say what, the deciding one, n, p, and what is missing."""
    if not decision.run:
        return "Not run: n = 0."
    part, words = decision.deciding, []
    if len(decision.parts) > 1:
        counts = Counter(each.verdict for each in decision.parts)
        told = ", ".join(f"{counts[each]} {text}" for each, text in COUNTED.items() if counts[each])
        words.append(f"Of {len(decision.parts)} comparisons, {told}. Deciding comparison: {part.evidence.label}:")
    p = "" if isnan(decision.p_holm) else f"; p = {number(decision.p_holm)} after Holm's correction"
    words.append(f"{part.found.text}; n = {part.found.n}{p}.")
    text = " ".join([*words, *remarks(decision)])
    return text[0].upper() + text[1:]


def remarks(decision: Decision, not_below: str = "That is not below .05.") -> list[str]:
    """Return what a reader should know of a reading that was run, beside its numbers: what is missing, and how much.

    `not_below` is said where the p after Holm's correction does not hold.
    """
    part = decision.deciding
    undecided = part.verdict in (INCONCLUSIVE, NO_DIFFERENCE) and part.found.needed
    needed = needed_in_words(part.found.needed) if undecided else ""
    return [each for each in (part.found.reason, not_below if decision.fails else "", needed) if each]


def needed_in_words(pairs: int) -> str:
    """Return how many pairs would decide a comparison, in words."""
    many = f"more than {MOST:,} pairs" if pairs >= MOST else f"{pairs:,} pairs"
    return f"With this spread, {many} would tell the difference from the smallest that matters."
