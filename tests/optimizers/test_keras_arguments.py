"""Every argument of `keras.optimizers.Optimizer`, with every optimizer."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import SWATS, Adam, AMSGrad, WarmRestarts, normalized_weight_decay
from tests import oracle
from tests.models import BACKEND, OPTIMIZERS, arrays, dense_model, fit

GS = oracle.gradients(30, size=6).reshape(30, 3, 2).astype("float32")


def train(optimizer, gs=GS, names=("w", "bias")):
    weights = [keras.Variable(np.linspace(0.5, 1, 6, dtype="float32").reshape(3, 2), name=name) for name in names]
    for g in gs:
        optimizer.apply([ops.convert_to_tensor(g)] * len(weights), weights)
    return arrays(weights)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_weight_decay_is_decoupled_and_spares_what_is_excluded(cls):
    optimizer = cls(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    zeros = [np.zeros((3, 2), "float32")] * 2
    decayed, spared = train(optimizer, zeros)
    start = np.linspace(0.5, 1, 6, dtype="float32").reshape(3, 2)
    np.testing.assert_allclose(decayed, start * (1 - 0.01 * 0.5) ** 2, rtol=1e-6)
    np.testing.assert_array_equal(spared, start)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_weight_may_be_excluded_from_decay_after_build(cls):
    """As with Keras's own optimizers: what is excluded stays, whenever it was said."""
    start = np.linspace(0.5, 1, 6, dtype="float32").reshape(3, 2)
    weights = [keras.Variable(start.copy(), name=name) for name in ("w", "bias")]
    optimizer = cls(0.01, weight_decay=0.5)
    optimizer.build(weights)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([ops.zeros((3, 2))] * 2, weights)
    np.testing.assert_allclose(arrays(weights), [start * (1 - 0.01 * 0.5), start], rtol=1e-6)
    optimizer.exclude_from_weight_decay(var_list=weights)
    optimizer.apply([ops.zeros((3, 2))] * 2, weights)
    np.testing.assert_allclose(arrays(weights), [start * (1 - 0.01 * 0.5), start], rtol=1e-6)


