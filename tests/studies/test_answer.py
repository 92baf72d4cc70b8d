"""The answer to "does AMSGrad beat Adam?": its numbers against ones computed by hand, and what its sentences say."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.report import answer, own
from tests import made_up
from tests.verdicts import run, table


def tuned_runs(losses, accuracies=None, study="digits", other="AMSGrad"):
    """Return a search, and paired runs: `losses` and `accuracies` are those of Adam and of the other, (2, n) each."""
    accuracies = np.full_like(losses, 0.9) if accuracies is None else np.asarray(accuracies)
    rows = [run(study, name, 0, stage="search") for name in ("Adam", other)]
    for name, own_losses, own_accuracies in zip(("Adam", other), losses, accuracies, strict=True):
        for seed, (loss, accuracy) in enumerate(zip(own_losses, own_accuracies, strict=True)):
            values = {"val_loss": loss, "best_val_loss": loss / 2, "val_accuracy": accuracy}
            rows.append(run(study, name, seed, **values))
    return table(rows)


def pairs(difference, seeds=10):
    """Return made-up values of Adam, and of another that is higher by `difference` on average, (2, n)."""
    adam = 0.5 + 0.01 * np.arange(seeds)
    return np.array([adam, adam + difference + 1e-4 * (-1.0) ** np.arange(seeds)])


def row(runs, metric):
    return next(each for each in answer.tuned(runs).itertuples() if each.metric == metric)


def test_a_loss_is_compared_by_the_mean_log_ratio_of_the_pairs():
    adam, other = losses = pairs(-0.05)
    found = row(tuned_runs(losses), "val_loss")
    expected = stats.ttest_1samp(np.log(other / adam), 0).confidence_interval()
    assert (found.n, found.adam, found.other) == (10, pytest.approx(adam.mean()), pytest.approx(other.mean()))
    assert found.estimate == pytest.approx(100 * np.expm1(np.log(other / adam).mean()))
    assert (found.low, found.high) == pytest.approx(tuple(100 * np.expm1(expected)))


def test_an_accuracy_is_compared_in_points():
    adam, other = accuracies = pairs(0.01)
    found = row(tuned_runs(pairs(0), accuracies), "val_accuracy")
    expected = stats.ttest_1samp(100 * (other - adam), 0).confidence_interval()
    assert found.estimate == pytest.approx(1.0)
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_pairs_are_runs_of_the_same_seed_whatever_their_order():
    runs = tuned_runs(pairs(-0.05))
    shuffled = runs.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(answer.tuned(shuffled), answer.tuned(runs))


def test_a_diverged_run_is_left_out_with_its_pair():
    losses = pairs(-0.05)
    losses[1, 3] = np.nan
    assert row(tuned_runs(losses), "val_loss").n == 9


@pytest.mark.parametrize("change", [{"stage": "repeat"}, {"variant": "as-coded"}])
def test_runs_without_a_search_and_runs_of_a_variant_are_no_answer(change):
    assert answer.tuned(tuned_runs(pairs(0)).assign(**change)).empty


def test_in_a_comparison_of_ones_own_a_variant_is_part_of_the_name():
    runs = tuned_runs(pairs(-0.05), study="mine", other="AdamW")
    both = pd.concat([runs, runs[runs["optimizer"] == "AdamW"].assign(variant="weight_decay=0.01")])
    found = answer.tuned(both)
    assert list(dict.fromkeys(found["optimizer"])) == ["AdamW", "AdamW (weight_decay = 0.01)"]
    assert (found.query("metric == 'val_loss'")["n"] == 10).all()


@pytest.mark.parametrize(
    ("difference", "seeds", "said"),
    [
        pytest.param(-0.05, 10, "AMSGrad is ahead", id="lower"),
        pytest.param(0.05, 10, "Adam is ahead", id="higher"),
        pytest.param(0.0, 10, "no practical difference", id="the same"),
        pytest.param(-0.00544, 10, "not decided", id="about as large as what matters"),
        pytest.param(-0.05, 5, "not decided", id="five pairs"),
        pytest.param(-0.05, 1, "not decided", id="one pair"),
    ],
)
def test_what_an_interval_decides(difference, seeds, said):
    assert answer.outcome(row(tuned_runs(pairs(difference, seeds)), "val_loss")) == said


def test_a_higher_accuracy_is_ahead():
    assert answer.outcome(row(tuned_runs(pairs(0), pairs(0.01)), "val_accuracy")) == "AMSGrad is ahead"
    assert answer.outcome(row(tuned_runs(pairs(0), pairs(-0.01)), "val_accuracy")) == "Adam is ahead"


def test_a_sentence_tells_both_values_the_difference_its_interval_and_n():
    said = answer.sentence(row(tuned_runs(pairs(0), pairs(0.01)), "val_accuracy"))
    assert said == (
        "AMSGrad is ahead: the test accuracy after the last epoch is 55.50 % with AMSGrad and 54.50 % with Adam, "
        "1 points higher with AMSGrad (95 % interval 0.992 to 1.01 points; n = 10 pairs of runs)."
    )
    assert "(no interval; n = 1 pair of runs)" in answer.sentence(row(tuned_runs(pairs(0, 1)), "val_loss"))


def several(**changes):
    """Return runs of Adam and others, whose accuracies lie above Adam's by so much."""
    found = [tuned_runs(pairs(0), pairs(change), other=name) for name, change in changes.items()]
    return pd.concat(found).drop_duplicates(["stage", "optimizer", "seed"])


