"""Verdicts on made-up tables whose answers are known."""

from itertools import product
from math import isnan, nan

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.catalog import STUDIES
from studies.claims import (
    CLAIMS,
    CONTRADICTED,
    INCONCLUSIVE,
    NO_DIFFERENCE,
    NOT_RUN,
    SUPPORTED,
    frame,
    verdicts,
)
from studies.claims.sources.perez import TABLE as PEREZ_TABLE
from studies.claims.statistics import bootstrap_interval, holm, judge, p_of_at_least, wilcoxon
from studies.tables import CURVE_COLUMNS, PATH_COLUMNS, RUN_COLUMNS

CURVES = pd.DataFrame(columns=CURVE_COLUMNS)


def run(study, optimizer, seed, **values):
    row = {"study": study, "optimizer": optimizer, "seed": seed, "variant": "", "stage": "repeat", "schedule": ""}
    row |= {"learning_rate": 0.001, "beta_2": 0.999, "bias_correction": True, "status": "ok", "epochs": 1000}
    return row | values


def table(rows, columns=RUN_COLUMNS):
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*columns, *(rows[0] if rows else ())])))


def verdict(number, runs=(), paths=()):
    found = verdicts(table(list(runs)), CURVES, table(list(paths), PATH_COLUMNS))
    return found[number - 1]


def pairs(change, study="mcgill-feedforward", seeds=10, spread=0.001, metric="train_loss", **values):
    """Return runs of Adam (loss about 1) and of AMSGrad, whose loss differs by `change` in the mean."""
    noise = stats.norm.ppf((np.arange(seeds) + 0.5) / seeds)
    runs = []
    for seed in range(seeds):
        level = 1 + 0.3 * (-1) ** seed  # seeds differ much more than optimizers
        runs.append(run(study, "Adam", seed, **{metric: level}, **values))
        runs.append(run(study, "AMSGrad", seed, **{metric: level + change + spread * noise[seed]}, **values))
    return runs


def grid_of_pairs(changes, metric, study="korzeniowski-logistic"):
    """Return paired runs in the 12 settings of a grid."""
    settings = product((0.01, 0.001, 0.0001), (0.99, 0.999), (True, False))
    runs = []
    for change, (alpha, beta_2, corrected) in zip(changes, settings, strict=True):
        names = {"learning_rate": alpha, "beta_2": beta_2, "bias_correction": corrected, "schedule": "linear"}
        runs += pairs(change, study, metric=metric, **names)
    return runs


