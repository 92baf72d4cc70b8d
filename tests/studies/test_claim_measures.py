"""Verdicts on made-up runs whose answers are known: spreads and shares, searches, published numbers."""

from itertools import product
from math import nan

import numpy as np
import pytest

from studies.catalog import Command
from studies.catalog.perez import PUBLISHED
from studies.claims import CONTRADICTED, DEPENDS, INCONCLUSIVE, NO_DIFFERENCE, NOT_RUN, SUPPORTED
from tests.verdicts import curves_of, grid_of_pairs, pairs, reading, run, verdict

# Spread and shares


@pytest.mark.parametrize(("spread", "expected"), [(0.3, SUPPORTED), (0.001, CONTRADICTED)])
def test_the_gap_is_held_against_what_one_pair_differs_from_the_next(spread, expected):
    studies = {"mcgill-logistic": "", "mcgill-feedforward": "", "mcgill-cifarnet": "published-settings"}
    runs = [each for study, name in studies.items() for each in pairs(-0.05, study, spread=spread, variant=name)]
    assert reading(8, "spread against gap", runs).verdict == expected


def test_one_pair_in_which_adam_is_ahead_makes_some():
    assert reading(8, "some pairs", pairs(-0.05, "mcgill-logistic", spread=0.1)).verdict == SUPPORTED
    assert reading(8, "some pairs", pairs(-0.05, "mcgill-logistic", spread=0.001)).verdict == CONTRADICTED


@pytest.mark.parametrize(
    ("better", "ties", "expected"),
    [
        pytest.param(0, 0, SUPPORTED, id="never"),
        pytest.param(10, 0, CONTRADICTED, id="always"),
        pytest.param(5, 0, INCONCLUSIVE, id="as often as not"),
        pytest.param(0, 5, INCONCLUSIVE, id="too many ties"),
        pytest.param(0, 10, INCONCLUSIVE, id="only ties"),
    ],
)
def test_the_better_run_is_counted_pair_by_pair_and_ties_for_neither(better, ties, expected):
    runs = []
    for seed in range(10):
        ahead = 0.0 if seed >= 10 - ties else 0.02 if seed < better else -0.02
        runs += [run("mcgill-logistic", "Adam", seed, val_accuracy=0.9, val_loss=1.0)]
        runs += [run("mcgill-logistic", "AMSGrad", seed, val_accuracy=0.9 + ahead, val_loss=1.0 - ahead)]
    for name in ("test accuracy", "test loss"):
        (part,) = reading(39, f"P(better), {name}", runs).run
        assert part.verdict == expected
        assert (part.found.n, part.found.value_a, part.found.value_b) == (10, better, 10 - ties - better)
        assert f"in {better} of 10 pairs" in part.found.text


def swats(away, learning_rate=0.001):
    """Return the curves of ten runs of Adam and of SWATS, the latter `away` (10,) from the former in its last epoch."""
    curves = []
    for seed, far in enumerate(away):
        for name, ratios, alpha in (("Adam", (1, 1), 0.001), ("SWATS", (1, 1 + far), learning_rate)):
            values = run("bushaev-variants", name, seed, learning_rate=alpha, train_accuracy=0.9, val_accuracy=0.9)
            curves += curves_of(values, train_loss=[0.5 * ratios[0], 0.1 * ratios[1]])
    return curves


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        pytest.param([0.019] * 10, CONTRADICTED, id="none"),
        pytest.param([0.019] * 9 + [-0.03], CONTRADICTED, id="one"),
        pytest.param([0.03] * 10, SUPPORTED, id="all"),
    ],
)
def test_swats_that_stays_on_the_path_of_adam_has_not_become_sgd(away, expected):
    (part,) = reading(42, "leaves Adam's path, digits", curves=swats(away)).parts
    assert part.verdict == expected
    assert part.found.value_a == sum(abs(each) > 0.02 for each in away)
    (other,) = reading(42, "leaves Adam's path, digits", curves=swats(away, learning_rate=0.01)).parts
    assert other.verdict == NOT_RUN  # other settings make another path


def test_what_is_shown_beside_a_claim_asks_for_no_runs():
    runs = [
        row
        for study in ("digits", "mcgill-logistic", "mcgill-feedforward")
        for row in pairs(-0.2, study, metric="val_loss", val_accuracy=0.9, best_val_loss=0.5)
    ]
    parts = {command.study for command in verdict(39, runs).needs}
    assert "bushaev-variants" in parts  # not run
    assert "digits" not in parts


@pytest.mark.parametrize(("narrow", "expected"), [("AMSGrad", SUPPORTED), ("Adam", CONTRADICTED)])
def test_the_optimizer_whose_losses_vary_less_over_the_grid_is_more_robust(narrow, expected):
    runs = [
        run(
            "korzeniowski-logistic",
            optimizer,
            seed,
            schedule="linear",
            learning_rate=alpha,
            train_loss=float(np.exp((0.1 if optimizer == narrow else 0.5) * i + 0.001 * np.sin(seed * i))),
        )
        for optimizer in ("Adam", "AMSGrad")
        for i, alpha in enumerate((0.01, 0.001, 0.0001))
        for seed in range(10)
    ]
    found = reading(16, "final training loss", runs)
    assert found.verdict == expected
    assert found.deciding.found.n == 10  # seeds, not settings
    assert reading(35, "final training loss", runs).verdict == (CONTRADICTED if expected == SUPPORTED else SUPPORTED)