def test_optimizers_that_say_the_same_share_a_sentence():
    ahead, behind = answer.sentences(answer.tuned(several(AMSGrad=0.01, AdaMax=-0.01, Nadam=0.02)))
    assert ahead == (
        "AMSGrad and Nadam are ahead: the test accuracy after the last epoch is 54.50 % with Adam, 55.50 % with "
        "AMSGrad and 56.50 % with Nadam (differences in points: AMSGrad 1, 95 % interval 0.992 to 1.01; Nadam 2, 95 % "
        "interval 1.99 to 2.01; n = 10 pairs of runs each)."
    )
    assert behind.startswith("Adam is ahead: the test accuracy after the last epoch is 53.50 % with AdaMax")
    (alike,) = answer.sentences(answer.tuned(several(AMSGrad=0.0, AdaMax=0.0)))
    assert alike.startswith("No practical difference between Adam and each of AMSGrad and AdaMax: ")
    (behind,) = answer.sentences(answer.tuned(several(AMSGrad=-0.01, AdaMax=-0.01)))
    assert behind.startswith("Adam is ahead of AMSGrad and AdaMax: ")


def test_several_problems_are_counted():
    ahead, behind = (tuned_runs(pairs(0), pairs(change), study) for change, study in ((0.01, "one"), (-0.01, "two")))
    (said,) = answer.sentences(answer.tuned(pd.concat([ahead, behind])))
    assert "by more than 0.1 points on 1 of 2 problems, and lower by more than 0.1 points on 1" in said
    assert "mean differences are −1 to 1 points" in said


def test_comparisons_of_one_s_own_are_told_first_each_under_its_title():
    runs = [tuned_runs(pairs(0), pairs(change), study) for change, study in ((0.01, "digits"), (-0.01, "mine"))]
    told = own.answers(answer.tuned(pd.concat(runs)), {"digits": "Digits", "mine": "My model"}, own=["mine"])
    assert [each.partition(":")[0] for each in told] == ["My model. Adam is ahead", "Digits. AMSGrad is ahead"]


def test_the_lead_in_loss_is_held_against_what_early_stopping_leaves():
    last = [tuned_runs(pairs(-0.05), study=name) for name in ("one", "two")]
    best = [each.assign(best_val_loss=0.5 + 1e-6 * each["seed"]) for each in last]
    (said,) = answer.sentences(answer.tuned(pd.concat([last[0], best[1]])))
    assert "test loss is lower by more than 1 % on 2 after the last epoch, and on 1 at each run's best epoch" in said
    low = 100 * np.expm1(np.log(pairs(-0.05)[1] / pairs(-0.05)[0]).mean())
    assert f"the mean differences are {answer.number(round(low, 3))} to {answer.number(round(low, 3))} %" in said
    assert said.endswith("to 0 %.")


def test_the_cost_is_in_numbers_kept_and_in_time():
    import keras_amsgrad

    assert {name: len(getattr(keras_amsgrad, name).slots) for name in answer.KEPT} == answer.KEPT
    runs = tuned_runs(pairs(0)).assign(seconds=2.0)
    runs.loc[runs["optimizer"] == "AMSGrad", "seconds"] = 3.0
    runs.loc[runs["stage"] == "search", "seconds"] = 1.0
    assert answer.times(runs).to_dict() == {"digits": 1.5}
    assert "3 numbers for each weight, Adam 2; its runs took 1.5 times" in answer.cost_in_words(answer.times(runs))
    assert answer.cost_in_words(answer.times(runs.iloc[:0])) == ""


def test_a_table_for_readers_leaves_out_what_never_varies():
    one = answer.in_words(answer.tuned(tuned_runs(pairs(0))), {})
    assert list(one) == ["measure", "Adam", "AMSGrad", "difference", "95 % interval", "n", "outcome"]
    both = pd.concat([tuned_runs(pairs(0)), tuned_runs(pairs(0), study="two", other="AdaMax")])
    assert list(answer.in_words(answer.tuned(both), {"two": "Another"}))[:2] == ["problem", "optimizer"]


def test_a_search_is_counted_setting_by_setting_over_the_folds():
    rows, _ = made_up.fits("digits", made_up.grid(rates=(0.001, 0.1)), stage="search", seeds=1, folds=(0, 1))
    amsgrad = rows["optimizer"] == "AMSGrad"
    rows.loc[~amsgrad, "train_loss"] = 1.0
    rows.loc[amsgrad, "train_loss"] = rows["learning_rate"].map({0.001: 1.5, 0.1: 0.9})
    rows.loc[amsgrad & (rows["fold"] == 1) & (rows["beta_2"] == 0.99), "train_loss"] = 1.4
    counts = answer.searches(rows).set_index("learning_rate")[["lower", "settings"]]
    assert counts.loc[0.1].tolist() == [1, 2]
    assert counts.loc[0.001].tolist() == [0, 2]
    others = rows.assign(options=[f"momentum={beta_2}" for beta_2 in rows["beta_2"]], beta_2=np.nan)
    pd.testing.assert_frame_equal(answer.searches(others), answer.searches(rows))


def test_a_walk_ends_at_its_last_step():
    ends = answer.walks(made_up.paths())
    assert ends.loc[("synthetic-mod3", "C=3")].to_dict() == {"Adam": pytest.approx(1), "AMSGrad": pytest.approx(-1)}
    assert "Adam ends at x = 1 to 1, AMSGrad at −1 to −1" in answer.walks_in_words(ends)


def test_empty_tables_have_no_answer():
    empty = table([])
    assert answer.tuned(empty).empty
    assert answer.searches_in_words(answer.searches(empty)) == ""
    assert answer.sentences(answer.tuned(empty)) == []
