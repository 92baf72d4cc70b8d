"""Verdicts on made-up tables whose answers are known: every measure but the usual one, a difference of pairs."""

from itertools import product
from math import isnan, nan

import numpy as np
import pytest

from studies.catalog.perez import PUBLISHED
from studies.claims import CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED, verdicts
from studies.tables import PATH_COLUMNS
from tests.verdicts import CURVES, pairs, run, table, verdict, walk, walks


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
    noise = np.random.default_rng(0).normal(0, 1e-4, (len(PUBLISHED), seeds))
    return [
        run(
            study,
            optimizer,
            seed,
            variant=variant,
            schedule=schedule,
            val_accuracy=(accuracy + off) / 100 + noise[i, seed],
        )
        for i, ((study, variant, optimizer), accuracy) in enumerate(PUBLISHED.items())
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
