"""Verdicts on made-up grids of settings whose answers are known: decays, schedules, the author's runs."""

from itertools import product

import numpy as np

from studies.claims import CONTRADICTED, NO_DIFFERENCE, SUPPORTED
from studies.claims.authors import author_runs
from tests.verdicts import curves_of, grid_of_pairs, reading, run, verdict

# Decay


def decays(way, other, strong=0.0):
    """Return runs over rates x decays in which the effects of `way` add up and those of `other` do not.

    `strong` is what the strongest decay of `way` costs at the highest rate.
    """

    def accuracy(name, i, j, seed):
        costs = strong * (name == way and i == j == 2)
        return (
            0.9
            + (0.004 * (-1) ** (i + j) if name == other else 0)
            - costs
            + 0.001 * np.sin((seed + 1) * (i + 1) * (j + 2))
        )

    return [
        run("bushaev-variants", "Adam", seed, variant=f"decay+{name}={decay:g}", learning_rate=alpha,
            val_accuracy=accuracy(name, i, j, seed))
        for name in ("l2", "decoupled")
        for i, alpha in enumerate((1e-3, 1e-2, 1e-1))
        for j, decay in enumerate((1e-4, 1e-3, 1e-2))
        for seed in range(10)
    ]  # fmt: skip


def test_decoupled_decay_separates_if_its_effects_add_up():
    assert reading(23, "accuracy, all settings", decays("decoupled", "l2")).verdict == SUPPORTED
    assert reading(23, "accuracy, all settings", decays("l2", "decoupled")).verdict == CONTRADICTED


def test_settings_far_from_the_best_do_not_count_near_the_best():
    def hopeless(runs):
        """Make the strongest decoupled decay useless at every rate, and at each in another way."""
        for each in runs:
            if each["variant"] == "decay+decoupled=0.01":
                each["val_accuracy"] = 0.5 + each["learning_rate"]
        return runs

    runs = hopeless(decays("decoupled", "l2"))
    assert reading(23, "accuracy, all settings", runs).verdict == CONTRADICTED
    assert reading(23, "accuracy, near the best", runs).verdict == SUPPORTED


def restarts(best):
    """Return search rows and repeats of plain Adam, and of three decoupled decays of which `best` is searched best."""
    rows = []
    for strength, schedule in product((0.0, 0.1, 1.0), ("", "warm-restarts")):
        for way in ("l2", "decoupled"):
            chosen = way == "decoupled" and strength == best
            names = {"variant": f"restarts+{way}={strength:g}", "schedule": schedule}
            accuracy = 0.95 + 0.02 * chosen
            for fold in range(3):
                rows.append(
                    run("bushaev-variants", "Adam", 0, stage="search", fold=fold, val_accuracy=accuracy, **names)
                )
            for seed in range(10):
                own = accuracy + 1e-4 * np.sin(seed * (1 + strength))
                rows.append(run("bushaev-variants", "Adam", seed, val_accuracy=own, **names))
    return rows


def test_the_strength_of_a_decay_is_chosen_by_the_search():
    found = reading(24, "against no decay", restarts(best=0.1))
    assert found.verdict == SUPPORTED
    assert "with decoupled=0.1" in found.deciding.found.text
    assert "with decoupled=1" in reading(24, "against no decay", restarts(best=1.0)).deciding.found.text


def lengths(best):
    """Return runs over decays of which `best` {epochs: decay} has the lowest test loss."""
    return [
        run(
            "bushaev-variants",
            "Adam",
            seed,
            variant=f"decay-{epochs}-epochs+decoupled={decay:g}",
            epochs=epochs,
            val_loss=1 + abs(np.log(decay / best[epochs])) + 0.001 * np.sin(seed),
        )
        for epochs in best
        for decay in (0.01, 0.1, 0.2, 0.4, 1.0)
        for seed in range(10)
    ]


def test_the_best_decay_is_held_against_the_number_of_epochs():
    falls, stays = lengths({10: 0.4, 20: 0.2, 40: 0.2}), lengths({10: 0.2, 20: 0.2, 40: 0.2})
    assert reading(38, "the decay falls", falls).verdict == SUPPORTED
    assert reading(38, "the decay falls", stays).verdict == NO_DIFFERENCE
    normalised = reading(38, "the normalised decay stays", lengths({10: 0.4, 20: 0.4, 40: 0.2})).parts
    assert [part.verdict for part in normalised] == [CONTRADICTED, SUPPORTED]  # .4 √10 and .2 √40 are the same


# Grids


def test_linear_decay_is_held_against_both_readings_of_the_root():
    def against(factor):
        runs = []
        for seed, alpha in product(range(10), (0.01, 0.001, 0.0001)):
            own = {"learning_rate": alpha, "train_loss": 1 + 0.1 * seed}
            runs.append(run("korzeniowski-logistic", "Adam", seed, schedule="linear", **own))
            for root in ("inverse-sqrt-epoch", "inverse-sqrt-update"):
                values = own | {"train_loss": own["train_loss"] * factor, "variant": "inverse-sqrt"}
                runs.append(run("korzeniowski-logistic", "Adam", seed, schedule=root, **values))
        return runs

    assert reading(10, "training loss", against(1.1)).verdict == SUPPORTED
    assert reading(10, "training loss", against(0.9)).verdict == CONTRADICTED
    assert "linear decay" in verdict(10, against(1.1)).sentence


def test_the_last_phase_is_the_last_fifth_of_the_epochs():
    runs = grid_of_pairs([0.0] * 12, "train_loss")
    curves = []
    for each in runs:
        fall = 0.5 if each["optimizer"] == "AMSGrad" else 0.9
        curves += curves_of(each, train_loss=[1.0] * 8 + [1.0, fall * (1 + 0.001 * each["seed"])])
    assert reading(31, "", runs, curves=curves).verdict == SUPPORTED
    assert reading(31, "", runs, curves=[each | {"train_loss": 1.0} for each in curves]).verdict == NO_DIFFERENCE


# The author's runs


def test_the_author_s_runs_are_96_settings_with_accuracies_as_fractions():
    rows = author_runs()
    assert len(rows) == 96
    assert rows["study"].notna().all()
    assert rows["val_accuracy"].between(0, 1).all()


def test_a_claim_that_was_not_run_here_has_the_author_s_runs():
    found = verdict(14)
    assert found.by_author
    assert "the author's runs: the final validation loss" in found.sentence
    assert len(found.counted[0].parts) == 12
    assert verdict(14, grid_of_pairs([-0.05] * 12, "val_loss", "korzeniowski-vgg")).by_author is False
