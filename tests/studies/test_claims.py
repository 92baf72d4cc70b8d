"""Verdicts on made-up tables whose answers are known: the claims, the kinds of verdict, what counts."""

from math import isnan, nan

import numpy as np
import pytest

from studies.catalog import STUDIES, Command, Variant
from studies.catalog.variant import PUBLISHED
from studies.claims import (
    CLAIMS,
    CONTRADICTED,
    DEPENDS,
    INCONCLUSIVE,
    NO_DIFFERENCE,
    NOT_RUN,
    SUPPORTED,
    frame,
    verdicts,
)
from studies.records.tables import PATH_COLUMNS
from tests.verdicts import CURVES, grid_of_pairs, pairs, reading, run, table, verdict

BY_AUTHOR = {13, 14, 15, 33}  # claims whose studies take days here

# The claims as data


def test_the_claims_are_numbered_1_to_42():
    assert [claim.number for claim in CLAIMS] == list(range(1, 43))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.number))
def test_a_claim_names_studies_variants_and_commands_that_exist(claim):
    assert claim.readings
    assert set(claim.studies) <= set(STUDIES)
    for evidence in (each for own in claim.readings for each in own.evidence):
        for side in filter(None, (evidence.a, evidence.b)):
            study = STUDIES[side["study"]]
            first = [part for part in Variant.parse(side.get("variant")).parts if part in study.variants]
            arms = study.as_variant(first[0]) if first else study
            known = {
                *study.variants,
                PUBLISHED,
                *(p for each in getattr(arms, "arms", ()) for p in each.variant.split("+")),
            }
            parts = Variant.parse(side.get("variant")).parts
            assert all(p in known or p.startswith("C=") or any(k.startswith(f"{p}=") for k in known) for p in parts)
    for command in claim.commands:
        assert set(command.variant.parts) <= set(STUDIES[command.study].variants)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.number))
def test_readings_of_a_claim_have_names_of_their_own(claim):
    names = [each.name for each in claim.readings]
    assert len(set(names)) == len(names)
    for each in claim.readings:
        labels = [evidence.label for evidence in each.evidence]
        assert all(labels)


# Each kind of verdict


@pytest.mark.parametrize(
    ("change", "spread", "expected"),
    [
        (-0.05, 0.001, SUPPORTED),
        (0.05, 0.001, CONTRADICTED),
        (-0.001, 0.001, NO_DIFFERENCE),
        (-0.02, 0.01, INCONCLUSIVE),
    ],
)
def test_a_claim_of_a_lower_loss_is_judged_by_its_interval(change, spread, expected):
    found = verdict(6, pairs(change, spread=spread))
    assert (found.verdict, found.n) == (expected, 10)
    measured = found.counted[0].deciding.found
    assert measured.low < measured.estimate < measured.high
    assert measured.estimate == pytest.approx(100 * change, rel=0.05)
    assert "n = 10" in found.sentence


@pytest.mark.parametrize(
    ("change", "spread", "expected"),
    [(0.001, 0.001, SUPPORTED), (0.05, 0.001, CONTRADICTED), (-0.05, 0.001, CONTRADICTED), (0.02, 0.01, INCONCLUSIVE)],
)
def test_a_claim_of_no_difference_is_supported_inside_the_rope_only(change, spread, expected):
    assert verdict(5, pairs(change, "mcgill-logistic", spread=spread)).verdict == expected


def test_nothing_run_says_what_to_run_and_leaves_the_author_s_runs():
    found = verdicts(table([]), CURVES, table([], PATH_COLUMNS))
    ours = [each for each in found if not each.by_author]
    assert {each.verdict for each in ours} == {NOT_RUN}
    assert {each.claim.number for each in found if each.by_author} > BY_AUTHOR
    assert all(each.needs and str(each.needs[0]).startswith("python -m studies run ") for each in ours)
    assert all("n = 0" in each.sentence for each in ours)


def test_the_source_s_own_five_runs_never_suffice():
    found = verdict(6, pairs(-0.05, seeds=5))
    assert found.verdict == INCONCLUSIVE
    assert found.n == 5
    assert "5 pairs can never reach p < .05" in found.sentence
    assert not isnan(found.counted[0].deciding.found.low)
    assert Command("mcgill-feedforward", seeds=10) in found.needs


