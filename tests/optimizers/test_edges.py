"""Settings, gradients and weights at the edges of what is allowed."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import SWATS, Adam, AMSGrad, Nadam
from tests.models import BACKEND, OPTIMIZERS, arrays, walk

SQUARE = [cls for cls in OPTIMIZERS if cls.largest_gradient]


def compiled(function):
    """Return a function as the backend compiles it, without XLA on TensorFlow: there the kernels are."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    return function


def applied(optimizer, weights, compile_it=True):
    """Return a function of a gradient that updates `weights`."""
    optimizer.build([weights])
    return (compiled if compile_it else lambda function: function)(lambda g: optimizer.apply([g], [weights]))


@pytest.mark.parametrize("cls", [Adam, AMSGrad, Nadam])
def test_with_betas_of_0_a_small_gradient_after_a_large_one_moves_a_weight_as_far(cls):
    settings = {"momentum_decay": None} if cls is Nadam else {}
    weights = keras.Variable(np.zeros(3, "float32"))
    step = applied(cls(0.001, beta_1=0.0, beta_2=0.0, **settings), weights)
    moved = []
    for g in (3.0, 1e-4, -1e-4):
        before = arrays([weights])[0]
        step(ops.full((3,), g))
        moved.append((before - arrays([weights])[0])[0])
    if cls is AMSGrad:  # remembers the large gradient
        np.testing.assert_allclose(moved, [0.001, 0.001 * 1e-4 / 3, -0.001 * 1e-4 / 3], rtol=1e-3, atol=2e-10)
    else:
        np.testing.assert_allclose(moved, [0.001, 0.001, -0.001], rtol=1e-3)


@pytest.mark.parametrize("beta", [0.0, 1e-3, 0.3, 0.5, 0.9, 0.999, 0.99999])
def test_a_running_average_is_precise_at_both_ends(beta):
    rng = np.random.default_rng(0)
    gs = (rng.normal(size=(30, 5)) * 10.0 ** rng.uniform(-4, 3, (30, 5))).astype("float32")
    optimizer, beta = Adam(0.0, beta_1=beta, beta_2=beta), float(np.float32(beta))
    walk(optimizer, gs, np.zeros(5))
    m = v = size = 0.0
    for g in gs.astype("float64"):
        m, v, size = beta * m + (1 - beta) * g, beta * v + (1 - beta) * g**2, beta * size + (1 - beta) * abs(g)
    ours = arrays(slots[0] for slots in optimizer._slots)
    np.testing.assert_array_less(np.abs(ours[0] - m), 2e-6 * size)
    np.testing.assert_allclose(ours[1], v, rtol=2e-6)


def test_a_running_average_stays_precise_over_many_updates():
    """A mean of 100,000 squares, whose rounding errors must not add up."""
    from keras_amsgrad import rules

    gs = np.random.default_rng(0).normal(size=1000).astype("float32")
    beta, v, exact = ops.convert_to_tensor(np.float32(0.999)), ops.convert_to_tensor(np.float32(0)), 0.0
    step = compiled(lambda v, x: rules.average(v, x, beta))
    repeats = 10 if BACKEND == "torch" else 3
    for _ in range(repeats):
        for g in gs:
            v = step(v, ops.convert_to_tensor(g * g))
            exact += (1 - float(np.float32(0.999))) * (float(g * g) - exact)
    np.testing.assert_allclose(float(ops.convert_to_numpy(v)), exact, rtol=1.5e-5)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 0.999999, 0.9999999])
def test_the_product_of_the_betas_is_exact_over_ten_million_updates(beta):
    """In float32 alone it is 6 % off at .999999 when the product is 1/e, and twice too fast later at .9999999."""
    optimizer = Adam(beta_2=beta)
    product, factor = optimizer._beta_2_product, ops.convert_to_tensor(np.float32(beta))
    updates = 20_000 if BACKEND == "torch" else 10**7
    start = 0.0
    if BACKEND == "torch":  # has no compiled loop: begin where the logarithm is so large that single updates are lost
        start = -8.0 if beta > 0.5 else 0.0

    def advance(i, state):
        product.log.assign(state[0])
        product.rest.assign(state[1])
        return [value for _, value in product.times(factor)[1]]

    state = [ops.convert_to_tensor(np.float32(start)), ops.zeros(())]
    log, rest = (float(ops.convert_to_numpy(x)) for x in looped(updates, advance, state))
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(log + rest, start + updates * np.log(float(np.float32(beta))), rtol=1e-4)


