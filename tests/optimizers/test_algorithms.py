"""Nadam, ND-Adam, SWATS and changing betas against the NumPy oracle; other implementations of AMSGrad against ours."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import SWATS, Adam, AdaMax, AMSGrad, Nadam, NDAdam, rules
from tests import oracle
from tests.models import BACKEND, arrays, dense_model, fit, walk

SETTINGS = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
START = np.linspace(-1, 1, 7)


@pytest.mark.parametrize("momentum_decay", [0.004, 1.0, None])
def test_nadam_agrees_with_the_oracle(momentum_decay):
    gs = oracle.gradients(200)
    expected = oracle.nadam(gs, START, 0.01, momentum_decay=momentum_decay, **SETTINGS)
    actual = walk(Nadam(0.01, momentum_decay=momentum_decay), gs, START)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_nadam_with_constant_momentum_has_a_pure_step():
    gs, theta = oracle.gradients(50), START
    expected = oracle.nadam(gs, START, 0.01, momentum_decay=None, **SETTINGS)
    slots = [ops.zeros(7)] * 2
    for t, g in enumerate(gs.astype("float32"), start=1):
        step, slots = Nadam(momentum_decay=None).step(
            ops.convert_to_tensor(g), *slots, alpha=0.01, t=ops.convert_to_tensor(float(t)), **SETTINGS
        )
        theta = theta - ops.convert_to_numpy(step)
    np.testing.assert_allclose(theta, expected[-1], rtol=1e-4, atol=1e-5)


def test_nd_adam_agrees_with_the_oracle():
    gs, start = oracle.gradients(200, size=12).reshape(200, 4, 3), np.linspace(-1, 2, 12).reshape(4, 3)
    weights = keras.Variable(start.astype("float32"), name="kernel")
    optimizer, path = NDAdam(0.01), []
    for g in gs.astype("float32"):
        optimizer.apply([ops.convert_to_tensor(g)], [weights])
        path.append(ops.convert_to_numpy(weights))
    np.testing.assert_allclose(path, oracle.nd_adam(gs, start, 0.01, **SETTINGS), rtol=1e-3, atol=1e-5)
    assert tuple(optimizer._slots[1][0].shape) == (1, 3)


def test_nd_adam_leaves_biases_to_adam():
    gs = oracle.gradients(100)
    np.testing.assert_allclose(walk(NDAdam(0.01), gs, START), walk(Adam(0.01), gs, START), rtol=1e-6)


def test_nd_adam_keeps_every_unit_of_every_layer_at_norm_one():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.Conv2DTranspose(3, 2),
            layers.Flatten(),
            layers.Dense(5, name="plain"),
            layers.Dense(2),
        ]
    )
    model.compile(NDAdam(0.01, vector_axes={"plain/kernel": None}), "mse")
    model.train_on_batch(np.ones((2, 8, 8, 2)), np.zeros((2, 2)))
    axes = {"conv2d": (0, 1, 2), "depthwise_conv2d": (0, 1), "conv2d_transpose": (0, 1, 3), "dense": (0,)}
    for layer in model.layers:
        kind = re.sub(r"_\d+$", "", layer.name)
        if kind in axes:
            norms = np.sqrt(np.sum(np.square(*arrays([layer.kernel])), axis=axes[kind]))
            np.testing.assert_allclose(norms, 1, rtol=1e-5)
    plain = np.linalg.norm(arrays([model.get_layer("plain").kernel])[0], axis=0)
    assert np.abs(plain - 1).max() > 0.01


def two_rates(other=0.01, learning_rate=0.5, **settings):
    return NDAdam(learning_rate, other_learning_rate=other, vector_axes={"kernel": [0]}, **settings)


def walk_of_two(optimizer, steps=20):
    weights = [keras.Variable(np.ones((2, 3), "float32"), name=name) for name in ("kernel", "bias")]
    for g in oracle.gradients(steps, size=6).reshape(steps, 2, 3):
        optimizer.apply([ops.convert_to_tensor(g.astype("float32"))] * 2, weights)
    return arrays(weights)


def test_nd_adam_takes_one_learning_rate_for_vectors_and_one_for_the_rest():
    kernel, bias = walk_of_two(two_rates())
    np.testing.assert_array_equal(kernel, walk_of_two(two_rates(None, 0.5))[0])
    np.testing.assert_array_equal(bias, walk_of_two(two_rates(None, 0.01))[1])
    half = keras.optimizers.schedules.PiecewiseConstantDecay([9], [0.01, 0.005])
    assert np.abs(walk_of_two(two_rates(half))[1] - bias).max() > 1e-3
    np.testing.assert_array_equal(walk_of_two(two_rates(lambda: 0.01))[1], bias)


def test_nd_adams_other_learning_rate_can_be_set_decays_weights_and_is_in_the_config():
    optimizer = two_rates(weight_decay=0.1)
    weights = [keras.Variable(np.ones((2, 3), "float32"), name=name) for name in ("kernel", "bias")]
    optimizer.apply([ops.zeros((2, 3))] * 2, weights)
    np.testing.assert_allclose(arrays(weights)[1], 1 - 0.1 * 0.01, rtol=1e-6)
    optimizer.other_learning_rate = 0.02
    optimizer.apply([ops.zeros((2, 3))] * 2, weights)
    np.testing.assert_allclose(arrays(weights)[1], (1 - 0.1 * 0.01) * (1 - 0.1 * 0.02), rtol=1e-6)
    assert optimizer.get_config()["other_learning_rate"] == 0.02
    again = NDAdam.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    schedule = two_rates(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9))
    assert NDAdam.from_config(schedule.get_config()).get_config() == schedule.get_config()
    with pytest.raises(ValueError, match="`other_learning_rate` must be a number >= 0"):
        two_rates(-1)
    with pytest.raises(ValueError, match="`other_learning_rate` can be set to a number only"):
        schedule.other_learning_rate = 0.1


def test_nd_adams_other_learning_rate_is_part_of_the_state():
    optimizer, other, store = two_rates(), two_rates(0.3), {}
    walk_of_two(optimizer)
    optimizer.save_own_variables(store)
    other.load_own_variables(store)
    assert float(ops.convert_to_numpy(other.other_learning_rate)) == pytest.approx(0.01)


def test_nd_adam_refuses_axes_that_a_weight_does_not_have():
    optimizer = NDAdam(vector_axes={"kernel": [2]})
    with pytest.raises(ValueError, match=r"`vector_axes` must name .* from 0 to 1 .*kernel"):
        optimizer.build([keras.Variable(np.ones((2, 2)), name="kernel")])


def test_nd_adam_moves_a_vector_of_zeros_without_nan():
    weights = keras.Variable(np.zeros((3, 2), "float32"), name="kernel")
    NDAdam(0.1).apply([ops.ones((3, 2))], [weights])
    np.testing.assert_allclose(np.linalg.norm(arrays([weights])[0], axis=0), 1, rtol=1e-6)


def test_swats_switches_when_and_as_the_oracle_does():
    scale, start = np.array([0.1, 1.0, 10.0]), np.array([0.1, 1.0, -0.03])
    settings = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8, "tolerance": 1e-4}
    path, switch, rate = oracle.swats(lambda x: scale * x, start, 100, 0.01, **settings)
    weights = [keras.Variable(start[:2].astype("float32")), keras.Variable(start[2:].astype("float32"))]
    optimizer, ours = SWATS(0.01, **settings), []
    assert optimizer.switch_step is optimizer.sgd_rate is None
    for _ in range(100):
        g = (scale * np.concatenate(arrays(weights))).astype("float32")
        optimizer.apply([ops.convert_to_tensor(g[:2]), ops.convert_to_tensor(g[2:])], weights)
        ours.append(np.concatenate(arrays(weights)))
    assert optimizer.switch_step == switch == 49
    assert optimizer.sgd_rate == pytest.approx(rate, rel=1e-3)
    np.testing.assert_allclose(ours, path, rtol=1e-3, atol=1e-4)


def test_swats_without_gradients_neither_moves_nor_switches():
    optimizer = SWATS(0.1)
    assert walk(optimizer, np.zeros((3, 4)), np.ones(4)).tolist() == np.ones((3, 4)).tolist()
    assert optimizer.switch_step is None


def test_theta_of_the_general_frame():
    """With a step size of alpha / sqrt(t), the frame's AdaGrad is the usual one."""
    gs, v, theta = oracle.gradients(100).astype("float32"), np.zeros(7, "float32"), START.astype("float32")
    for t, g in enumerate(gs, start=1):
        step, (v,) = rules.adagrad(
            ops.convert_to_tensor(g), ops.convert_to_tensor(v), alpha=0.1 / t**0.5, t=t, epsilon=1e-12
        )
        theta = theta - ops.convert_to_numpy(step)
    sums = np.sqrt(np.cumsum(gs.astype("float64") ** 2, axis=0))
    np.testing.assert_allclose(theta, START - np.sum(0.1 * gs / sums, axis=0), rtol=1e-4, atol=1e-4)