def test_an_open_verdict_asks_for_more_seeds_than_it_has():
    assert Command("mcgill-feedforward", seeds=20) in verdict(6, pairs(-0.02, spread=0.01)).needs


def test_the_sentence_states_both_values_and_the_direction():
    sentence = verdict(6, pairs(-0.05, spread=0)).sentence
    assert sentence.startswith("The final training loss is 0.95 with AMSGrad and 1 with Adam: 5 % lower (95 % interval")
    assert "5 % higher" in verdict(6, pairs(0.05)).sentence
    assert "16 times as much" in verdict(6, pairs(15.0)).sentence


@pytest.mark.parametrize(("seeds", "has_interval"), [(4, False), (5, True)])
def test_fewer_than_five_pairs_have_no_interval(seeds, has_interval):
    found = verdict(6, pairs(-0.05, seeds=seeds))
    assert isnan(found.counted[0].deciding.found.low) != has_interval
    assert ("no interval" in found.sentence) != has_interval


# What counts


def test_equal_differences_have_an_interval_of_no_width():
    found = verdict(6, pairs(-0.25, spread=0))
    assert found.verdict == SUPPORTED
    measured = found.counted[0].deciding.found
    assert (measured.low, measured.high) == pytest.approx((-25, -25))


def test_two_losses_that_are_both_tiny_do_not_differ():
    tiny = [each | {"train_loss": each["train_loss"] * 1e-4} for each in pairs(3.0)]
    assert verdict(6, tiny).verdict == NO_DIFFERENCE
    assert verdict(6, pairs(3.0)).verdict == CONTRADICTED


def test_readings_that_agree_give_the_verdict_and_others_depend():
    tuned, table_1 = pairs(-0.05), pairs(-0.05, variant=PUBLISHED)
    assert verdict(6, tuned + table_1).verdict == SUPPORTED
    other = verdict(6, tuned + pairs(0.05, variant=PUBLISHED))
    assert other.verdict == DEPENDS
    assert "tuned by loss: supported; Table I: contradicted" in other.sentence


def test_runs_of_a_variant_count_for_the_reading_of_their_own_only():
    found = {each.reading.name: each.verdict for each in verdict(6, pairs(-0.05, variant="as-coded")).decisions}
    assert found["as coded, tuned"] == SUPPORTED
    assert set(found.values()) == {SUPPORTED, NOT_RUN}


def test_what_stands_beside_is_shown_and_does_not_count():
    runs = grid_of_pairs([0.05] * 12, "train_loss")
    found = verdict(11, runs)
    assert found.verdict == SUPPORTED
    assert {each.reading.name: each.verdict for each in found.decisions}["the author's runs"] == INCONCLUSIVE
    assert verdict(11).by_author


def test_runs_of_fewer_epochs_than_the_study_s_decide_nothing():
    found = verdict(6, pairs(-0.05, epochs=3))
    assert found.verdict == INCONCLUSIVE
    assert "3 of the study's 50 epochs" in found.sentence


def test_pairs_that_diverged_are_left_out_and_said():
    runs = pairs(-0.05, seeds=12)
    runs[0] |= {"train_loss": nan, "status": "diverged"}
    found = verdict(6, runs)
    assert (found.verdict, found.n) == (SUPPORTED, 11)
    assert "pairs left out because a run diverged: 1" in found.sentence


def test_pairs_without_a_ratio_are_left_out_and_said():
    runs = pairs(-0.05, seeds=12)
    runs[0] |= {"train_loss": 0.0}
    found = verdict(6, runs)
    assert (found.verdict, found.n) == (SUPPORTED, 11)
    assert "pairs left out because a value is 0 or below, so that it has no ratio: 1" in found.sentence


def test_the_other_claims_of_a_source_weigh_on_a_p_that_is_barely_below_05():
    ahead = np.array([0.05, 0.051, 0.052, 0.053, 0.054, 0.055])
    runs = []
    for seed, each in enumerate(ahead):
        runs.append(run("mcgill-feedforward", "Adam", seed, train_loss=1.0))
        runs.append(run("mcgill-feedforward", "AMSGrad", seed, train_loss=float(np.exp(-each))))
    alone = verdict(6, runs)
    assert alone.verdict == SUPPORTED
    assert alone.p_holm == alone.counted[0].p == pytest.approx(2 / 2**6)
    others = verdict(6, runs + pairs(0, "mcgill-logistic", spread=0.1) + pairs(0, "mcgill-cifarnet", spread=0.1))
    assert others.verdict == INCONCLUSIVE
    assert others.p_holm == pytest.approx(3 * others.counted[0].p)
    assert "not below .05" in others.sentence


