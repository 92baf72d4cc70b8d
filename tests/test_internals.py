"""The private names of Keras, TensorFlow and torch that the library uses: that they exist, and what depends on them."""

import inspect

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_amsgrad import Adam, AMSGrad, InverseSqrtDecay
from keras_amsgrad.internals import keras as keras_internals
from tests.models import BACKEND, arrays, dense_model, fit


@pytest.mark.parametrize("hook", keras_internals.HOOKS)
def test_keras_still_has_the_hooks_that_we_override(hook):
    """A renamed hook would leave weights to Keras's own decay, update or average, without any error."""
    theirs = [getattr(base, hook) for base in keras.optimizers.Optimizer.__mro__ if hook in vars(base)]
    assert theirs
    assert getattr(AMSGrad, hook) not in theirs
    assert inspect.signature(getattr(AMSGrad, hook)) is not None


@pytest.mark.parametrize(
    ("hook", "settings"),
    [
        ("_apply_weight_decay", {"weight_decay": 0.1}),
        ("_backend_update_step", {}),
        ("_update_model_variables_moving_average", {"use_ema": True}),
    ],
)
def test_keras_calls_a_hook_in_every_update(hook, settings, monkeypatch):
    calls = []
    monkeypatch.setattr(AMSGrad, hook, lambda self, *arguments: calls.append(len(arguments)))
    AMSGrad(0.1, **settings).apply([ops.ones(2)], [keras.Variable(np.ones(2, "float32"))])
    assert calls


def test_keras_calls_the_hook_that_overwrites_weights_with_averages(monkeypatch):
    calls, weights = [], keras.Variable(np.ones(2, "float32"))
    hook = "_overwrite_model_variables_with_average_value"
    monkeypatch.setattr(AMSGrad, hook, lambda self, variables: calls.append(len(variables)))
    AMSGrad(0.1, use_ema=True).finalize_variable_values([weights])
    assert calls == [1]


def test_what_keras_keeps_for_an_optimizer_has_the_names_that_we_use():
    """State in files, moving averages, accumulated gradients, schedules and excluded weights depend on them."""
    first, second = (keras.Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias"))
    optimizer = Adam(0.1, weight_decay=0.1, use_ema=True, gradient_accumulation_steps=2)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([ops.ones(2)] * 2, [first, second])
    assert keras_internals.weights(optimizer) == [first, second]
    assert [keras_internals.index(optimizer, variable) for variable in (first, second)] == [0, 1]
    assert [keras_internals.is_decayed(optimizer, variable) for variable in (first, second)] == [True, False]
    assert len(keras_internals.averages(optimizer)) == len(keras_internals.accumulated_gradients(optimizer)) == 2
    assert int(keras_internals.batches_seen(optimizer)) == 1
    assert int(optimizer.iterations) == 0
    assert float(keras_internals.learning_rate(optimizer)) == pytest.approx(0.1)


@pytest.mark.skipif(BACKEND != "jax", reason="layouts are JAX's and TensorFlow's; this sets one on JAX")
def test_slots_are_laid_out_over_devices_as_their_weights():
    distribution = keras.distribution.DataParallel()
    with distribution.scope():
        weights = keras.Variable(np.ones((2, 2), "float32"))
        optimizer = AMSGrad(0.1)
        optimizer.build([weights])
    assert keras_internals.layout(weights) is not None
    assert keras_internals.layout(optimizer._slots[0][0]) == keras_internals.layout(weights)


def test_in_a_stateless_scope_the_weights_stay():
    """Kernels work in place: they must not run where new values are kept elsewhere."""
    assert not keras_internals.in_stateless_scope()
    with keras.StatelessScope():
        assert keras_internals.in_stateless_scope()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="about TensorFlow's names")
def test_tensorflow_says_whether_xla_compiles_and_what_a_strategy_merges():
    """The kernels have no form for XLA; accumulated gradients are refused where devices meet in one thread."""
    import tensorflow as tf

    from keras_amsgrad.internals import tensorflow as tensorflow_internals

    seen = []
    inner = tf.function(lambda x: seen.append(tensorflow_internals.may_be_inside_xla()) or x)
    inner(tf.ones(1))
    tf.function(lambda x: inner(x) + 1, jit_compile=True)(tf.ones(2))
    assert seen == [False, True]
    assert not tensorflow_internals.merges_replicas(tf.distribute.get_strategy())
    merged = []
    tensorflow_internals.merged(lambda strategy, x: merged.append(x), tf.distribute.get_strategy(), 3)
    assert merged == [3]


