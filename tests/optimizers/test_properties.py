"""Properties that hold for any shape, type, scale of gradients and allowed settings.

The oracles run in float64 with the numbers that act: betas and epsilon as float32 holds them. A path of ours may differ
from the oracle's by one rounding of the weight in each update, and by 2e-5 of how far the weight moves, or would move
if all gradients had one sign: first moments are sums that cancel, and their roundings are relative to their parts.
"""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from keras import ops

from keras_amsgrad import SWATS, AdaBelief, Adam, AdaMax, AMSGrad, Nadam, NDAdam, RAdam, Yogi
from tests import oracle
from tests.models import OPTIMIZERS, arrays

STEPS = 6
ROUNDING = {"float32": 2.0**-23, "bfloat16": 2.0**-8, "float16": 2.0**-10}
LARGEST = {"float32": 1e38, "bfloat16": 1e38, "float16": 6e4}
SLOW = {
    "deadline": None,
    "max_examples": 12,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}

shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
near_1 = st.floats(2, 6.5).map(lambda x: 1 - 10.0**-x)
betas = st.one_of(st.just(0.0), st.floats(0, 0.99, allow_subnormal=False), near_1)
gradient_scales = st.floats(-15, 18).map(lambda x: 10.0**x)
epsilons = st.floats(-30, 0).map(lambda x: 10.0**x)


def gradients(shape, scale, seed):
    """Return (STEPS, *shape) gradients in float32 that span three orders of magnitude, one in eight of them zero."""
    rng = np.random.default_rng(seed)
    gs = rng.normal(size=(STEPS, *shape)) * 10.0 ** rng.uniform(-3, 0, (STEPS, *shape)) * scale
    return np.where(rng.random(gs.shape) < 1 / 8, 0.0, gs).astype("float32")


def moved(optimizer, gs, dtype, start=0.5):
    weights = keras.Variable(np.full(gs.shape[1:], start), dtype=dtype, name="kernel")
    for g in gs:
        optimizer.apply([ops.convert_to_tensor(g)], [weights])
    return arrays([weights])[0]


@pytest.mark.parametrize("cls", OPTIMIZERS)
@settings(**SLOW)
@given(
    shape=shapes,
    dtype=st.sampled_from(list(ROUNDING)),
    scale=gradient_scales,
    beta_1=betas,
    beta_2=betas,
    epsilon=epsilons,
    decay=st.sampled_from([None, 0.1]),
    seed=st.integers(0, 99),
)
def test_finite_gradients_and_allowed_settings_give_finite_weights(
    cls, shape, dtype, scale, beta_1, beta_2, epsilon, decay, seed
):
    if cls is RAdam:  # not adaptive at first: its steps are as large as the gradients
        scale = min(scale, 1e3)
    assume(beta_1 <= beta_2)  # else a zero gradient after a large one rightly gives a step of m / epsilon
    assume(cls is not AdaBelief or beta_1 > 0.1)  # at 0, all variance is epsilon's
    optimizer = cls(1e-3, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, weight_decay=decay)
    weights = moved(optimizer, gradients(shape, scale, seed), dtype)
    assert weights.shape == shape
    assert np.isfinite(weights).all()
    for slots in optimizer._slots:
        assert all(np.isfinite(arrays([slot])[0]).all() for slot in slots)


ORACLES = [
    pytest.param(Adam, {"bias_correction": True}, id="adam"),
    pytest.param(Adam, {"bias_correction": False}, id="adam-uncorrected"),
    pytest.param(AMSGrad, {"bias_correction": True}, id="amsgrad"),
    pytest.param(AMSGrad, {"bias_correction": False}, id="amsgrad-uncorrected"),
    pytest.param(AdaMax, {}, id="adamax"),
    *(pytest.param(Nadam, {"momentum_decay": d}, id=f"nadam-{d}") for d in (None, 0.004, 1.0)),
    pytest.param(NDAdam, {}, id="nd-adam"),
    pytest.param(SWATS, {"tolerance": 1e-37}, id="swats"),  # as Adam: a switch depends on the last digit
    pytest.param(RAdam, {}, id="radam"),
    pytest.param(AdaBelief, {}, id="adabelief"),
    pytest.param(Yogi, {"bias_correction": False}, id="yogi"),
    pytest.param(Yogi, {"bias_correction": True}, id="yogi-corrected"),
]


@pytest.mark.parametrize(("cls", "own"), ORACLES)
@settings(**SLOW)
@given(
    shape=shapes,
    dtype=st.sampled_from(list(ROUNDING)),
    scale=gradient_scales,
    beta_1=betas,
    beta_2=betas,
    epsilon=st.floats(-8, 0).map(lambda x: 10.0**x),
    seed=st.integers(0, 99),
)
def test_every_path_is_that_of_the_oracle(cls, own, shape, dtype, scale, beta_1, beta_2, epsilon, seed):
    beta_1, beta_2, epsilon = (float(np.float32(x)) for x in (beta_1, beta_2, epsilon))
    if cls is AdaBelief:
        assume(beta_1 > 0.1)  # at 0 it divides rounding errors of g - m
    if cls is NDAdam:
        shape = (2 + sum(shape), 3)  # a vector of one element has one direction only
        assume(beta_1 <= beta_2)  # else steps are so long that they amplify roundings
    alpha, gs = float(np.float32(1e-3)), gradients(shape, min(scale, 1e3) if cls is RAdam else scale, seed)
    flat = gs.astype("float64").reshape(STEPS, *(shape if cls is NDAdam else [-1]))
    start = np.full(flat.shape[1:], 0.5)
    expected = oracle.path_of(cls.__name__, flat, start, alpha, beta_1, beta_2, epsilon, **own)
    if cls is NDAdam:
        start = start / np.linalg.norm(start, axis=0)
    assume(np.abs(expected).max(initial=0) < LARGEST[dtype])  # a 0 after a large one may give a step of m / epsilon
    steps = np.abs(np.diff(expected, axis=0, prepend=start[None])).sum(axis=0)
    ours = moved(cls(alpha, beta_1, beta_2, epsilon, **own), gs, dtype).reshape(start.shape)
    largest = np.abs(expected).max(axis=0) + 0.5
    sized = sizes(cls, own, flat, alpha, beta_1, beta_2, epsilon)
    error = STEPS * ROUNDING[dtype] * largest + 2e-5 * np.maximum(steps, sized)
    np.testing.assert_array_less(np.abs(ours - expected[-1]), error)


def sizes(cls, own, gs, alpha, beta_1, beta_2, epsilon):
    """Return how far the weights move if all gradients have one sign: what roundings of `m` are relative to."""
    if cls in (AdaBelief, NDAdam):  # whose denominator would be another
        return 50 * alpha * STEPS
    path = oracle.path_of(cls.__name__, np.abs(gs), np.zeros(gs.shape[1:]), alpha, beta_1, beta_2, epsilon, **own)
    return np.abs(path[-1])


def test_the_oracle_knows_every_optimizer():
    assert {case.values[0] for case in ORACLES} == set(OPTIMIZERS)
