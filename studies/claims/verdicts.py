"""Verdicts: what pieces of evidence add up to, reading by reading, and how robust that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan, nan
from typing import Any

import pandas as pd

from studies.catalog import STUDIES, Command, NetworkStudy, OwnCommand, SyntheticStudy, Variant
from studies.catalog.variant import PUBLISHED
from studies.claims.claim import Claim
from studies.claims.decisions import Decision, Part, decide, sentence
from studies.claims.evidence import Tables
from studies.claims.own import only_own, own_claims
from studies.claims.sources import CLAIMS
from studies.claims.statistics import ENOUGH, holm
from studies.claims.words import CONTRADICTED, DEPENDS, INCONCLUSIVE, NO_DIFFERENCE, NOT_RUN, SUPPORTED

# Kinds of evidence that more seeds do not strengthen.
UNSEEDED = (
    "walks",
    "choice",
    "walks apart",
    "steps until near",
    "rank correlation",
    "range",
)


@dataclass(frozen=True)
class Verdict:
    """What the records say of a claim: of each of its readings, and of all of them together.

    `flips` holds the verdicts that other choices would give, by choice, where they are not the claim's own.
    """

    claim: Claim
    decisions: tuple[Decision, ...]
    flips: dict[str, str]

    @property
    def counted(self) -> list[Decision]:
        """The readings that make the verdict."""
        return counted(self.decisions)

    @property
    def verdict(self) -> str:
        return together(each.verdict for each in self.counted)

    @property
    def by_author(self) -> bool:
        """Whether it rests on the author's own runs."""
        parts = [part for each in self.counted for part in each.run]
        return bool(parts) and all(part.evidence.kind.startswith("author") for part in parts)

    @property
    def n(self) -> int:
        return self.counted[0].deciding.found.n if self.counted else 0

    @property
    def p_holm(self) -> float:
        """The corrected p of the first reading that counts; NaN where it rests on no test."""
        return self.counted[0].p_holm if self.counted else nan

    @property
    def values(self) -> str:
        """Both values of the comparison that decides the first reading that counts, in words."""
        if not self.counted:
            return ""
        found = self.counted[0].deciding.found
        return found.values or found.text

    @property
    def robust(self) -> str:
        """The verdicts that other choices would give, in words; "robust" where all give the same."""
        if not self.counted:
            return ""
        return "; ".join(f"{choice}: {verdict}" for choice, verdict in self.flips.items()) or "robust"

    @property
    def sentence(self) -> str:
        """The evidence in words, of the first reading that counts; which reading gives which verdict."""
        if not self.counted:
            return "Not run: n = 0."
        words = [sentence(self.counted[0])]
        if len(self.counted) > 1:
            each = "; ".join(f"{decision.reading.name}: {decision.verdict}" for decision in self.counted)
            words.append(f"By reading: {each}.")
        return " ".join(words)

    @cached_property
    def needs(self) -> tuple[Command | OwnCommand, ...]:
        """Commands that would make the verdict, or make it firm; none where it stands."""
        return _needs(self)