def walk(study, optimizer, end, variant="", seed=0, regret=(1.0, 1.0), gamma_min=0.0, **values):
    steps = STUDIES[study].steps
    row = {"study": study, "variant": variant, "optimizer": optimizer, "seed": seed, "gamma_min": gamma_min} | values
    return [row | {"t": t, "x": end, "average_regret": r} for t, r in zip((steps // 10, steps), regret, strict=True)]


def walks(optimizer, end, **values):
    rows = walk("synthetic-online", optimizer, end, **values)
    for variant in ("C=3", "C=5"):
        rows += walk("synthetic-mod3", optimizer, end, variant, **values)
    for seed in range(20):
        rows += walk("synthetic-stochastic", optimizer, end + 1e-3 * seed, seed=seed, **values)
    return rows


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


# The other measures


def test_adam_must_end_at_the_worst_point_of_every_problem():
    assert verdict(1, paths=walks("Adam", 0.98)).verdict == SUPPORTED
    assert verdict(1, paths=walks("Adam", -1.0)).verdict == CONTRADICTED
    assert verdict(2, paths=walks("AMSGrad", -0.98)).verdict == SUPPORTED
    only_online = verdict(1, paths=walk("synthetic-online", "Adam", 1.0))
    assert only_online.verdict == INCONCLUSIVE
    assert only_online.needs == ("python -m studies run synthetic-stochastic", "python -m studies run synthetic-mod3")


def test_walks_cut_short_and_other_variants_decide_nothing():
    short = [row | {"t": row["t"] / 100} for row in walks("Adam", 1.0)]
    assert verdict(1, paths=short).verdict == INCONCLUSIVE
    assert "steps" in verdict(1, paths=short).sentence
    assert verdict(1, paths=walk("synthetic-online", "Adam", -1.0, "korzeniowski")).verdict == NOT_RUN


def test_a_regret_vanishes_if_it_falls_while_the_steps_grow_tenfold():
    falls, stays = {"regret": (0.3, 0.1)}, {"regret": (0.3, 0.29)}
    assert verdict(3, paths=walks("Adam", 1, **stays) + walks("AMSGrad", -1, **falls)).verdict == SUPPORTED
    assert verdict(3, paths=walks("Adam", 1, **falls) + walks("AMSGrad", -1, **falls)).verdict == CONTRADICTED
    assert verdict(3, paths=walks("Adam", 1, **stays) + walks("AMSGrad", -1, **stays)).verdict == CONTRADICTED


def test_gamma_must_be_negative_for_adam_and_for_nobody_else():
    never = walks("AMSGrad", -1, gamma_min=0.0) + walks("SGD", -1, gamma_min=0.1)
    assert verdict(4, paths=walks("Adam", 1, gamma_min=-0.1) + never).verdict == SUPPORTED
    assert verdict(4, paths=walks("Adam", 1, gamma_min=0.0) + never).verdict == CONTRADICTED
    assert verdict(4, paths=walks("Adam", 1, gamma_min=-0.1) + walks("SGD", -1, gamma_min=-1.0)).verdict == CONTRADICTED
    assert verdict(4, paths=walks("Adam", 1, gamma_min=nan)).verdict == NOT_RUN  # records from before it was kept


def test_the_largest_step_is_counted_in_alphas():
    assert verdict(21, paths=walks("Adam", 1, largest_step=1.05)).verdict == SUPPORTED
    assert verdict(21, paths=walks("Adam", 1, largest_step=3.2)).verdict == CONTRADICTED


def test_scaled_gradients_must_leave_the_walk_where_it_was():
    plain = walk("synthetic-online", "Adam", 1.0)
    assert verdict(22, paths=plain).verdict == NOT_RUN
    assert verdict(22, paths=plain + walk("synthetic-online", "Adam", 1.0 - 1e-9, "scaled")).verdict == SUPPORTED
    assert verdict(22, paths=plain + walk("synthetic-online", "Adam", 0.9, "scaled")).verdict == CONTRADICTED


@pytest.mark.parametrize(("spread", "expected"), [(0.2, SUPPORTED), (0.0, CONTRADICTED)])
def test_the_spread_of_runs_is_held_against_the_gap(spread, expected):
    runs = []
    for study in ("mcgill-logistic", "mcgill-feedforward", "mcgill-cifarnet"):
        for seed in range(10):
            own = spread * np.sin(3 * seed)
            runs += [run(study, "Adam", seed, train_loss=1 + own), run(study, "AMSGrad", seed, train_loss=0.9 + own)]
    assert verdict(8, runs).verdict == expected


def searched(losses, study="mcgill-logistic"):
    """Return search rows of Adam and AMSGrad, `losses` {optimizer: {(alpha, beta_2): loss}}, in three folds."""
    return [
        run(study, optimizer, 0, stage="search", fold=fold, learning_rate=alpha, beta_2=beta_2, val_loss=loss + fold)
        for optimizer, cells in losses.items()
        for (alpha, beta_2), loss in cells.items()
        for fold in range(3)
    ]


def test_a_choice_is_the_source_s_or_close_to_it_or_neither():
    grid = {(0.001, 0.99): 1.0, (0.1, 0.99): 2.0}
    same = searched({"Adam": grid, "AMSGrad": grid})
    assert "1 for the claim" not in verdict(9, same).sentence
    assert "2 for the claim" in verdict(9, same).sentence
    close = verdict(9, searched({"Adam": {**grid, (0.1, 0.99): 0.995}}))
    assert "1 without practical difference" in close.sentence
    far = verdict(9, searched({"Adam": {**grid, (0.1, 0.99): 0.5}}))
    assert far.verdict == CONTRADICTED
    assert "the source α = 0.001, β₂ = 0.99" in far.sentence


def test_the_optimizer_whose_losses_vary_less_over_the_grid_is_more_robust():
    settings = list(product((1e-4, 1e-3, 1e-2, 0.1, 1.0), (0.99, 0.9925, 0.995, 0.9975, 0.999)))
    wide = {each: 1 + 0.1 * i for i, each in enumerate(settings)} | {settings[-1]: nan}
    narrow = {each: 1 + 0.01 * i for i, each in enumerate(settings)}
    studies = ("mcgill-logistic", "mcgill-feedforward", "mcgill-cifarnet")
    rows = [row for study in studies for row in searched({"Adam": wide, "AMSGrad": narrow}, study)]
    swapped = [row for study in studies for row in searched({"Adam": narrow, "AMSGrad": wide}, study)]
    assert verdict(16, rows).verdict == SUPPORTED
    assert "n = 25" in verdict(16, rows).sentence
    assert verdict(16, swapped).verdict == CONTRADICTED


@pytest.mark.parametrize(("accuracy", "expected"), [(0.1, SUPPORTED), (nan, SUPPORTED), (0.7, CONTRADICTED)])
def test_a_run_fails_that_diverged_or_stays_at_chance(accuracy, expected):
    runs = pairs(0, "korzeniowski-cifarnet", seeds=20, learning_rate=0.01, metric="train_loss")
    assert verdict(13, [each | {"val_accuracy": accuracy} for each in runs]).verdict == expected


def perez(off, schedule="inverse-sqrt-epoch", seeds=10):
    """Return runs of every cell of the source's table, `off` points from it."""
    noise = np.random.default_rng(0).normal(0, 1e-4, (len(PEREZ_TABLE), seeds))
    return [
        run(
            study,
            optimizer,
            seed,
            variant=variant,
            schedule=schedule,
            val_accuracy=(accuracy + off) / 100 + noise[i, seed],
        )
        for i, (study, variant, optimizer, accuracy) in enumerate(PEREZ_TABLE)
        for seed in range(seeds)
    ]


def test_a_table_is_reached_if_one_reading_of_what_it_leaves_open_reaches_it():
    assert verdict(17, perez(0.1)).verdict == SUPPORTED
    assert verdict(17, perez(1.0)).verdict != SUPPORTED
    both = verdict(17, perez(1.0) + perez(0.1, "inverse-sqrt-update"))
    assert both.verdict == SUPPORTED
    assert both.sentence.startswith("With α/√update: of 10 comparisons")
    assert verdict(17, perez(1.0) + perez(-2, "inverse-sqrt-update")).verdict == CONTRADICTED


def test_a_single_run_carries_no_interval():
    found = verdict(19, perez(0, seeds=1))
    assert found.verdict == INCONCLUSIVE
    assert "a single run carries no interval" in found.sentence.lower()
    assert isnan(found.interval[0])
    assert "python -m studies run perez-cnn --seeds 10" in found.needs


def test_models_and_dropout_are_compared_by_the_table():
    runs = table(perez(0) + perez(0, "inverse-sqrt-update"))
    found = {each.claim.number: each.verdict for each in verdicts(runs, CURVES, table([], PATH_COLUMNS))}
    assert found[19] == SUPPORTED
    assert found[18] == CONTRADICTED  # in the source's own table Adam's 98.17 is below AdaMax's 98.33
    assert found[20] == CONTRADICTED  # and dropout takes 98.33 to 98.14


def test_decoupled_decay_separates_if_its_effects_add_up():
    def accuracy(way, i, j, seed):
        return 0.9 + 0.01 * i - 0.01 * j + (0.02 * (-1) ** (i + j) if way == "l2" else 0) + 0.001 * np.sin(seed * i * j)

    runs = [
        run("bushaev-variants", "Adam", seed, variant=f"decay+{way}={decay:g}", learning_rate=alpha,
            val_accuracy=accuracy(way, i, j, seed))
        for way in ("l2", "decoupled")
        for i, alpha in enumerate((1e-3, 1e-2))
        for j, decay in enumerate((1e-4, 1e-3))
        for seed in range(10)
    ]  # fmt: skip
    assert verdict(23, runs).verdict == SUPPORTED
    names = {"l2": "decoupled", "decoupled": "l2"}
    for each in runs:
        way, decay = each["variant"].removeprefix("decay+").split("=")
        each["variant"] = f"decay+{names[way]}={decay}"
    assert verdict(23, runs).verdict == CONTRADICTED


def variants_of_adam(better):
    """Return runs of Adam and its variants on both data sets; one variant's loss is `better` times Adam's."""
    runs = []
    for prefix, seed in product(("", "mnist"), range(10)):
        level = 1 + 0.1 * seed
        for i, name in enumerate(("Adam", "AdaMax", "Nadam", "AMSGrad", "NDAdam", "SWATS", "SGD")):
            loss = level * (better if name == "Nadam" else 1) * (1 + 0.001 * np.sin(seed + 3 * i))
            runs.append(run("bushaev-variants", name, seed, variant=prefix, val_loss=loss))
        adamw = "+".join(filter(None, (prefix, "adamw")))
        runs.append(run("bushaev-variants", "Adam", seed, variant=adamw, val_loss=level * (1 + 0.001 * np.sin(seed))))
    return runs


def test_one_variant_that_beats_adam_is_enough():
    assert verdict(24, variants_of_adam(better=1.0)).verdict == SUPPORTED
    assert verdict(24, variants_of_adam(better=1.2)).verdict == SUPPORTED
    beaten = verdict(24, variants_of_adam(better=0.8))
    assert beaten.verdict == CONTRADICTED
    assert "Nadam" in beaten.sentence


def test_linear_decay_is_held_against_both_readings_of_the_root():
    def against(factor):
        runs = []
        for seed in range(10):
            own = {"learning_rate": 0.01, "train_loss": 1 + 0.1 * seed}
            runs.append(run("korzeniowski-logistic", "Adam", seed, schedule="linear", **own))
            for root in ("inverse-sqrt-epoch", "inverse-sqrt-update"):
                values = own | {"train_loss": own["train_loss"] * factor, "variant": "inverse-sqrt"}
                runs.append(run("korzeniowski-logistic", "Adam", seed, schedule=root, **values))
        return runs

    assert verdict(10, against(1.1)).verdict == SUPPORTED
    assert verdict(10, against(0.9)).verdict == CONTRADICTED
    assert "linear decay" in verdict(10, against(1.1)).sentence


# Statistics


def test_five_pairs_reach_p_0625_at_the_least_and_ten_002():
    assert wilcoxon(np.arange(1.0, 6)) == 0.0625
    assert wilcoxon(np.ones(10)) == pytest.approx(2 / 2**10)  # ties too
    assert wilcoxon(np.zeros(10)) == 1
    assert isnan(wilcoxon(np.ones(1)))


def test_holm_steps_down():
    assert holm([0.01, 0.04, nan, 0.03]) == pytest.approx([0.03, 0.06, nan, 0.06], nan_ok=True)


def test_all_are_as_sure_as_the_least_and_one_as_the_surest_times_their_number():
    assert p_of_at_least(3, [0.01, 0.3, 0.02]) == 0.3
    assert p_of_at_least(1, [0.01, 0.3, 0.02]) == pytest.approx(0.03)
    assert p_of_at_least(2, [0.01, 0.3, 0.02]) == pytest.approx(0.04)


def test_an_interval_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(1).exponential(size=(300, 20))
    covered = [low <= 1 <= high for low, high in (bootstrap_interval((each,), np.mean) for each in draws)]
    assert 0.86 < np.mean(covered) < 0.98


def test_an_interval_that_is_no_number_decides_nothing():
    assert {judge(nan, nan, 0.1, direction) for direction in ("better", "same", "no worse")} == {INCONCLUSIVE}


def test_a_table_of_verdicts_has_a_row_for_each_claim():
    found = frame(verdicts(table(pairs(-0.02)), CURVES, table([], PATH_COLUMNS)))
    assert list(found["number"]) == list(range(1, 25))
    row = found.set_index("number").loc[6]
    assert row["verdict"] == SUPPORTED
    assert row["low"] < row["estimate"] < row["high"]
    assert row["p_holm"] < 0.05
