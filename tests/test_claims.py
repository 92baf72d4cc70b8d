"""Verdicts on made-up tables whose answers are known: the claims, the kinds of verdict, what counts."""

from math import nan

import pytest

from studies.catalog import STUDIES
from studies.claims import CLAIMS, CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, NOT_RUN, SUPPORTED, frame, verdicts
from studies.tables import PATH_COLUMNS
from tests.verdicts import CURVES, grid_of_pairs, pairs, run, table, verdict

# The claims as data


def test_the_claims_are_numbered_1_to_24():
    assert [claim.number for claim in CLAIMS] == list(range(1, 25))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.number))
def test_a_claim_names_studies_and_commands_that_exist(claim):
    assert claim.studies
    assert set(claim.studies) <= set(STUDIES)
    for command in claim.commands:
        python, _, package, verb, name, *options = command.split()
        assert (python, package, verb) == ("python", "studies", "run")
        assert not options or options[1] in STUDIES[name].variants


# Each kind of verdict


@pytest.mark.parametrize(
    ("change", "spread", "expected"),
    [
        (-0.02, 0.001, SUPPORTED),
        (0.02, 0.001, CONTRADICTED),
        (-0.001, 0.001, NO_DIFFERENCE),
        (-0.004, 0.01, INCONCLUSIVE),
    ],
)
def test_a_claim_of_a_lower_loss_is_judged_by_its_interval(change, spread, expected):
    found = verdict(6, pairs(change, spread=spread))
    assert (found.verdict, found.n) == (expected, 10)
    assert found.interval[0] < found.estimate < found.interval[1]
    assert found.estimate == pytest.approx(-change, rel=0.05)
    assert "n = 10" in found.sentence


@pytest.mark.parametrize(
    ("change", "spread", "expected"),
    [(0.001, 0.001, SUPPORTED), (0.02, 0.001, CONTRADICTED), (-0.02, 0.001, CONTRADICTED), (0.004, 0.01, INCONCLUSIVE)],
)
def test_a_claim_of_no_difference_is_supported_inside_the_rope_only(change, spread, expected):
    assert verdict(5, pairs(change, "mcgill-logistic", spread=spread)).verdict == expected


def test_nothing_run_says_what_to_run_for_every_claim():
    found = verdicts(table([]), CURVES, table([], PATH_COLUMNS))
    assert {each.verdict for each in found} == {NOT_RUN}
    assert all(each.needs and each.needs[0].startswith("python -m studies run ") for each in found)
    assert all("n = 0" in each.sentence for each in found)


def test_the_source_s_own_five_runs_never_suffice():
    found = verdict(6, pairs(-0.02, seeds=5))
    assert found.verdict == INCONCLUSIVE
    assert found.n == 5
    assert "5 pairs can never reach p < .05" in found.sentence
    assert "n = 5" in found.sentence
    assert found.needs == ("python -m studies run mcgill-feedforward --seeds 10",)


def test_a_verdict_that_stands_needs_nothing_and_an_open_one_more_seeds():
    assert verdict(6, pairs(-0.02)).needs == ()
    assert verdict(6, pairs(-0.004, spread=0.01)).needs == ("python -m studies run mcgill-feedforward --seeds 20",)


def test_the_sentence_names_the_direction():
    assert "AMSGrad is 2 % lower than that of Adam" in verdict(6, pairs(-0.02)).sentence
    assert "AMSGrad is 2 % higher than that of Adam" in verdict(6, pairs(0.02)).sentence


def test_a_disagreement_gives_its_reason_and_an_agreement_none():
    assert verdict(6, pairs(0.02)).reason == CLAIMS[5].if_contradicted != ""
    assert verdict(6, pairs(-0.02)).reason == ""


# What counts


def test_equal_differences_have_an_interval_of_no_width():
    found = verdict(6, pairs(-0.25, spread=0))
    assert found.verdict == SUPPORTED
    assert found.interval == pytest.approx((0.25, 0.25))


