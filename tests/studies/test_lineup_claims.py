"""What the tables of the line-up say: aggregates against cases with known results, and sentences that follow."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.catalog.lineup import Statement
from studies.claims import aggregate, lineup, paying
from studies.claims.targets import epochs_to_target
from tests.lineup_rows import rows


def test_the_interquartile_mean_leaves_out_the_lowest_and_the_highest_quarter_of_all_runs():
    runs = [np.array([0.0, 2.0, 4.0, 6.0]), np.array([1.0, 3.0, 5.0, 1000.0])]
    assert aggregate.interquartile_mean(runs) == np.mean([2.0, 3.0, 4.0, 5.0])


def test_the_probability_of_improvement_is_mann_and_whitneys_u_over_the_pairs():
    random = np.random.default_rng(1)
    x, y = random.normal(size=15).round(1), random.normal(0.3, size=12).round(1)
    u = stats.mannwhitneyu(y, x).statistic
    assert aggregate.probability_lower([x], [y]) == pytest.approx(u / (15 * 12))


def test_the_bootstrap_covers_the_true_mean_about_as_often_as_it_says():
    random, covered = np.random.default_rng(0), 0
    for _ in range(40):
        runs = [random.normal(size=20) for _ in range(2)]
        found = aggregate.bootstrapped(lambda each: float(np.mean(each)), runs)
        covered += found.low <= 0 <= found.high
    assert covered >= 34  # of 40; fewer have a probability below .01 where the coverage is .95


def test_runs_of_a_pair_are_resampled_together():
    first = [np.random.default_rng(0).normal(size=20)]
    apart = aggregate.bootstrapped(lambda a, b: float(np.mean(a[0] - b[0])), first, first)
    assert apart == (0.0, 0.0, 0.0)


def test_the_expected_lowest_of_some_draws_is_what_drawing_gives():
    results, random = np.array([5.0, 1.0, 3.0, 8.0]), np.random.default_rng(0)
    drawn = random.choice(results, (100_000, 3)).min(1).mean()
    assert aggregate.expected_lowest(results, [3])[0] == pytest.approx(drawn, rel=0.01)
    assert aggregate.expected_lowest([np.inf, 2.0], [1]).tolist() == [np.inf]


def test_the_signed_rank_test_gives_each_region_its_probability():
    """Of few problems without a difference nothing is sure; a clear side gets nearly all; both sides are mirrored."""
    same = aggregate.signed_rank(np.full(16, 0.1), rope=1.0)
    assert same.same > 0.99
    lower, higher = (aggregate.signed_rank(sign * np.linspace(0.5, 4, 16), 1.0) for sign in (-1, 1))
    assert lower.lower == pytest.approx(higher.higher, abs=0.01)
    assert lower.lower > 0.95
    split = aggregate.signed_rank([-3.0, 3.0] * 4, rope=1.0)
    assert 0.2 < split.lower < 0.6
    assert sum(split) == pytest.approx(1)


def test_the_signed_rank_test_agrees_with_a_published_posterior():
    """With one problem beside the prior observation the posterior is a Beta distribution, known in closed form.

    w is the weight of the problem, 2 beyond a rope of .5: its pairs' means are 2 (w^2), 1 (2 w (1 - w)) and 0, so that
    "higher" has the share 1 - (1 - w)^2, the largest where it is above one half; w has the distribution Beta(1, .5).
    """
    found = aggregate.signed_rank([2.0], rope=0.5)
    assert found.higher == pytest.approx(stats.beta(1, 0.5).sf(1 - np.sqrt(0.5)), abs=0.01)


def test_differences_are_those_of_pairs_and_judged_by_the_rope():
    runs, _ = rows()
    found = lineup.differences(runs).set_index(["problem", "arm"])
    assert found.loc[("a", "AMSGrad"), "outcome"] == "supported"
    assert found.loc[("a", "SGD"), "outcome"] == "contradicted"
    assert found.loc[("a", "AMSGrad"), "estimate"] == pytest.approx(100 * (np.exp(-0.05) - 1), abs=2)
    assert found["n"].unique().tolist() == [8]


def test_a_problem_whose_runs_are_not_all_there_is_left_out():
    runs, _ = rows()
    last = runs[(runs["variant"] == "b") & (runs["stage"] == "final") & (runs["optimizer"] == "SGD")].index[-1]
    assert lineup.whole_problems(runs.drop(index=last)) == ["a", "c"]
    assert "b" not in set(lineup.differences(runs.drop(index=last))["problem"])


def test_a_run_that_diverged_counts_as_an_infinite_loss():
    runs, _ = rows()
    first = runs[(runs["stage"] == "final") & (runs["optimizer"] == "SGD") & (runs["variant"] == "a")].index[0]
    runs.loc[first, "status"] = "diverged"
    found = lineup.differences(runs).set_index(["problem", "arm"])
    assert found.loc[("a", "SGD"), ["n", "diverged"]].tolist() == [7, 1]
    assert np.isinf(lineup.losses_of(runs)["SGD"]["a"]).sum() == 1


def test_the_ranking_puts_the_lowest_first_and_counts_edges():
    runs, _ = rows()
    runs.loc[runs["optimizer"].eq("SGD") & runs["stage"].eq("final"), "learning_rate"] = 0.1
    found = lineup.ranking(runs).set_index("arm")
    assert list(found.index) == ["AMSGrad", "Adam", "SGD"]
    assert found.loc["AMSGrad", "iqm"] == pytest.approx(np.exp(-0.05), rel=0.02)
    assert found.loc["AMSGrad", "better"] > found.loc["AMSGrad", "worse"]
    assert found["edges"].to_dict() == {"AMSGrad": 0, "Adam": 0, "SGD": 3}


def test_profiles_and_budgets_reach_the_best():
    runs, _ = rows()
    profile = lineup.profiles(runs, np.array([0.5, 10.0])).set_index(["arm", "limit"])["share"]
    assert profile["AMSGrad", 0.5] == 0
    assert profile["SGD", 10.0] == 1
    budget = lineup.budgets(runs).set_index(["arm", "tried"])["loss"]
    assert budget["Adam", 3] > 1  # drawn with replacement, so that the best may be missed
    assert budget["Adam"].is_monotonic_decreasing
    assert budget["AMSGrad", 1] == pytest.approx(np.exp(-0.05) * budget["Adam", 1])


def test_epochs_to_the_target_count_from_one_and_are_infinite_where_it_is_not_reached():
    _, curves = rows(problems=("a",))
    found = epochs_to_target(curves, {"a": 2.2}).set_index("arm")
    assert found.loc["Adam", ["reached", "epochs"]].tolist() == [1.0, 2.0]  # 4, 2, 1
    none = epochs_to_target(curves, {"a": 0.5}).set_index("arm")
    assert none.loc["Adam", ["reached", "epochs"]].tolist() == [0.0, np.inf]


@pytest.fixture(scope="module")
def where():
    """Rows of `paying.advantages`: AMSGrad pays on every second problem, those with much negative Gamma."""
    problems = tuple("abcdefgh")
    pays = {name: -0.05 if k % 2 else 0.0 for k, name in enumerate(problems)}
    gammas = {name: 0.3 + 0.01 * k if k % 2 else 0.1 + 0.01 * k for k, name in enumerate(problems)}
    runs, _ = rows(problems, {"Adam": 0.0, "AMSGrad": pays}, gammas=gammas, noise=0.003)
    return paying.advantages(runs, held_out=("g", "h"))


def test_the_proposed_statement_is_made_without_the_problems_that_are_held_out(where):
    changed = where.copy()
    changed.loc[changed["held_out"], ["estimate", "train_negative_gamma"]] = [50.0, 0.9]
    proposed = paying.proposed(where)
    assert proposed == paying.proposed(changed)
    assert (proposed.measure, proposed.above) == ("train_negative_gamma", True)
    assert 0.14 < proposed.threshold < 0.31


def test_the_problems_that_are_held_out_alone_judge_a_statement(where):
    good, bad = Statement("train_negative_gamma", True, 0.25), Statement("train_negative_gamma", False, 0.25)
    assert paying.judged(where, good) == "supported"
    assert paying.judged(where, bad) == "contradicted"
    assert paying.judged(where[~where["held_out"]], good) == "not run"
    assert paying.judged(where, None) == "not run"
    assert paying.judged(where, Statement("")) == "contradicted"  # right on one of two


def test_what_is_said_of_where_it_pays_has_the_counts(where):
    said = paying.in_words(where, Statement("train_negative_gamma", True, 0.25))
    assert "over 8 problems" in said[0]
    assert said[1].endswith("It is right on 2 of these 2: supported.")
    assert paying.in_words(where, None) == said[:1]


def test_a_measure_that_is_the_same_everywhere_has_no_correlation():
    assert np.isnan(aggregate.rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])).all()


def test_rows_of_other_studies_are_left_out():
    runs, _ = rows()
    other = runs.assign(study="digits")
    assert lineup.differences(pd.concat([other, runs], ignore_index=True)).equals(lineup.differences(runs))
    assert lineup.ranking(other).empty
