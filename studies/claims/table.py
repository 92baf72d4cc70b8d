"""Verdicts as a table: verdicts.csv."""

from collections.abc import Sequence
from math import nan
from typing import Any

import pandas as pd

from studies.claims.decisions import Decision, Part, sentence
from studies.claims.verdicts import Verdict

COLUMNS = [
    "claim", "reading", "part", "n", "value_a", "value_b", "estimate", "low", "high", "p", "p_holm", "verdict",
    "robust", "source", "kind", "metric", "quantity", "unit", "direction", "rope", "a", "b", "agreement", "beside",
    "text", "sentence", "needs",
]  # fmt: skip


def frame(found: Sequence[Verdict]) -> pd.DataFrame:
    """Return verdicts as a table: a row for each claim, for each of several readings, and for each piece of evidence.

    The claim's own row has no reading and no part, a reading's row no part.
    """
    rows = [row for verdict in found for row in _rows(verdict)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(verdict: Verdict) -> list[dict[str, Any]]:
    claim = verdict.claim
    own = {"claim": claim.number, "reading": "", "part": "", "source": claim.source_name}
    rows = [
        own
        | (_of_decision(verdict.counted[0]) if len(verdict.counted) == 1 else {"n": verdict.n})
        | {"verdict": verdict.verdict, "robust": verdict.robust, "text": claim.text, "sentence": verdict.sentence}
        | {"needs": "; ".join(map(str, verdict.needs))}
    ]
    for decision in verdict.decisions:
        name = {"reading": decision.reading.name, "beside": decision.reading.beside}
        if len(verdict.decisions) > 1:
            said = {"sentence": sentence(decision), "agreement": decision.reading.agreement}
            rows.append(own | name | _of_decision(decision) | said)
        rows += [own | name | _of_part(part) for part in decision.parts]
    return rows


def _of_decision(decision: Decision) -> dict[str, Any]:
    of_part = (
        {name: x for name, x in _of_part(decision.deciding).items() if name in COLUMNS[3:9]}
        if decision.run
        else {"n": 0}
    )
    return of_part | {
        "p": decision.p,
        "p_holm": decision.p_holm,
        "verdict": decision.verdict,
        "agreement": decision.reading.agreement,
    }


def _of_part(part: Part) -> dict[str, Any]:
    evidence, found = part.evidence, part.found
    a, b = evidence.sides
    return {
        "part": evidence.label,
        **{name: getattr(found, name) for name in ("n", "value_a", "value_b", "estimate", "low", "high", "p")},
        "verdict": part.verdict,
        "kind": evidence.kind,
        "metric": evidence.metric,
        "quantity": evidence.quantity,
        "unit": "points" if evidence.points else evidence.unit,
        "direction": evidence.direction,
        "rope": evidence.margin if evidence.direction else nan,
        "a": a,
        "b": b,
        "text": found.text,
    }