def test_sgd_and_rmsprop_of_the_general_frame():
    g, v = ops.convert_to_tensor([1.0, -2.0]), ops.convert_to_tensor([4.0, 0.0])
    assert ops.convert_to_numpy(rules.sgd(g, alpha=0.5)[0]).tolist() == [0.5, -1.0]
    step, (v,) = rules.rmsprop(g, v, alpha=1.0, beta_2=0.5, epsilon=1e-12)
    np.testing.assert_allclose(ops.convert_to_numpy(v), [2.5, 2.0])
    np.testing.assert_allclose(ops.convert_to_numpy(step), [1 / np.sqrt(2.5), -np.sqrt(2)], rtol=1e-6)


@keras.saving.register_keras_serializable("tests")
def rising(step):
    """A decay rate that rises from .5 towards .99, as in the papers' beta_1t and beta_2t."""
    return 0.99 - 0.49 / (ops.cast(step, "float32") + 1)


@pytest.mark.parametrize("cls", [Adam, AMSGrad])
@pytest.mark.parametrize("eager", [False, True])
def test_betas_follow_a_schedule_and_the_correction_their_product(cls, eager):
    gs, theta = oracle.gradients(60), START
    m, v, v_max, product_1, product_2 = 0, 0, 0, 1, 1
    for t, g in enumerate(gs):
        beta = 0.99 - 0.49 / (t + 1)
        m, v = beta * m + (1 - beta) * g, beta * v + (1 - beta) * g**2
        v_max = np.maximum(v_max, v) if cls is AMSGrad else v
        product_1, product_2 = product_1 * beta, product_2 * beta
        theta = theta - 0.01 * np.sqrt(1 - product_2) / (1 - product_1) * m / (np.sqrt(v_max) + 1e-8)
    optimizer = cls(0.01, beta_1=rising, beta_2=rising)
    again = cls.from_config(optimizer.get_config()) if eager else optimizer
    np.testing.assert_allclose(walk(again, gs, START)[-1], theta, rtol=1e-4, atol=1e-5)
    assert again.beta_1 == pytest.approx(0.99 - 0.49 / 61)


