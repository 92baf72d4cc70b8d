"""The rules, run in float64, against the NumPy oracle."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import AdaBelief, RAdam, rules
from tests import oracle

STEPS = 1000
SETTINGS = {"alpha": 0.01, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8}
CASES = [
    pytest.param("Adam", rules.adam, 2, True, id="adam"),
    pytest.param("Adam", rules.adam, 2, False, id="adam-uncorrected"),
    pytest.param("AMSGrad", rules.amsgrad, 3, True, id="amsgrad"),
    pytest.param("AMSGrad", rules.amsgrad, 3, False, id="amsgrad-uncorrected"),
    pytest.param("AdaMax", rules.adamax, 2, True, id="adamax"),
    pytest.param("RAdam", rules.radam, 2, True, id="radam"),
    pytest.param("AdaBelief", rules.adabelief, 2, True, id="adabelief"),
    pytest.param("Yogi", rules.yogi, 2, True, id="yogi-corrected"),
    pytest.param("Yogi", rules.yogi, 2, False, id="yogi"),
]
CLASSES = {rules.radam: RAdam, rules.adabelief: AdaBelief}  # whose settings need more than a step size


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
    optimizer = CLASSES[rule]() if rule in CLASSES else None
    for t, g in enumerate(gs, start=1):
        t = ops.convert_to_tensor(t, dtype="float64")
        if rule is rules.adamax:
            step_size = alpha / rules.one_minus_power(beta_1, t)
        else:
            step_size = rules.bias_corrected(alpha, t, beta_1, beta_2) if corrected else alpha
        g = ops.convert_to_tensor(g)
        settings = {"alpha": step_size, "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
        if optimizer:
            c_1, c_2 = rules.one_minus_power(beta_1, t), rules.one_minus_power(beta_2, t)
            settings = optimizer.hyperparameters(**settings | {"alpha": alpha, "c_1": c_1, "c_2": c_2, "t": t})
        step, slots = rule(g, *slots, **settings)
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


RULES = [rule for rule in vars(rules).values() if getattr(rule, "__annotations__", {}).get("return") == rules.Step]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_links_its_paper(rule):
    assert len(RULES) >= 12
    assert "https://" in rule.__doc__


@pytest.mark.parametrize("beta_2", [0.0, 0.5, 0.7, 0.9, 0.999, 0.9999999])
def test_the_rectification_is_precise_in_float32(beta_2):
    """`rho_t` is a small difference of large numbers: as the paper writes it, float32 would be off by more than 5."""
    exact = float(np.float32(beta_2))
    rho_inf, t = 2 / (1 - exact) - 1, np.arange(1, 3000, dtype="longdouble")
    log = np.log1p(np.longdouble(exact) - 1) if exact else -np.longdouble(np.inf)
    rho = rho_inf - 2 * t / np.expm1(-t * log)
    with np.errstate(invalid="ignore"):
        r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    expected = np.where(rho > 5, r, 0)
    ours = rules.rectification(
        ops.convert_to_tensor(np.float32(beta_2)), ops.convert_to_tensor(t.astype("float32"), dtype="float32")
    )
    np.testing.assert_allclose(ops.convert_to_numpy(ours), expected.astype("float64"), rtol=1e-4)