def test_every_setting_means_every_setting():
    assert reading(11, "final", grid_of_pairs([0.05] * 12, "train_loss")).verdict == SUPPORTED
    one_against = reading(11, "final", grid_of_pairs([0.05] * 11 + [-0.05], "train_loss"))
    assert one_against.verdict == CONTRADICTED
    assert "α = 0.0001, β₂ = 0.999, not corrected" in one_against.deciding.evidence.label


def test_usually_means_more_than_half_of_the_settings_that_the_source_does_not_except():
    assert reading(12, "final", grid_of_pairs([-0.05] * 5 + [0.05] * 7, "val_loss")).verdict == SUPPORTED
    assert (
        reading(12, "final", grid_of_pairs([-0.05] * 4 + [0.05] * 4 + [-0.05] * 4, "val_loss")).verdict == CONTRADICTED
    )
    assert reading(12, "final", grid_of_pairs([0.001] * 12, "val_loss")).verdict == NO_DIFFERENCE


def test_accuracy_that_favours_neither_throughout_is_mixed():
    study, metric = "korzeniowski-vgg", "val_accuracy"
    assert reading(15, "final", grid_of_pairs([0.02, -0.02] * 6, metric, study)).verdict == SUPPORTED
    assert reading(15, "final", grid_of_pairs([0.02] * 12, metric, study)).verdict == CONTRADICTED
    few = pairs(0.002, study, spread=0.01, metric=metric, schedule="linear")
    assert reading(15, "final", few).verdict == INCONCLUSIVE


# How robust


def test_a_verdict_that_another_choice_turns_round_says_so():
    runs = grid_of_pairs([-0.05] * 12, "val_loss")
    for each, best in zip(runs, grid_of_pairs([0.05] * 12, "best_val_loss"), strict=True):
        each["best_val_loss"] = best["best_val_loss"]
    assert "depends on the reading" in verdict(12, runs).verdict  # final and best epoch are readings of this claim
    near = verdict(6, pairs(-0.03, spread=0.001))
    assert (near.verdict, near.robust) == (SUPPORTED, "twice the ROPE: no practical difference")
    assert verdict(6, pairs(-0.3)).robust == "robust"


def test_a_choice_by_accuracy_is_tried_where_it_was_run():
    test_loss = pairs(-0.05, "mcgill-logistic", metric="val_loss")
    otherwise = pairs(0.05, "mcgill-logistic", metric="val_loss", variant="by-accuracy")
    plain, both = (verdict(39, runs) for runs in (test_loss, test_loss + otherwise))
    assert "chosen by accuracy" not in plain.robust
    assert "chosen by accuracy" in both.robust


# The table


def test_a_table_of_verdicts_has_a_row_for_each_claim_reading_and_comparison():
    found = frame(verdicts(table(pairs(-0.05)), CURVES, table([], PATH_COLUMNS)))
    own = found[(found["reading"] == "") & (found["part"] == "")]
    assert list(own["claim"]) == list(range(1, 43))
    assert own.set_index("claim").loc[6, "verdict"] == SUPPORTED
    rows = found[(found["claim"] == 6) & (found["reading"] == "tuned by loss")]
    assert list(rows["part"]) == ["", "mcgill-feedforward"]
    for row in rows.itertuples():
        assert row.verdict == SUPPORTED
        assert row.low < row.estimate < row.high
    assert rows.iloc[0]["p_holm"] < 0.05
    assert rows.iloc[1]["a"] == "study=mcgill-feedforward; variant=; optimizer=AMSGrad"


def test_runs_of_two_backends_make_no_pair():
    runs = pairs(-0.05)
    for each in runs:
        each |= {
            "device": "cpu:0",
            "backend": "jax" if each["optimizer"] == "Adam" and each["seed"] < 4 else "tensorflow",
        }
    assert verdict(6, runs).n == 6