def looped(count, body, state):
    if BACKEND == "torch":
        for i in range(count):
            state = body(i, state)
        return state
    if BACKEND == "jax":
        import jax

        def one(i, state):
            with keras.StatelessScope():
                return body(i, state)

        return jax.jit(lambda state: jax.lax.fori_loop(0, count, one, state))(state)
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def run(state):
        with keras.StatelessScope():
            return tf.while_loop(lambda i, *_: i < count, lambda i, *s: (i + 1, *body(i, s)), (0, *state))[1:]

    return run(state)


ROUNDED = [
    ("beta_1", 1 - 1e-9, r"`beta_1` must be a number in \[0, 1\).*0\.999999999, which is 1\.0 in float32"),
    ("beta_2", 1 - 1e-9, r"`beta_2` must be a number in \[0, 1\).*which is 1\.0 in float32"),
    ("epsilon", 1e-50, r"`epsilon` must be a number > 0.*1e-50, which is 0\.0 in float32"),
    ("epsilon", 1e-40, r"`epsilon` must be a number > 0.*which is 0\.0 in float32"),
    ("learning_rate", 1e39, r"`learning_rate` must be a number >= 0.*which is inf in float32"),
    ("clipvalue", 1e-60, r"`clipvalue` must be a number > 0.*which is 0\.0 in float32"),
]


@pytest.mark.parametrize(("name", "value", "said"), ROUNDED)
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_setting_is_checked_as_the_number_that_acts(cls, name, value, said):
    with pytest.raises(ValueError, match=said):
        cls(**{name: value})


def test_a_beta_that_is_set_is_checked_as_the_number_that_acts():
    optimizer = AMSGrad()
    with pytest.raises(ValueError, match=r"`beta_2` must be .* which is 1\.0 in float32"):
        optimizer.beta_2 = 1 - 1e-9
    with pytest.raises(ValueError, match=r"`tolerance` must be .* which is 0\.0 in float32"):
        SWATS(tolerance=1e-50)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_the_smallest_epsilon_and_the_largest_betas_that_pass_do_no_harm(cls):
    optimizer = cls(0.1, beta_1=1 - 1e-7, beta_2=1 - 1e-7, epsilon=1.2e-38)
    path = walk(optimizer, [[0.0, 1.0], [0.0, -2.0], [0.0, 0.0]], [1.0, 1.0])
    assert np.isfinite(path).all()
    np.testing.assert_array_equal(path[:, 0], 1.0)


def test_in_float64_settings_act_in_float64():
    keras.config.set_floatx("float64")
    try:
        assert AMSGrad(beta_2=1 - 1e-9, epsilon=1e-50).epsilon == 1e-50
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.parametrize("dtype", ["complex64", "int32"])
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_weights_that_no_rule_is_made_for_are_refused(cls, dtype):
    with contextlib.suppress(RuntimeError, TypeError, ValueError):
        weights = keras.Variable(np.ones(2, dtype), dtype=dtype, name="waves")
        with pytest.raises(ValueError, match=f"Weights must be real floating-point numbers.*waves.*{dtype}"):
            cls().build([weights])
        return
    pytest.skip(f"no variables of type {dtype} on this backend")


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_weight_without_elements_trains_beside_others(cls):
    shapes = [(0, 3), (2, 3), (3, 0), (0,)]
    weights = [keras.Variable(np.ones(shape, "float32"), name="kernel") for shape in shapes]
    optimizer = cls(0.1, weight_decay=0.1)
    for _ in range(2):
        optimizer.apply([ops.ones(shape) for shape in shapes], weights)
    assert [tuple(w.shape) for w in weights] == shapes
    assert np.abs(arrays(weights)[1] - 1).max() > 0


@pytest.mark.parametrize("compile_it", [False, True])
@pytest.mark.parametrize("cls", SQUARE)
def test_a_gradient_whose_square_overflows_counts_as_the_largest_whose_does_not(cls, compile_it):
    steps, start = [], np.array([[1.0, 1.0], [0.5, 1.0]])
    for scale in (1e25, 1.8e19 * cls.largest_gradient):
        weights = keras.Variable(start.astype("float32"), name="bias")
        apply = applied(cls(0.1), weights, compile_it)
        for g in (scale, -scale, 1.0, 1.0):
            apply(ops.convert_to_tensor(np.array([[g, 1.0], [1.0, g]], "float32")))
        steps.append(arrays([weights])[0])
    assert np.isfinite(steps).all()
    np.testing.assert_allclose(*steps, rtol=1e-5)
    assert np.abs(steps[0] - start).max() > 1e-3
