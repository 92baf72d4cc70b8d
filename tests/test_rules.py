"""The rules, run in float64, against the NumPy oracle."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import rules
from tests import oracle

STEPS = 1000
SETTINGS = {"alpha": 0.01, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8}
CASES = [
    pytest.param("Adam", rules.adam, 2, True, id="adam"),
    pytest.param("Adam", rules.adam, 2, False, id="adam-uncorrected"),
    pytest.param("AMSGrad", rules.amsgrad, 3, True, id="amsgrad"),
    pytest.param("AMSGrad", rules.amsgrad, 3, False, id="amsgrad-uncorrected"),
    pytest.param("AdaMax", rules.adamax, 2, True, id="adamax"),
]


@pytest.fixture(autouse=True)
def float64():
    """JAX has to be asked for float64; the others calculate in the type they are given."""
    with contextlib.ExitStack() as stack:
        if keras.backend.backend() == "jax":
            import jax

            stack.enter_context(jax.enable_x64(True))
        yield


def walk(rule, slots, gs, theta, corrected, alpha, beta_1, beta_2, epsilon):
    """Return theta after every step of a rule, (steps, size)."""
    theta = ops.convert_to_tensor(theta)
    slots, path = [ops.zeros_like(theta)] * slots, []
    for t, g in enumerate(gs, start=1):
        t = ops.convert_to_tensor(t, dtype="float64")
        if rule is rules.adamax:
            step_size = rules.momentum_corrected(alpha, t, beta_1)
        else:
            step_size = rules.bias_corrected(alpha, t, beta_1, beta_2) if corrected else alpha
        g = ops.convert_to_tensor(g)
        step, slots = rule(g, *slots, alpha=step_size, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        theta = theta - step
        path.append(ops.convert_to_numpy(theta))
    return np.array(path)


@pytest.mark.parametrize(("name", "rule", "slots", "corrected"), CASES)
def test_a_rule_agrees_with_the_oracle(name, rule, slots, corrected):
    gs, start = oracle.gradients(STEPS), np.linspace(-1, 1, 7)
    ours = walk(rule, slots, gs, start, corrected, **SETTINGS)
    theirs = oracle.path_of(name, gs, start, bias_correction=corrected, **SETTINGS)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_the_comparison_with_the_oracle_sees_a_missing_maximum():
    def forgetful(g, m, v, v_max, **settings):
        step, (m, v) = rules.adam(g, m, v, **settings)
        return step, (m, v, v_max)

    gs, start = oracle.gradients(STEPS), np.linspace(-1, 1, 7)
    ours = walk(forgetful, 3, gs, start, True, **SETTINGS)
    assert not np.allclose(ours, oracle.path_of("AMSGrad", gs, start, **SETTINGS), rtol=1e-2)


def test_a_large_gradient_is_remembered_after_small_ones():
    one = ops.convert_to_tensor(np.ones(1))
    zero = ops.zeros_like(one)
    settings = {"alpha": 1.0, "beta_1": 0.0, "beta_2": 0.5, "epsilon": 1e-8}
    _, slots = rules.amsgrad(1000 * one, zero, zero, zero, **settings)
    for _ in range(50):
        step, slots = rules.amsgrad(one, *slots, **settings)
    np.testing.assert_allclose(ops.convert_to_numpy(step), 1 / np.sqrt(0.5 * 1000**2))


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999, 0.999999])
def test_the_correction_is_exact_at_the_first_step(beta):
    one = ops.convert_to_tensor(1.0, dtype="float64")
    np.testing.assert_allclose(ops.convert_to_numpy(rules.one_minus_power(beta, one)), 1 - beta, rtol=1e-12)
    as_tensor = ops.convert_to_tensor(beta, dtype="float64")
    np.testing.assert_allclose(ops.convert_to_numpy(rules.one_minus_power(as_tensor, one)), 1 - beta, rtol=1e-9)


def test_every_setting_may_be_an_array():
    g = ops.convert_to_tensor(np.array([3.0, -4.0]))
    alphas, betas = ops.convert_to_tensor(np.array([[0.1], [0.2]])), ops.convert_to_tensor(np.array([[0.9], [0.5]]))
    zero = ops.zeros((2, 2), dtype="float64")
    many, _ = rules.adam(g, zero, zero, alpha=alphas, beta_1=betas, beta_2=betas, epsilon=1e-8)
    for i, (alpha, beta) in enumerate([(0.1, 0.9), (0.2, 0.5)]):
        one, _ = rules.adam(g, zero[0], zero[0], alpha=alpha, beta_1=beta, beta_2=beta, epsilon=1e-8)
        np.testing.assert_allclose(ops.convert_to_numpy(many)[i], ops.convert_to_numpy(one))
