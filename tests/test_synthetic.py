"""The synthetic studies, against theory."""

import dataclasses

import pytest

from studies import synthetic
from studies.catalog import STUDIES
from studies.journal import Journal

STUDY = STUDIES["synthetic-mod3"]


@pytest.fixture(scope="module")
def ends():
    """Where each optimizer ends after 100,000 steps, and its average regret, by (optimizer, slope)."""
    walks = synthetic.walks(dataclasses.replace(STUDY, steps=100_000))
    paths = synthetic.paths(walks)
    return {
        (walk.optimizer, walk.slope): (path["x"][-1], path["average_regret"][-1])
        for walk, path in zip(walks, paths, strict=True)
    }


@pytest.mark.parametrize("slope", STUDY.slopes)
def test_adam_goes_to_the_worst_point_and_its_regret_stays(ends, slope):
    x, regret = ends["Adam", slope]
    assert x == pytest.approx(1, abs=1e-3)
    assert regret == pytest.approx(2 * (slope - 2) / 3, rel=0.05)


@pytest.mark.parametrize("slope", STUDY.slopes)
def test_amsgrad_goes_to_the_best_point_and_its_regret_vanishes(ends, slope):
    x, regret = ends["AMSGrad", slope]
    assert x == pytest.approx(-1, abs=1e-3)
    assert 0 < regret < 0.01


def test_a_short_walk_equals_one_taken_step_by_step():
    """The first steps by hand, in plain Python: beta_1 = 0, so m = g."""
    (walk,) = [
        walk
        for walk in synthetic.walks(dataclasses.replace(STUDY, slopes=(3.0,), steps=5))
        if walk.optimizer == "AMSGrad"
    ]
    (path,) = synthetic.paths([walk])
    x, v, v_max, regret = 0.0, 0.0, 0.0, 0.0
    for t, g in enumerate([3, -1, -1, 3, -1], start=1):
        regret += g * (x + 1)
        assert path["t"][t - 1] == t
        assert path["x"][t - 1] == pytest.approx(x, abs=1e-12)
        assert path["average_regret"][t - 1] == pytest.approx(regret / t, rel=1e-12)
        v = 0.1 * v + 0.9 * g**2
        v_max = max(v_max, v)
        x = min(1, max(-1, x - 0.1 / t**0.5 * g / (v_max**0.5 + 1e-8)))


def test_walks_that_are_recorded_are_not_walked_again(tmp_path, monkeypatch):
    study, journal = dataclasses.replace(STUDY, steps=50), Journal(tmp_path)
    synthetic.walk_all(study, journal)
    monkeypatch.setattr(synthetic, "paths", lambda walks: pytest.fail("walked again"))
    synthetic.walk_all(study, journal)