@pytest.mark.parametrize(("spread", "expected"), [(0.01, SUPPORTED), (10.0, CONTRADICTED)])
def test_spreads_of_runs_are_compared_setting_by_setting(spread, expected):
    runs = grid_of_pairs([0.0] * 12, "val_loss")
    noise = np.random.default_rng(0).normal(size=len(runs))
    for each, random in zip(runs, noise, strict=True):
        each["val_loss"] = 1 + 0.01 * random * (spread if each["optimizer"] == "AMSGrad" else 1)
    assert reading(34, "logistic regression", runs).verdict == expected


# Searches and published numbers


def searched(losses, study="mcgill-logistic"):
    """Return search rows, `losses` {optimizer: {(alpha, beta_2): loss}}, in three folds that lie .01 apart."""
    return [
        run(
            study,
            optimizer,
            0,
            stage="search",
            fold=fold,
            learning_rate=alpha,
            beta_2=beta_2,
            val_loss=loss + 0.01 * fold,
        )
        for optimizer, cells in losses.items()
        for (alpha, beta_2), loss in cells.items()
        for fold in range(3)
    ]


@pytest.mark.parametrize(("other", "expected"), [(2.0, SUPPORTED), (0.999, NO_DIFFERENCE), (0.5, INCONCLUSIVE)])
def test_a_choice_is_the_source_s_or_within_one_standard_error_or_undecided(other, expected):
    rows = searched({"Adam": {(0.001, 0.99): 1.0, (0.1, 0.99): other}})
    (part,) = reading(9, "by loss, last epoch", rows).run
    assert part.verdict == expected
    assert "α = 0.001, β₂ = 0.99" in part.found.text


@pytest.mark.parametrize(("accuracy", "expected"), [(0.1, SUPPORTED), (nan, SUPPORTED), (0.7, CONTRADICTED)])
def test_a_run_fails_that_diverged_or_stays_at_chance(accuracy, expected):
    runs = grid_of_pairs([0.0] * 4, "train_loss", "korzeniowski-cifarnet", rates=(0.01,))
    assert reading(13, "runs made here", [each | {"val_accuracy": accuracy} for each in runs]).verdict == expected


def perez(off, schedule="inverse-sqrt-epoch", seeds=10, **values):
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
            **values,
        )
        for i, ((study, variant, optimizer), accuracy) in enumerate(PUBLISHED.items())
        for seed in range(seeds)
    ]


def test_a_table_is_reached_or_not_under_each_reading_of_what_it_leaves_open():
    assert verdict(17, perez(0.1)).verdict == SUPPORTED
    assert verdict(17, perez(1.0)).verdict == CONTRADICTED
    both = verdict(17, perez(1.0) + perez(0.1, "inverse-sqrt-update"))
    assert both.verdict == DEPENDS
    assert "α = 0.001, t = epoch: contradicted; α = 0.001, t = update: supported" in both.sentence


def test_a_single_run_carries_no_verdict():
    found = verdict(19, perez(0, seeds=1))
    assert found.verdict == INCONCLUSIVE
    assert "A single run carries no verdict" in found.sentence
    assert Command("perez-cnn", seeds=10) in found.needs


def test_models_and_optimizers_are_compared_by_the_table():
    runs = perez(0)
    assert verdict(18, runs).verdict == SUPPORTED  # four of five cells of the source's own table
    assert verdict(19, runs).verdict == CONTRADICTED  # which contradicts what its text says of AdaMax
    others = [each | {"val_accuracy": each["val_accuracy"] - 0.02 * (each["optimizer"] == "Adam")} for each in runs]
    assert verdict(18, others).verdict == CONTRADICTED


def test_dropout_is_judged_by_the_last_epochs_and_the_gap_of_losses():
    runs, curves = [], []
    for study, optimizer, variant, seed in product(
        ("perez-mlp", "perez-cnn"), ("Adam", "AdaMax"), ("", "dropout"), range(10)
    ):
        small = variant == "dropout"
        each = run(study, optimizer, seed, variant=variant, schedule="inverse-sqrt-epoch", train_loss=1.0)
        each["val_loss"] = (1.2 if small else 2.0) + 0.01 * np.sin(seed)
        runs.append(each)
        shake = (0.01 if small else 0.1) * (1 + 0.1 * np.sin(seed))
        curves += curves_of(each, val_loss=[1 + shake * (-1) ** epoch for epoch in range(20)])
    assert reading(20, "t = epoch", runs, curves=curves).verdict == SUPPORTED
    swapped = {"": "dropout", "dropout": ""}
    for each in (*runs, *curves):
        each["variant"] = swapped[each["variant"]]
    assert reading(20, "t = epoch", runs, curves=curves).verdict == CONTRADICTED
