"""Weights of low precision follow the float32 run, to within the rounding of the weights themselves."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import Adam, AMSGrad
from tests import oracle
from tests.models import BACKEND, OPTIMIZERS, arrays, classes, dense_model, fit

# Half the distance between neighbouring numbers near 1.
ROUNDING = {"bfloat16": 2.0**-8, "float16": 2.0**-11}


def walk(optimizer, gs, start, dtype):
    weights = keras.Variable(start, dtype=dtype, name="kernel")
    for g in gs:
        optimizer.apply([ops.convert_to_tensor(g, dtype=dtype)], [weights])
    return arrays([weights])[0]


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_forty_steps_stay_close_to_float32(cls, dtype):
    """Each step may lose half a unit in the last place of a weight near 1; small gradients must not be lost at all."""
    rng = np.random.default_rng(0)
    gs = 1e-4 * (1 + rng.normal(size=(40, 6, 2)))  # squared: 1e-8, below float16's smallest number
    start = np.linspace(0.5, 1, 12).reshape(6, 2)
    exact, low = (walk(cls(0.02), gs, start, each) for each in ("float32", dtype))
    assert np.abs(exact - start).max() > 0.04  # RAdam begins with small steps
    assert np.abs(low - exact).max() < 40 * ROUNDING[dtype] * np.abs(exact).max()


@pytest.mark.parametrize("dtype", ROUNDING)
def test_the_slots_are_those_of_float32(dtype):
    gs = np.asarray(ops.convert_to_numpy(ops.cast(ops.convert_to_tensor(oracle.gradients(50) / 1e3, dtype), "float32")))
    slots = []
    for each in (dtype, "float32"):
        optimizer = AMSGrad(0.01)
        walk(optimizer, gs, np.ones(7), each)
        slots.append([arrays(of_all)[0] for of_all in optimizer._slots])
    for low, exact in zip(*slots, strict=True):
        np.testing.assert_allclose(low, exact, rtol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16"])
def test_a_model_trains_under_a_policy(policy):
    model = dense_model(AMSGrad(0.01), dtype=policy)
    losses = fit(model, epochs=10)
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.8 * losses[0]


def test_dynamic_loss_scaling_skips_an_infinite_gradient_and_goes_on():
    weights = keras.Variable(np.ones(3, "float32"))
    optimizer = keras.optimizers.LossScaleOptimizer(AMSGrad(0.1), initial_scale=1024.0)
    apply(optimizer, [np.inf, 1.0, 1.0], weights)
    np.testing.assert_array_equal(arrays([weights])[0], np.ones(3))
    apply(optimizer, [512.0] * 3, weights)
    np.testing.assert_allclose(arrays([weights])[0], 0.9, rtol=1e-5)


def apply(optimizer, g, weights):
    g = ops.convert_to_tensor(g, dtype="float32")
    if BACKEND != "jax":
        return optimizer.apply([g], [weights])
    # Keras's loss scaling has conditions, and so on JAX no form that changes variables.
    optimizer.build([weights])
    values = [variable.value for variable in optimizer.variables]
    (value,), values = optimizer.stateless_apply(values, [g], [weights.value])
    for variable, new in zip([weights, *optimizer.variables], [value, *values], strict=True):
        variable.assign(new)
    return None


def test_a_static_loss_scale_does_not_underflow_float16_gradients():
    weights = keras.Variable(np.ones(3), dtype="float16")
    optimizer = Adam(0.1, epsilon=1e-12, loss_scale_factor=2.0**14)
    optimizer.apply([ops.convert_to_tensor(np.full(3, 2.0**-11), dtype="float16")], [weights])  # 2^-25 after unscaling
    np.testing.assert_allclose(arrays([weights])[0], 0.9, rtol=1e-3)


def test_weight_decay_and_the_moving_average_are_not_rounded_away():
    weights = keras.Variable(np.ones(3), dtype="bfloat16")
    optimizer = Adam(0.1, weight_decay=0.02, use_ema=True, ema_momentum=0.999)
    for _ in range(3):
        optimizer.apply([ops.full((3,), 1.0, dtype="bfloat16")], [weights])
    means = arrays(optimizer._model_variables_moving_average)[0]
    np.testing.assert_allclose(arrays([weights])[0], 0.69, atol=3 * ROUNDING["bfloat16"])
    assert optimizer._model_variables_moving_average[0].dtype == "float32"
    assert np.all((means < 0.9) & (means > 0.89))
    optimizer.finalize_variable_values([weights])
    np.testing.assert_allclose(arrays([weights])[0], means, rtol=ROUNDING["bfloat16"])


def test_a_float16_floatx_does_not_reach_the_betas():
    keras.config.set_floatx("float16")
    try:
        optimizer = AMSGrad(0.1, beta_2=0.9999)
        assert optimizer.beta_2 == 0.9999
        weights = keras.Variable(np.ones(3))
        optimizer.apply([ops.ones(3)], [weights])
        np.testing.assert_allclose(arrays([weights])[0], 0.9, rtol=2e-3)
    finally:
        keras.config.set_floatx("float32")


def test_classes_of_the_small_problem_are_all_there():
    assert set(classes()[1]) == {0, 1, 2}
