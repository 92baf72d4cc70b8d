"""What the report says of comparisons of one's own: the answer to each, its verdicts as a table, and remarks once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from studies.catalog.variant import named
from studies.claims import Verdict
from studies.claims.decisions import needed_in_words, remarks
from studies.claims.own import ASKED
from studies.claims.words import listed
from studies.report import answer

NOT_BELOW = "p is not below .05, although the interval alone would decide."
ROBUST = "Half and twice the smallest difference that matters, and each run's best epoch, give the same verdict."


def answers(rows: pd.DataFrame, titles: Mapping[str, str], own: Collection[str]) -> list[str]:
    """Return what rows of `tuned` say, first of each study of one's `own`, by name, then of the others together.

    Sentences on one of several problems begin with its title.
    """
    if rows["study"].nunique() < 2:
        return answer.sentences(rows)
    mine = [rows[rows["study"] == name] for name in rows["study"].unique() if name in own]
    others = rows[~rows["study"].isin(own)]
    told = [(titles.get(each["study"].iloc[0], ""), answer.sentences(each)) for each in mine]
    if others["study"].nunique() == 1:
        told.append((titles.get(others["study"].iloc[0], ""), answer.sentences(others)))
    counted = answer.sentences(others) if others["study"].nunique() > 1 else []
    return [f"{title}. {line}" for title, lines in told for line in lines] + counted


def with_verdicts(rows: pd.DataFrame, verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return rows of `tuned` with a column `verdict`: that of the claim on a row, empty where there is none.

    The answer must not say more than the verdict, which also asks for a corrected p.
    """
    found = {}
    for each in verdicts:
        if is_own(each):
            evidence = each.claim.readings[0].evidence[0]
            other = named(evidence.a["optimizer"], evidence.a.get("variant", ""))
            found[evidence.a["study"], other, evidence.metric] = each.verdict
    keys = zip(rows["study"], rows["optimizer"], rows["metric"], strict=True)
    return rows.assign(verdict=[found.get(key, "") for key in keys])


def is_own(verdict: Verdict) -> bool:
    return verdict.claim.source.startswith(ASKED)


def groups(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return what the page shows of each comparison: its claims, which count from 1 on the page; notes; commands."""
    own = [each for each in verdicts if is_own(each)]
    numbers = {each.claim.number: number for number, each in enumerate(own, 1)}
    return [
        {
            "title": source.removeprefix(ASKED),
            "claims": [(numbers[each.claim.number], each) for each in mine],
            "notes": notes([(numbers[each.claim.number], each) for each in mine]),
            "needs": list(dict.fromkeys(command for each in mine for command in each.needs)),
        }
        for source in dict.fromkeys(each.claim.source for each in own)
        for mine in [[each for each in own if each.claim.source == source]]
    ]


def notes(claims: Sequence[tuple[int, Verdict]]) -> list[str]:
    """Return what a reader should know of numbered verdicts: each text once, with the claims that it is about."""
    pairs = [(text, number) for number, verdict in claims for text in _texts(verdict)]
    about = {text: [number for each, number in pairs if each == text] for text, _ in pairs}
    return [text if len(numbers) == len(claims) else f"{_claims(numbers)}: {text}" for text, numbers in about.items()]


def _texts(verdict: Verdict) -> list[str]:
    if not verdict.counted:
        return ["Not run, or every run diverged."]
    # The spread of too few pairs tells too little to say that they are enough.
    decision, found = verdict.counted[0], verdict.counted[0].deciding.found
    enough = needed_in_words(found.needed) if found.needed <= found.n else ""
    told = [each for each in remarks(decision, NOT_BELOW) if each != enough]
    return [*told, ROBUST if verdict.robust == "robust" else f"With other choices: {verdict.robust}."]


def _claims(numbers: Sequence[int]) -> str:
    """Return the names of claims.

    >>> _claims([1]), _claims([1, 2, 4])
    ('Claim 1', 'Claims 1, 2 and 4')
    """
    return f"Claim{'s' * (len(numbers) > 1)} {listed(map(str, numbers))}"