@pytest.mark.parametrize(
    "settings", [{"weight_decay": 0.1}, {"clipnorm": 0.5}, {"clipvalue": 0.1}, {"global_clipnorm": 0.7}]
)
def test_amsgrad_with_an_argument_is_kerass_with_it(settings):
    theirs = keras.optimizers.Adam(0.01, amsgrad=True, epsilon=1e-7, **settings)
    ours = AMSGrad(0.01, epsilon=1e-7, **settings)
    for one, other in zip(train(ours), train(theirs), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_micro_steps_equal_one_large_batch(cls):
    gs = GS.reshape(10, 3, 3, 2)
    settings = {"weight_decay": 0.1, "clipnorm": 5.0}
    in_parts = train(cls(0.01, gradient_accumulation_steps=3, **settings), gs.reshape(30, 3, 2))
    at_once = train(cls(0.01, **settings), gs.mean(axis=1))
    for one, other in zip(in_parts, at_once, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_micro_batches_equal_large_batches_in_fit(jit_compile):
    if BACKEND == "torch" and jit_compile:
        pytest.skip("compiling a torch model needs a C++ toolchain and minutes")
    small = dense_model(AMSGrad(0.01, gradient_accumulation_steps=4), jit_compile=jit_compile)
    large = dense_model(AMSGrad(0.01), jit_compile=jit_compile)
    fit(small, epochs=3, batch_size=4)
    fit(large, epochs=3, batch_size=16)
    for one, other in zip(arrays(small.weights), arrays(large.weights), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_the_moving_average_is_that_of_the_weights(cls):
    optimizer = cls(0.05, use_ema=True, ema_momentum=0.8)
    weights = keras.Variable(np.ones((3, 2), "float32"))
    mean = None
    for g in GS[:10]:
        optimizer.apply([ops.convert_to_tensor(g)], [weights])
        w = arrays([weights])[0]
        mean = w if mean is None else 0.8 * mean + 0.2 * w
    np.testing.assert_allclose(arrays(optimizer._model_variables_moving_average)[0], mean, rtol=1e-5)
    optimizer.finalize_variable_values([weights])
    np.testing.assert_allclose(arrays([weights])[0], mean, rtol=1e-5)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_the_moving_average_overwrites_the_weights_in_fit(cls):
    model = dense_model(cls(0.01, use_ema=True, ema_overwrite_frequency=4))
    fit(model)
    for w, mean in zip(arrays(model.weights), arrays(model.optimizer._model_variables_moving_average), strict=True):
        np.testing.assert_allclose(w, mean, rtol=1e-6)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_loss_scale_changes_nothing(cls):
    scaled = train(cls(0.01, loss_scale_factor=256.0), 256 * GS)
    for one, other in zip(scaled, train(cls(0.01)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_compiled_and_plain_training_agree(cls):
    if BACKEND == "torch":
        pytest.skip("compiling a torch model needs a C++ toolchain and minutes")
    plain, compiled = (dense_model(cls(0.01), jit_compile=jit) for jit in (False, True))
    for model in (plain, compiled):
        fit(model)
    for one, other in zip(arrays(plain.weights), arrays(compiled.weights), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not hasattr(keras.optimizers, "OptimizerMap"), reason="Keras has it from 3.15 on")
def test_different_optimizers_train_different_layers():
    first, rest = AMSGrad(0.01), SWATS(0.01)
    chosen = keras.optimizers.OptimizerMap(rest, {".*hidden/.*": first})
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="hidden"), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.MultiOptimizer(chosen), loss)
    losses = fit(model, epochs=5)
    assert losses[-1] < losses[0]
    assert len(first._slots[0]) == len(rest._slots[0]) == 2


def test_constraints_and_layers_that_are_frozen():
    model = dense_model()
    model.layers[0].trainable = False
    model.layers[1].kernel.constraint = keras.constraints.NonNeg()
    frozen = arrays(model.layers[0].weights)
    model.compile(AMSGrad(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit(model)
    np.testing.assert_array_equal(arrays(model.layers[0].weights)[0], frozen[0])
    assert arrays([model.layers[1].kernel])[0].min() >= 0


def test_a_gradient_that_is_missing_warns_and_leaves_its_weight():
    weights = [keras.Variable(np.ones(2, "float32")), keras.Variable(np.ones(2, "float32"))]
    optimizer = AMSGrad(0.1)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None, ops.ones(2)], weights)
    np.testing.assert_allclose(arrays(weights), [[1, 1], [0.9, 0.9]], rtol=1e-5)


def test_a_learning_rate_can_be_set():
    """Of gradients that stay the same, a step of Adam is the learning rate."""
    weights, optimizer = keras.Variable(np.ones((3, 2), "float32")), Adam(0.1)
    for rate, expected in ((0.1, 0.9), (0.0, 0.9), (0.2, 0.7)):
        optimizer.learning_rate = rate
        optimizer.apply([ops.ones((3, 2))], [weights])
        np.testing.assert_allclose(arrays([weights])[0], expected, rtol=1e-5)


def test_a_learning_rate_can_be_any_callable():
    weights = keras.Variable(np.ones((3, 2), "float32"))
    Adam(lambda: 0.1).apply([ops.ones((3, 2))], [weights])
    np.testing.assert_allclose(arrays([weights])[0], 0.9, rtol=1e-5)


def test_normalized_weight_decay_follows_its_restarts():
    restarts = WarmRestarts(0.1, first_updates=4, multiplier=2)
    decay = normalized_weight_decay(0.5, restarts)
    np.testing.assert_allclose([float(decay(t)) for t in (0, 3, 4, 11, 12)], 0.5 / np.sqrt([4, 4, 8, 8, 16]), rtol=1e-6)
    np.testing.assert_allclose([float(restarts(t)) for t in (0, 2, 4, 8)], [0.1, 0.05, 0.1, 0.05], rtol=1e-6)
    weights = keras.Variable(np.ones(3, "float32"))
    optimizer = AMSGrad.from_config(AMSGrad(restarts, weight_decay=decay).get_config())
    expected = 1.0
    for t in range(13):
        optimizer.apply([ops.zeros(3)], [weights])
        expected *= 1 - float(restarts(t)) * float(decay(t))
    np.testing.assert_allclose(arrays([weights])[0], expected, rtol=1e-5)


@pytest.mark.parametrize("cls", [Adam, AMSGrad])
def test_a_model_trains_with_warm_restarts(cls):
    restarts = WarmRestarts(0.05, first_updates=8, multiplier=2)
    model = dense_model(cls(restarts, weight_decay=normalized_weight_decay(0.1, restarts)))
    losses = fit(model, epochs=10)
    assert losses[-1] < 0.5 * losses[0]
