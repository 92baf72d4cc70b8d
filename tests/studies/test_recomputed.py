"""verdicts.csv and answer.csv, computed again from the other tables by the definitions of docs/verdicts.md alone.

Nothing here comes from the project's code: only pandas, NumPy and SciPy. `tests.recomputed` has the statistics,
`tests.kinds` every kind of evidence.
"""

import numpy as np
import pandas as pd
import pytest

from tests.kinds import KINDS
from tests.recomputed import ANSWER, PARTS, RUNS, VERDICTS, percent, student

ROPES = {"train_loss": 2, "val_loss": 1, "best_val_loss": 1, "val_accuracy": 0.1, "best_val_accuracy": 0.1}


@pytest.mark.parametrize("claim", sorted(PARTS["claim"].unique()))
def test_every_comparison_of_a_claim_comes_out_again(claim):
    for row in PARTS[PARTS["claim"] == claim].itertuples():
        for name, value in KINDS[row.kind](row).items():
            assert value == pytest.approx(getattr(row, name), rel=2e-3, abs=2e-4, nan_ok=True), (
                row.reading,
                row.part,
                name,
            )


def at_least(needed, p_values):
    spare = len(p_values) - needed + 1
    return min(1, *(spare / (i + 1) * p for i, p in enumerate(sorted(p_values)[needed - 1 :])))


def p_of_reading(parts, agreement):
    if agreement == "mixed" or parts["p"].isna().all():
        return np.nan
    directions = parts["direction"]
    edge = directions.map({"not lower": -1, "not higher": 1}).fillna(0) * parts["rope"].fillna(0)
    below = directions.isin(["lower", "not higher"])
    speaks_for = (parts["estimate"] < edge).where(below, parts["estimate"] > edge)
    same = directions == "same"
    p = parts["p"].fillna(1)
    for_it, against = (list(p.where(same | (speaks_for == way), 1)) for way in (True, False))
    needed = len(parts) // 2 + 1 if agreement == "most" else len(parts)
    contrary = at_least(len(parts) - needed + 1, against)
    return contrary if same.all() else min(contrary, at_least(needed, for_it))


def readings():
    """Return (row of a reading or of a claim with one, its parts)."""
    found = []
    for (claim, name), own in VERDICTS.groupby(["claim", "reading"]):
        parts = own[own["part"] != ""]
        if len(parts):
            head = (
                own[own["part"] == ""] if name else VERDICTS[(VERDICTS["claim"] == claim) & (VERDICTS["reading"] == "")]
            )
            found.append((head.iloc[0], parts))
    return found


def test_the_p_of_every_reading_comes_out_again():
    for head, parts in readings():
        if (parts["n"] > 0).any():
            assert p_of_reading(parts, head["agreement"]) == pytest.approx(head["p"], rel=2e-3, nan_ok=True), head[
                "claim"
            ]


def test_holm_corrects_over_the_claims_of_a_source():
    table = pd.DataFrame([head for head, parts in readings() if (parts["n"] > 0).any()])
    beside = table["beside"].astype(str) == "True"
    for _, mine in table.groupby("source"):
        claims = {}
        for claim, own in mine.groupby("claim"):
            counted = own[~beside[own.index]]
            claims[claim] = (counted if len(counted) else own)["p"].max()
        for row in mine[mine["p"].notna()].itertuples():
            family = pd.Series({**claims, row.claim: row.p}).dropna().sort_values(kind="stable")
            steps = family.to_numpy() * np.arange(len(family), 0, -1)
            corrected = pd.Series(np.minimum(1, np.maximum.accumulate(steps)), index=family.index)
            assert corrected[row.claim] == pytest.approx(row.p_holm, rel=2e-3), (row.claim, row.reading)


def test_every_row_of_the_answer_comes_out_again():
    own = RUNS[RUNS["variant"] == ""]
    for row in ANSWER.itertuples():
        mine = own[(own["study"] == row.study) & (own["stage"] == "repeat")]
        adam, other = (
            mine[mine["optimizer"] == name].set_index("seed")[row.metric] for name in ("Adam", row.optimizer)
        )
        pair = pd.concat([adam.rename("adam"), other.rename("other")], axis=1, join="inner")
        points = row.metric.endswith("accuracy")
        difference = 100 * (pair["other"] - pair["adam"]) if points else np.log(pair["other"] / pair["adam"])
        numbers = difference.mean(), *student(difference.to_numpy())
        numbers = numbers if points else tuple(map(percent, numbers))
        assert len(pair) == row.n
        assert (pair["adam"].mean(), pair["other"].mean()) == pytest.approx((row.adam, row.other), rel=1e-3)
        assert numbers == pytest.approx((row.estimate, row.low, row.high), rel=1e-3, abs=1e-4, nan_ok=True)


def test_the_smallest_differences_that_matter_are_those_of_the_docs():
    usual = PARTS[(PARTS["kind"] == "pairs") & (PARTS["quantity"] == "")]
    assert {(row.metric, row.rope) for row in usual.itertuples()} <= set(ROPES.items())
