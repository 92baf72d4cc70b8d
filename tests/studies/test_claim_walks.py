"""Verdicts on made-up walks whose answers are known."""

from math import nan

from studies.catalog import Command
from studies.claims import CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED
from tests.verdicts import reading, verdict, walk, walks


def test_adam_must_end_at_the_worst_point_of_every_problem():
    assert verdict(1, paths=walks("Adam", 0.98)).verdict == SUPPORTED
    assert verdict(1, paths=walks("Adam", -1.0)).verdict == CONTRADICTED
    assert verdict(2, paths=walks("AMSGrad", -0.98)).verdict == SUPPORTED
    only_online = verdict(1, paths=walk("synthetic-online", "Adam", 1.0))
    assert only_online.verdict == INCONCLUSIVE
    assert only_online.needs == (Command("synthetic-stochastic"), Command("synthetic-mod3"))


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
    assert verdict(4, paths=walks("Adam", 1, gamma_min=0.1) + never).verdict == CONTRADICTED
    assert verdict(4, paths=walks("Adam", 1, gamma_min=-0.1) + walks("SGD", -1, gamma_min=-1.0)).verdict == CONTRADICTED
    assert verdict(4, paths=walks("Adam", 1, gamma_min=nan)).verdict == NOT_RUN  # records from before it was kept


def test_the_largest_step_of_corrected_adam_is_counted_in_alphas():
    assert verdict(21, paths=walks("Adam", 1, "corrected", largest_step=1.05)).verdict == SUPPORTED
    assert verdict(21, paths=walks("Adam", 1, "corrected", largest_step=3.2)).verdict == CONTRADICTED
    assert verdict(21, paths=walks("Adam", 1, largest_step=3.2)).verdict == NOT_RUN  # not corrected


def scaled(apart, slope):
    plain = walk("synthetic-online", "Adam", 1.0, "scaled+C=1010")
    return plain + walk("synthetic-online", "Adam", 1.0 - apart, f"scaled+C={slope}")


def test_scaled_gradients_must_leave_the_walk_where_it_was():
    assert verdict(22, paths=walk("synthetic-online", "Adam", 1.0, "scaled+C=1010")).verdict == NOT_RUN
    assert reading(22, "larger gradients", paths=scaled(1e-9, "1.01e06")).run[0].verdict == SUPPORTED
    assert reading(22, "smaller gradients", paths=scaled(0.1, "1.01e-06")).run[0].verdict == CONTRADICTED


def test_a_walk_is_near_from_the_step_on_that_it_stays():
    def path(variant, xs):
        names = {"study": "synthetic-online", "variant": variant, "optimizer": "AMSGrad", "seed": 0}
        return [names | {"t": 10**i, "x": x, "average_regret": 1.0} for i, x in enumerate(xs)]

    late, early = [0, -0.95, 0, 0, -1], [0, -1, -1, -1, -1]
    found = reading(28, "", paths=path("", late) + path("as-coded", early)).run[0]
    assert (found.found.value_a, found.found.value_b, found.verdict) == (10, 10_000, SUPPORTED)
