"""Verdicts: what the parts of the evidence add up to."""

from collections import Counter
from dataclasses import dataclass, replace
from math import isnan, nan

import pandas as pd

from studies.catalog import STUDIES
from studies.claims.claim import (
    CONTRADICTED,
    INCONCLUSIVE,
    NO_DIFFERENCE,
    NOT_RUN,
    SUPPORTED,
    Claim,
    Part,
    Tables,
    Verdict,
)
from studies.claims.own import own_claims
from studies.claims.sources import CLAIMS
from studies.claims.statistics import ENOUGH, LEVEL, holm, p_of_at_least
from studies.claims.words import SCHEDULES, number

COUNTED = {
    SUPPORTED: "for the claim",
    CONTRADICTED: "against it",
    NO_DIFFERENCE: "without practical difference",
    INCONCLUSIVE: "undecided",
    NOT_RUN: "not run",
}
MOST_FAVOURABLE = (SUPPORTED, INCONCLUSIVE, NO_DIFFERENCE, CONTRADICTED, NOT_RUN)
BEST = {"val_loss": "best_val_loss", "val_accuracy": "best_val_accuracy"}


@dataclass(frozen=True)
class Decision:
    """What the parts of a claim add up to, before the other claims of its source are considered."""

    claim: Claim
    parts: list[Part]
    reading: str = ""

    @property
    def needed(self):
        return len(self.parts) // 2 + 1 if self.claim.agreement == "most" else len(self.parts)

    @property
    def run(self):
        """Return the parts that there are runs of, the one that counts most against the claim last."""
        same = self.claim.direction == "same"
        return sorted(
            (part for part in self.parts if part.n),
            key=lambda part: -abs(part.estimate) if same else part.estimate,
            reverse=True,
        )

    @property
    def weakest(self):
        """Return the part that decides: the last of those that the claim needs."""
        return self.run[min(self.needed, len(self.run)) - 1]

    @property
    def verdict(self):
        if not self.run:
            return NOT_RUN
        counts, all_parts = Counter(part.verdict for part in self.parts), len(self.parts)
        if self.claim.agreement == "mixed":
            return _mixed(counts, all_parts)
        if counts[SUPPORTED] >= self.needed:
            return SUPPORTED
        if counts[CONTRADICTED] > all_parts - self.needed:
            return CONTRADICTED
        return NO_DIFFERENCE if counts[NO_DIFFERENCE] > all_parts / 2 else INCONCLUSIVE

    @property
    def p(self):
        """Return the p-value of the claim, or of its contrary; NaN where no part is tested."""
        if self.claim.agreement == "mixed" or all(isnan(part.p) for part in self.parts):
            return nan
        opposite = len(self.parts) - self.needed + 1
        against = p_of_at_least(opposite, [self._p(part, -1) for part in self.parts])
        found = [against] if self.claim.direction == "same" else [
            against, p_of_at_least(self.needed, [self._p(part, 1) for part in self.parts])
        ]  # fmt: skip
        return min(1.0, min(found) * max(1, len(self.claim.readings)))

    def _p(self, part, sign):
        """Return the p of a part that lies on this side of what the claim needs, else 1."""
        if isnan(part.p):
            return 1.0
        if self.claim.direction == "same":
            return part.p
        edge = -self.claim.rope if self.claim.direction == "no worse" else 0
        return part.p if sign * (part.estimate - edge) > 0 else 1.0


def _mixed(counts, all_parts):
    """Return the verdict on "neither is ahead throughout"."""
    if all_parts in (counts[SUPPORTED], counts[CONTRADICTED]):
        return CONTRADICTED
    decided = [verdict for verdict in (SUPPORTED, CONTRADICTED, NO_DIFFERENCE) if counts[verdict]]
    return SUPPORTED if len(decided) > 1 or counts[NO_DIFFERENCE] == all_parts else INCONCLUSIVE


def verdicts(runs, curves, paths, of=()):
    """Return the `Verdict` on each of `CLAIMS`, from the tables of `studies.tables`. Tables may be empty.

    `of` holds the descriptions of the studies behind the tables: the questions of comparisons among them come last.
    """
    tables, claims = Tables(runs, curves, paths), [*CLAIMS, *own_claims(of, first=CLAIMS[-1].number + 1)]
    decisions = [decide(claim, tables) for claim in claims]
    corrected = [nan] * len(decisions)
    for source in dict.fromkeys(claim.source for claim in claims):
        own = [i for i, claim in enumerate(claims) if claim.source == source]
        for i, p in zip(own, holm([decisions[i].p for i in own]), strict=True):
            corrected[i] = p
    return [_verdict(decision, p, _at_best(decision, tables)) for decision, p in zip(decisions, corrected, strict=True)]