def test_a_beta_schedule_works_in_a_compiled_model_and_cannot_be_set():
    model = dense_model(AMSGrad(0.01, beta_2=keras.optimizers.schedules.PolynomialDecay(0.9, 100, 0.99)))
    losses = fit(model, epochs=3)
    assert losses[-1] < losses[0]
    with pytest.raises(ValueError, match="`beta_2` can be set to a number only"):
        model.optimizer.beta_2 = 0.5


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("cls", [AMSGrad, AdaMax])
def test_setting_beta_2_equals_a_schedule_that_steps(cls, jit_compile):
    if jit_compile and BACKEND == "torch":
        pytest.skip("compiling a torch model needs a C++ toolchain and minutes")

    set_later = dense_model(cls(0.01, beta_2=0.5), jit_compile=jit_compile)
    fit(set_later)
    set_later.optimizer.beta_2 = 0.9
    fit(set_later)
    planned = dense_model(cls(0.01, beta_2=lambda step: ops.where(step < 4, 0.5, 0.9)), jit_compile=jit_compile)
    fit(planned, epochs=2)
    constant = dense_model(cls(0.01, beta_2=0.5), jit_compile=jit_compile)
    fit(constant, epochs=2)
    for ours, same, other in zip(*(arrays(m.weights) for m in (set_later, planned, constant)), strict=True):
        np.testing.assert_allclose(ours, same, rtol=1e-5, atol=1e-6)
        assert np.abs(ours - other).max() > 1e-4


# What others call AMSGrad, over 500 steps of gradients that span five orders of magnitude.

STEPS = 500


def test_keras_is_form_a():
    gs = oracle.gradients(STEPS)
    theirs = walk(keras.optimizers.Adam(0.001, amsgrad=True, epsilon=1e-7), gs, START)
    np.testing.assert_allclose(walk(AMSGrad(0.001, epsilon=1e-7), gs, START), theirs, rtol=1e-5, atol=1e-6)


def test_torch_is_form_b_which_is_form_a_at_a_converted_epsilon():
    torch = pytest.importorskip("torch")
    gs, epsilon = oracle.gradients(STEPS), 1e-8
    weights = torch.tensor(START, dtype=torch.float32, requires_grad=True)
    theirs = torch.optim.Adam([weights], lr=0.001, betas=(0.9, 0.999), amsgrad=True)
    for t, g in enumerate(gs, start=1):
        theirs.param_groups[0]["eps"] = epsilon / (1 - 0.999**t) ** 0.5
        weights.grad = torch.tensor(g, dtype=torch.float32)
        theirs.step()
    ours = walk(AMSGrad(0.001, epsilon=epsilon), gs, START)[-1]
    np.testing.assert_allclose(ours, weights.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_optax_without_corrections_is_form_d():
    optax = pytest.importorskip("optax")
    rule = optax.amsgrad(0.001, 0.9, 0.999, 1e-8, bias_correction_mu=False, bias_correction_nu=False)
    gs, theta = oracle.gradients(STEPS).astype("float32"), START.astype("float32")
    theirs = rule.init(theta)
    for g in gs:
        step, theirs = rule.update(g, theirs)
        theta = theta + np.asarray(step)
    ours = walk(AMSGrad(0.001, bias_correction=False), gs, START)[-1]
    np.testing.assert_allclose(ours, theta, rtol=1e-5, atol=1e-6)