@pytest.mark.skipif(BACKEND != "torch", reason="about torch's names")
def test_torch_counts_assignments():
    """The kernel takes the betas as numbers, which must not be read from a GPU in every update."""
    import torch

    from keras_amsgrad.internals import torch as torch_internals

    tensor = torch.zeros(())
    before = torch_internals.version(tensor)
    assert torch_internals.version(tensor) == before
    tensor.copy_(torch.ones(()))
    assert torch_internals.version(tensor) != before
    with torch.inference_mode():
        tensor = torch.zeros(())
    assert torch_internals.version(tensor) != torch_internals.version(tensor)


def test_without_the_names_that_only_kernels_need_the_plain_rule_trains(monkeypatch):
    fast = dense_model(AMSGrad(0.01), jit_compile=False)
    fit(fast)
    if BACKEND == "tensorflow":
        from keras_amsgrad.internals import tensorflow as tensorflow_internals

        monkeypatch.setattr(tensorflow_internals, "control_flow_util", None)
    else:
        monkeypatch.setattr(keras_internals, "in_stateless_scope", lambda: True)
    plain = dense_model(AMSGrad(0.01), jit_compile=False)
    fit(plain)
    for one, other in zip(arrays(fast.weights), arrays(plain.weights), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


def test_update_step_has_kerass_signature_and_is_part_of_the_next_update():
    theirs = inspect.signature(keras.optimizers.Adam.update_step)
    assert list(inspect.signature(AMSGrad.update_step).parameters) == list(theirs.parameters)
    one, other = (keras.Variable(np.ones(2, "float32")) for _ in range(2))
    whole, single = AMSGrad(0.1), AMSGrad(0.1)
    single.build([other])
    whole.apply([ops.convert_to_tensor([3.0, -0.1])], [one])
    single.update_step(ops.convert_to_tensor([3.0, -0.1]), other, 0.1)
    np.testing.assert_allclose(arrays([other])[0], arrays([one])[0], rtol=1e-6)


def test_a_schedule_is_found_as_it_was_set():
    """Schedules run inside the program; the property `learning_rate` would give the number of the first step."""
    schedule = InverseSqrtDecay(0.02)
    assert keras_internals.learning_rate(Adam(schedule)) is schedule
    assert float(keras_internals.learning_rate(Adam(0.02))) == pytest.approx(0.02)


def test_the_outputs_of_every_call_of_a_layer_are_known():
    """The estimate of memory, and with it the size of chunks, counts them."""
    shared, first = layers.Dense(4), keras.Input((4,))
    keras.Model(first, shared(shared(first)))
    assert [tensor.shape for tensor in keras_internals.output_tensors(shared)] == [(None, 4), (None, 4)]


def test_the_seed_of_keras_and_its_generator_are_known():
    """`random_state.preserved` restores both: unseeded layers and `keras.random` draw from them."""
    keras.utils.set_random_seed(5)
    assert keras_internals.random_state() == (5, None, None)
    keras.random.uniform(())
    seed, generator, state = saved = keras_internals.random_state()
    assert seed == 5
    assert isinstance(generator, keras.random.SeedGenerator)
    keras.random.uniform(())
    assert (keras.ops.convert_to_numpy(generator.state) != state).any()
    keras.utils.set_random_seed(6)
    keras_internals.restore_random_state(saved)
    assert keras_internals.random_state()[:2] == (5, generator)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(generator.state), state)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="about TensorFlow's names")
def test_the_seeds_of_tensorflow_are_known():
    """`random_state.preserved` restores them: `tf.random` and shuffled data sets of the caller draw from them."""
    import tensorflow as tf

    from keras_amsgrad.internals import tensorflow as tensorflow_internals

    tf.random.set_seed(5)
    tf.random.uniform(())
    seed, state = saved = tensorflow_internals.random_state()
    assert seed == 5
    expected = float(tf.random.uniform(()))
    assert tensorflow_internals.random_state()[1] != state
    tf.random.set_seed(6)
    tensorflow_internals.restore_random_state(saved)
    assert float(tf.random.uniform(())) == expected