def decide(claim, tables):
    """Return the decision on a claim; of several readings, the one most favourable to the source."""
    readings = [
        Decision(claim, claim.measure(claim, replace(tables, runs=_reading(tables.runs, reading))), reading)
        for reading in claim.readings or ("",)
    ]
    return min(readings, key=lambda each: MOST_FAVOURABLE.index(each.verdict))


def frame(found):
    """Return verdicts as a table, one row for each claim."""
    return pd.DataFrame(
        {
            "number": each.claim.number,
            "source": each.claim.source,
            "claim": each.claim.text,
            "verdict": each.verdict,
            "n": each.n,
            "estimate": each.estimate,
            "low": each.interval[0],
            "high": each.interval[1],
            "p": each.p,
            "p_holm": each.p_holm,
            "sentence": each.sentence,
            "reason": each.reason,
            "needs": "; ".join(each.needs),
        }
        for each in found
    )


def _reading(runs, schedule):
    return runs[runs["schedule"] == schedule] if schedule else runs


def _verdict(decision, p_holm, at_best):
    claim, verdict = decision.claim, decision.verdict
    if verdict == NOT_RUN:
        return Verdict(claim, NOT_RUN, 0, nan, (nan, nan), "Not run: n = 0.", _needs(decision, verdict))
    tested = not isnan(p_holm) and not (verdict == SUPPORTED and claim.direction == "same")
    fails = tested and verdict in (SUPPORTED, CONTRADICTED) and p_holm >= LEVEL
    verdict = INCONCLUSIVE if fails else verdict
    part = decision.weakest
    return Verdict(
        claim=claim,
        verdict=verdict,
        n=part.n,
        estimate=part.estimate,
        interval=(part.low, part.high),
        sentence=_sentence(decision, p_holm, fails, at_best),
        needs=_needs(decision, verdict),
        p=decision.p,
        p_holm=p_holm,
    )


def _sentence(decision, p_holm, fails, at_best):
    """Return the evidence in words: how many parts say what, the deciding one, n, p, and why there is no verdict."""
    part, words = decision.weakest, []
    if decision.reading:
        words.append(f"With {SCHEDULES[decision.reading]}:")
    if len(decision.parts) > 1:
        counts = Counter(each.verdict for each in decision.parts)
        told = ", ".join(f"{counts[each]} {text}" for each, text in COUNTED.items() if counts[each])
        words.append(f"{'of' if words else 'Of'} {len(decision.parts)} comparisons {told}. The one that decides is")
    p = "" if isnan(p_holm) else f", p = {number(p_holm)} after Holm's correction"
    words.append(f"{part.label}: {part.text}; n = {part.n}{p}.")
    if part.reason:
        words.append(f"{part.reason[0].upper()}{part.reason[1:]}.")
    if fails:
        words.append("That is not below .05.")
    return " ".join([*words, *at_best])


def _at_best(decision, tables):
    """Return what each run's best epoch says, where that is not what its last says."""
    claim = decision.claim
    if claim.metric not in BEST or decision.verdict == NOT_RUN or not claim.seeded:
        return []
    best = decide(replace(claim, metric=BEST[claim.metric]), tables).verdict
    return [f"By each run's best epoch instead: {best}."] if best != decision.verdict else []


def _needs(decision, verdict):
    """Return the commands that would make the verdict, or make it firm; none where it stands."""
    claim = decision.claim
    weak = [part for part in decision.parts if part.verdict in (INCONCLUSIVE, NOT_RUN)]
    missing = [part for part in weak if not part.n]
    if verdict in (SUPPORTED, CONTRADICTED, NO_DIFFERENCE) and not missing:
        return ()
    studies = {name for part in weak for name in (part.study, part.other_study)} or set(claim.studies)
    commands = claim.commands or [f"python -m studies run {study}" for study in claim.studies if study in studies]
    if not claim.seeded:
        return tuple(commands)
    most = max((part.n for part in weak), default=decision.weakest.n if decision.run else 0)
    seeds = ENOUGH if most < ENOUGH else 2 * most
    return tuple(_with_seeds(each, seeds) for each in commands)


def _with_seeds(command, seeds):
    """Return a command with so many seeds; that of one's own comparison says where they stand."""
    if "{seeds}" in command:
        return command.replace("{seeds}", str(seeds))
    return command if seeds <= _seeds(command) else f"{command} --seeds {seeds}"


def _seeds(command):
    """Return how many seeds a command runs by itself."""
    words = command.split()
    study = STUDIES[words[4]]
    if "--variant" in words:
        study = study.as_variant(words[words.index("--variant") + 1])
    return study.seeds