def test_runs_of_a_variant_do_not_count_except_for_published_settings_where_there_are_no_others():
    assert verdict(6, pairs(-0.02, variant="as-coded")).verdict == NOT_RUN
    assert verdict(6, pairs(-0.02, variant="published-settings")).verdict == SUPPORTED
    assert verdict(6, pairs(-0.02, variant="published-settings") + pairs(0.02)).verdict == CONTRADICTED


def test_runs_of_fewer_epochs_than_the_study_s_decide_nothing():
    found = verdict(6, pairs(-0.02, epochs=3))
    assert found.verdict == INCONCLUSIVE
    assert "3 of the study's 50 epochs" in found.sentence


def test_pairs_that_diverged_are_left_out_and_said():
    runs = pairs(-0.02, seeds=12)
    runs[0] |= {"train_loss": nan, "status": "diverged"}
    found = verdict(6, runs)
    assert (found.verdict, found.n) == (SUPPORTED, 11)
    assert "1 of the pairs diverged" in found.sentence


def test_the_other_claims_of_a_source_weigh_on_a_p_that_is_barely_below_05():
    runs = []
    for seed, ahead in enumerate((0.006, 0.007, 0.008, 0.009, -0.01, 0.1, 0.11, 0.12, 0.13, 0.14)):
        runs.append(run("mcgill-feedforward", "Adam", seed, train_loss=1.0))
        runs.append(run("mcgill-feedforward", "AMSGrad", seed, train_loss=1 - ahead))
    alone = verdict(6, runs)
    assert alone.verdict == SUPPORTED
    assert alone.p == alone.p_holm == pytest.approx(20 / 1024)
    others = verdict(6, runs + pairs(0, "mcgill-logistic", spread=0.1) + pairs(0, "mcgill-cifarnet", spread=0.1))
    assert others.verdict == INCONCLUSIVE
    assert others.p_holm == pytest.approx(3 * alone.p)
    assert "not below .05" in others.sentence


def test_every_setting_means_every_setting():
    assert verdict(11, grid_of_pairs([0.02] * 12, "train_loss")).verdict == SUPPORTED
    one_against = verdict(11, grid_of_pairs([0.02] * 11 + [-0.02], "train_loss"))
    assert one_against.verdict == CONTRADICTED
    assert "12 comparisons 11 for the claim, 1 against it" in one_against.sentence
    assert "α = 0.0001, β₂ = 0.999, not corrected" in one_against.sentence


def test_usually_means_more_than_half_of_the_settings():
    assert verdict(12, grid_of_pairs([-0.02] * 7 + [0.02] * 5, "val_loss")).verdict == SUPPORTED
    assert verdict(12, grid_of_pairs([-0.02] * 6 + [0.02] * 6, "val_loss")).verdict == CONTRADICTED
    assert verdict(12, grid_of_pairs([0.001] * 12, "val_loss")).verdict == NO_DIFFERENCE


def test_accuracy_that_favours_neither_throughout_is_mixed():
    study, metric = "korzeniowski-vgg", "val_accuracy"
    assert verdict(15, grid_of_pairs([0.02, -0.02] * 6, metric, study)).verdict == SUPPORTED
    assert verdict(15, grid_of_pairs([0.02] * 12, metric, study)).verdict == CONTRADICTED
    assert verdict(15, pairs(0.002, study, spread=0.01, metric=metric, schedule="linear")).verdict == INCONCLUSIVE


def test_the_best_epoch_is_told_where_it_disagrees_with_the_last():
    runs = grid_of_pairs([-0.02] * 12, "val_loss")
    for each, best in zip(runs, grid_of_pairs([0.02] * 12, "best_val_loss"), strict=True):
        each["best_val_loss"] = best["best_val_loss"]
    assert "By each run's best epoch instead: contradicted." in verdict(12, runs).sentence


def test_a_table_of_verdicts_has_a_row_for_each_claim():
    found = frame(verdicts(table(pairs(-0.02)), CURVES, table([], PATH_COLUMNS)))
    assert list(found["number"]) == list(range(1, 25))
    row = found.set_index("number").loc[6]
    assert row["verdict"] == SUPPORTED
    assert row["low"] < row["estimate"] < row["high"]
    assert row["p_holm"] < 0.05