def counted(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the readings that were run and do not stand beside others; those beside, where there are no others."""
    run = [each for each in decisions if each.run]
    return [each for each in run if not each.reading.beside] or run


def together(verdicts: Iterable[str]) -> str:
    """Return the verdict on a claim from those of its readings.

    >>> together(["supported", "supported"]), together(["supported", "inconclusive"]), together([])
    ('supported', 'depends on the reading', 'not run')
    """
    found = set(verdicts)
    return DEPENDS if len(found) > 1 else found.pop() if found else NOT_RUN


def verdicts(
    runs: pd.DataFrame, curves: pd.DataFrame, paths: pd.DataFrame, of: Sequence[NetworkStudy | SyntheticStudy] = ()
) -> list[Verdict]:
    """Return the `Verdict` on each of `CLAIMS`, from the tables of `studies.records.tables`. Tables may be empty.

    `of` holds the studies behind the tables: the questions of comparisons of one's own among them come last. Where
    there are only such, they are all that is asked, and count from 1.
    """
    tables, claims = Tables(runs, curves, paths), [*CLAIMS, *own_claims(of, first=CLAIMS[-1].number + 1)]
    if only_own(of):
        claims = list(own_claims(of, first=1))
    decided = {claim.number: [decide(reading, tables) for reading in claim.readings] for claim in claims}
    for source in dict.fromkeys(claim.source for claim in claims):
        own = [claim.number for claim in claims if claim.source == source]
        family = {number: p_of(decided[number]) for number in own}
        for number in own:
            decided[number] = [replace(each, p_holm=corrected(each.p, number, family)) for each in decided[number]]
    return [Verdict(claim, tuple(decided[claim.number]), flips(decided[claim.number], tables)) for claim in claims]


def p_of(decisions: Sequence[Decision]) -> float:
    """Return the p-value of a claim: the largest of its readings, which must agree; NaN where none is tested."""
    return max((each.p for each in counted(decisions) if not isnan(each.p)), default=nan)


def corrected(p: float, number: int, family: dict[int, float]) -> float:
    """Return the p-value of a reading after Holm's correction for all claims of its source, each counted once."""
    others = family | {number: p}
    return dict(zip(others, holm(list(others.values())), strict=True))[number]


def flips(decisions: Sequence[Decision], tables: Tables) -> dict[str, str]:
    """Return the verdicts that other choices would give, {choice: verdict}, where they are not the claim's own.

    The choices are half and twice the ROPE, each run's best epoch, and settings that the search chose by accuracy. All
    are compared before Holm's correction.
    """
    run = counted(decisions)
    usual = together(each.uncorrected for each in run)
    found = {
        "half the ROPE": together(_with_rope(each, 0.5).uncorrected for each in run),
        "twice the ROPE": together(_with_rope(each, 2.0).uncorrected for each in run),
        "best epoch": _otherwise(run, tables, "at_best"),
        "chosen by accuracy": _otherwise(run, tables, "by_accuracy"),
    }
    return {choice: verdict for choice, verdict in found.items() if verdict not in (usual, NOT_RUN)}


def _with_rope(decision: Decision, factor: float) -> Decision:
    parts = (replace(part, verdict=part.evidence.judged(part.found, factor)) for part in decision.parts)
    return Decision(decision.reading, tuple(parts))


def _otherwise(decisions: Sequence[Decision], tables: Tables, method: str) -> str:
    """Return the verdict with the evidence that a method of `Evidence` makes of it, NOT_RUN where that is the same."""
    readings = [
        replace(each.reading, evidence=tuple(getattr(piece, method)() for piece in each.reading.evidence))
        for each in decisions
    ]
    if readings == [each.reading for each in decisions]:
        return NOT_RUN
    other = [decide(reading, tables) for reading in readings]
    whole = all(len(mine.run) == len(usual.run) for mine, usual in zip(other, decisions, strict=True))
    return together(each.uncorrected for each in other) if whole else NOT_RUN


def _needs(verdict: Verdict) -> tuple[Command | OwnCommand, ...]:
    decisions = [each for each in verdict.decisions if not each.reading.beside] or verdict.decisions
    claim, parts = verdict.claim, [part for each in decisions for part in each.parts]
    ours = [part for part in parts if not part.evidence.kind.startswith("author")]
    weak = [part for part in ours if part.verdict in (INCONCLUSIVE, NOT_RUN)]
    if not weak or (verdict.verdict in (SUPPORTED, CONTRADICTED, NO_DIFFERENCE) and all(part.found.n for part in ours)):
        return ()
    commands = claim.commands or tuple(dict.fromkeys(_command(side) for part in weak for side in _sides(part)))
    seeded = any(part.evidence.kind not in UNSEEDED for part in parts)
    if not seeded:
        return commands
    most = max((part.found.n for part in weak), default=0)
    seeds = ENOUGH if most < ENOUGH else 2 * most
    return tuple(each if seeds <= _seeds(each) else each.with_seeds(seeds) for each in commands)


def _sides(part: Part) -> list[dict[str, Any]]:
    return [side for side in (part.evidence.a, part.evidence.b) if side.get("study") in STUDIES]


def _command(side: dict[str, Any]) -> Command:
    """Return the command that runs a side: of its variant, the parts that are the study's and not an arm's."""
    study = STUDIES[side["study"]]
    parts = [part for part in Variant.parse(side.get("variant")).parts if part in (*study.variants, PUBLISHED)]
    return Command(study.name, Variant(tuple(parts)))


def _seeds(command: Command | OwnCommand) -> int:
    """Return how many seeds a command runs by itself: one's own comparison says it in any case."""
    if isinstance(command, OwnCommand):
        return 0
    study = STUDIES[command.study]
    for name in command.variant.parts:
        study = study.as_variant(name)
    return study.seeds
