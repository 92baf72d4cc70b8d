"""The synthetic studies, against plain NumPy and against theory."""

import dataclasses
import math

import numpy as np
import pytest

from studies.catalog import STUDIES, Losses
from studies.catalog.walk import walks_of
from studies.records.journal import Journal
from studies.records.tables import WALK
from studies.training import walks

ONLINE, STOCHASTIC, MOD3 = (STUDIES[f"synthetic-{name}"] for name in ("online", "stochastic", "mod3"))
SHORT = {
    "online": dataclasses.replace(ONLINE, steps=3000),
    "stochastic": dataclasses.replace(STOCHASTIC, steps=3000, seeds=3),
    "mod3": dataclasses.replace(MOD3, steps=3000),
    "online-as-coded": dataclasses.replace(ONLINE.as_variant("as-coded"), steps=3000),
    "stochastic-as-coded": dataclasses.replace(STOCHASTIC.as_variant("as-coded"), steps=3000, seeds=2),
    "korzeniowski": dataclasses.replace(ONLINE.as_variant("korzeniowski"), steps=3000),
}


def slopes_of(walk):
    """Return the slopes of a walk, from the sentence that defines its problem."""
    if walk.problem.probability:
        hit = np.random.default_rng(walk.seed).random(walk.steps) < 0.01
    else:
        hit = [t % {1010.0: 101}.get(walk.problem.steep, 3) == 1 for t in range(1, walk.steps + 1)]
    return [walk.problem.steep if each else -walk.problem.shallow for each in hit]


def oracle(walk):
    """Return the path of a walk at every step, from the papers, one number at a time: (steps, 5)."""
    a, b1, b2, eps = walk.alpha, walk.beta_1, walk.beta_2, walk.epsilon
    x, m, v, v_max, u, total, paid = walk.start, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    before, lowest, negative, largest, rows = None, math.inf, 0, 0.0, []
    for t, g in enumerate(slopes_of(walk), start=1):
        alpha = a / math.sqrt(t) if walk.schedule == "inverse-sqrt" else a
        paid += g * x - g * -1
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        v_max, u, total = max(v_max, v), max(b2 * u, abs(g)), total + g * g
        c1, c2 = 1 - b1**t, 1 - b2**t
        adam = alpha * math.sqrt(c2) / c1 if walk.bias_correction else alpha
        step, inverse = {
            "Adam": lambda adam=adam, m=m, v=v: (adam * m / (v**0.5 + eps), (v**0.5 + eps) / adam),
            "AMSGrad": lambda adam=adam, m=m, v=v_max: (adam * m / (v**0.5 + eps), (v**0.5 + eps) / adam),
            "AdaMax": lambda e=alpha / c1, m=m, u=u: (e * m / (u + eps), (u + eps) / e),
            "Nadam": lambda alpha=alpha, t=t, m=m, g=g, r=(v / c2) ** 0.5 + eps, c1=c1: (
                alpha * (b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / c1) / r,
                r / alpha,
            ),
            "SGD": lambda alpha=alpha, g=g: (alpha * g, 1 / alpha),
            "AdaGrad": lambda alpha=alpha, g=g, r=(total / t) ** 0.5 + eps: (alpha * g / r, r / alpha),
            "RMSProp": lambda alpha=alpha, g=g, r=v**0.5 + eps: (alpha * g / r, r / alpha),
        }[walk.optimizer]()
        if before is not None:
            lowest, negative = min(lowest, inverse - before), negative + (inverse < before)
        largest, before = max(largest, abs(step) / alpha), inverse
        rows.append((x, paid / t, lowest, negative / (t - 1) if t > 1 else math.nan, largest))
        x = min(1.0, max(-1.0, x - step))
    return np.array(rows)


@pytest.mark.parametrize("name", SHORT)
def test_the_compiled_loop_walks_as_the_papers_say(name, monkeypatch):
    monkeypatch.setattr(walks, "BLOCK", 1000)
    several = walks_of(SHORT[name])
    for walk, path in zip(several, walks.paths(several), strict=True):
        found = np.array([path[curve] for curve in WALK]).T
        expected = oracle(walk)[np.array(path["t"]) - 1]
        of_x, of_gamma, of_share = [0, 1, 4], [2], [3]
        np.testing.assert_allclose(found[:, of_x], expected[:, of_x], rtol=1e-8, atol=1e-8, err_msg=str(walk))
        np.testing.assert_allclose(found[:, of_gamma], expected[:, of_gamma], rtol=1e-6, atol=1e-8, err_msg=str(walk))
        # Where an inverse step size stays the same, the sign of its change is a matter of rounding.
        if not (walk.schedule == "constant" and walk.optimizer in ("AMSGrad", "SGD")):
            np.testing.assert_allclose(found[:, of_share], expected[:, of_share], atol=2e-3, err_msg=str(walk))


@pytest.fixture(scope="module")
def ends():
    """What the last kept step of each mod 3 and online walk says, by (variant, optimizer)."""
    found = {}
    for study in (dataclasses.replace(MOD3, steps=100_000), dataclasses.replace(ONLINE, steps=400_000)):
        several = walks_of(study)
        for walk, path in zip(several, walks.paths(several), strict=True):
            found[walk.variant, walk.optimizer] = {name: values[-1] for name, values in path.items()}
    return found


@pytest.mark.parametrize("slope", [3, 5, 10])
def test_adam_goes_to_the_worst_point_and_its_regret_stays(ends, slope):
    end = ends[f"C={slope}", "Adam"]
    assert end["x"] == pytest.approx(1, abs=1e-3)
    assert end["average_regret"] == pytest.approx(2 * (slope - 2) / 3, rel=0.05)


@pytest.mark.parametrize("slope", [3, 5, 10])
def test_amsgrad_goes_to_the_best_point_and_its_regret_vanishes(ends, slope):
    end = ends[f"C={slope}", "AMSGrad"]
    assert end["x"] == pytest.approx(-1, abs=1e-3)
    assert 0 < end["average_regret"] < 0.01


def test_on_the_online_problem_adam_is_near_the_worst_point_and_amsgrad_on_its_way_to_the_best(ends):
    assert ends["", "Adam"]["x"] > 0.9
    assert ends["", "AMSGrad"]["x"] < -0.2


@pytest.mark.parametrize("variant", ["", "C=3", "C=5", "C=10"])
def test_gamma_is_negative_for_adam_and_never_for_sgd_and_amsgrad(ends, variant):
    assert ends[variant, "Adam"]["gamma_min"] < 0
    assert ends[variant, "Adam"]["negative_gamma"] > 0.3
    for name in ("SGD", "AMSGrad"):
        assert ends[variant, name]["gamma_min"] >= 0
        assert ends[variant, name]["negative_gamma"] == 0


def test_a_step_of_adam_is_bounded_by_alpha_times_the_bound_of_its_paper(ends):
    assert 1 < ends["C=3", "Adam"]["largest_step"] <= 1 / (1 - 0.1) ** 0.5
    assert ends["C=3", "SGD"]["largest_step"] == pytest.approx(3)


@pytest.mark.parametrize("study", [ONLINE, STOCHASTIC, MOD3], ids=lambda study: study.name)
def test_the_best_fixed_point_is_minus_one(study):
    """Where the sum of the slopes is positive at every step, or, with chance, in the end."""
    t = np.arange(1, 1_000_001)
    for problem in study.problems:
        total = np.cumsum(problem.slopes(t, np.random.default_rng(0).random(len(t))))
        assert (total[-1] if problem.probability else total.min()) > 0


@pytest.mark.parametrize(
    ("study", "regrets"),
    [(ONLINE, [20 / 101]), (STOCHASTIC, [0.4]), (MOD3, [2 / 3, 2.0, 16 / 3])],
    ids=["online", "stochastic", "mod3"],
)
def test_standing_at_the_worst_point_costs_what_theory_says(study, regrets):
    assert [problem.regret_at_worst for problem in study.problems] == pytest.approx(regrets)


def test_all_optimizers_of_a_seed_see_the_same_losses_and_seeds_see_different_ones(monkeypatch):
    problem = STOCHASTIC.problems[0]
    (_, whole), *_ = walks.blocks([(problem, 0), (problem, 1), (problem, 0)], 100)
    monkeypatch.setattr(walks, "BLOCK", 1 << 14)
    (_, first), (_, second), *_ = walks.blocks([(problem, 0)], 1 << 17)
    whole, parts = np.asarray(whole), np.concatenate([first, second])
    assert (whole[:, 0] == whole[:, 2]).all()
    assert (whole[:, 0] != whole[:, 1]).any()
    assert (whole[: len(parts), :1] == parts).all()
    assert (whole > 0).mean() == pytest.approx(0.01, abs=1e-3)


def test_a_walk_is_the_same_alone_and_among_others():
    several = walks_of(SHORT["stochastic"])
    (alone,) = walks.paths(several[4:5])
    assert alone["x"] == pytest.approx(walks.paths(several)[4]["x"], rel=1e-12)


def test_adam_does_not_feel_the_scale_of_the_gradients():
    """Where they are far larger than epsilon: of the scales of the variant, 1, 1e3 and 1e6."""
    short = dataclasses.replace(ONLINE.as_variant("scaled"), steps=3000, optimizers=("Adam",))
    plain, *scaled = walks.paths(walks_of(short))[3:]
    for path, scale in zip(scaled, (1e3, 1e6), strict=True):
        assert plain["x"] == pytest.approx(path["x"], abs=1e-7)
        assert path["average_regret"][-1] == pytest.approx(scale * plain["average_regret"][-1], rel=1e-6)


def test_variants_are_what_the_sources_ran():
    as_coded, korzeniowski = (ONLINE.as_variant(name) for name in ("as-coded", "korzeniowski"))
    corrected = {walk.optimizer: walk.bias_correction for walk in walks_of(as_coded)}
    assert corrected == {"Adam": True, "AMSGrad": False} | dict.fromkeys(ONLINE.optimizers[2:])
    assert (as_coded.beta_2, as_coded.alpha, as_coded.schedule) == (0.999, 0.01, "constant")
    assert (korzeniowski.alpha, korzeniowski.start, korzeniowski.steps) == (0.001, 0, 9_000_000)
    assert {walk.variant for walk in walks_of(korzeniowski)} == {"korzeniowski"}
    assert str(Losses(1010.0, 10.0, period=101)) == "1010x if t mod 101 = 1, else -10x"


def test_walks_that_are_recorded_are_not_walked_again(tmp_path, monkeypatch):
    study, journal = dataclasses.replace(MOD3, steps=50), Journal(tmp_path)
    walks.walk_all(study, journal)
    monkeypatch.setattr(walks, "paths", lambda walks: pytest.fail("walked again"))
    walks.walk_all(study, journal)
