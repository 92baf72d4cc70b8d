"""The kernels that replace a rule on TensorFlow and torch compute the same weights and slots."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import Adam, AdaMax, AMSGrad
from tests import oracle
from tests.models import BACKEND, arrays, dense_model, fit

pytestmark = pytest.mark.skipif(BACKEND == "jax", reason="JAX compiles the plain rule; there is no other form")

CASES = [
    pytest.param(Adam, {}, id="adam"),
    pytest.param(Adam, {"bias_correction": False, "weight_decay": 0.1}, id="adam-uncorrected-decay"),
    pytest.param(AMSGrad, {}, id="amsgrad"),
    pytest.param(AMSGrad, {"bias_correction": False}, id="amsgrad-uncorrected"),
    pytest.param(AMSGrad, {"weight_decay": 0.1}, id="amsgrad-decay"),
    pytest.param(AdaMax, {"weight_decay": 0.1}, id="adamax-decay"),
]


def kernels():
    """Return the module with the backend's kernels."""
    if BACKEND == "tensorflow":
        from keras_amsgrad.optimizers import tensorflow_updates as module
    else:
        from keras_amsgrad.optimizers import torch_updates as module
    return module


def never(*args):
    return False


def train(cls, settings):
    """Return the weights and slots after large gradients and then small ones; the bias does not decay."""
    start = np.linspace(-1, 1, 6, dtype="float32")
    weights = [keras.Variable(start.reshape(3, 2), name="kernel"), keras.Variable(start, name="bias")]
    optimizer = cls(0.01, **settings)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    for g in oracle.gradients(200, size=6).astype("float32"):
        optimizer.apply([ops.convert_to_tensor(g.reshape(3, 2)), ops.convert_to_tensor(g)], weights)
    return arrays(weights + [slot for slots in optimizer._slots for slot in slots])


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_a_kernel_equals_the_plain_rule_with_its_slots(cls, settings, monkeypatch):
    fast = train(cls, settings)
    monkeypatch.setattr(kernels(), "can_fuse", never)
    for one, other in zip(fast, train(cls, settings), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("cls", [Adam, AMSGrad, AdaMax])
def test_the_kernel_is_what_a_model_trains_with(cls, monkeypatch):
    if BACKEND == "torch" and cls is AdaMax:
        pytest.skip("torch has no kernel for AdaMax")
    asked, can_fuse = [], kernels().can_fuse

    def noted(*args):
        asked.append(can_fuse(*args))
        return asked[-1]

    monkeypatch.setattr(kernels(), "can_fuse", noted)
    fit(dense_model(cls(0.01), jit_compile=False))
    assert len(asked) >= 4
    assert all(asked)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="about TensorFlow's compilers")
@pytest.mark.parametrize("cls", [Adam, AMSGrad, AdaMax])
def test_no_kernel_inside_xla(cls, monkeypatch):
    import tensorflow as tf

    weights = keras.Variable(np.ones(3, "float32"))
    optimizer = cls(0.1)
    optimizer.build([weights])
    step = tf.function(lambda: optimizer.apply([tf.ones(3)], [weights]))
    compiled = tf.function(lambda: step(), jit_compile=True)
    compiled()
    assert "ResourceApply" not in str(compiled.experimental_get_compiler_ir()(stage="hlo"))
    step()
    np.testing.assert_allclose(arrays([weights])[0], 0.8, rtol=1e-4)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="about TensorFlow's kernels")
def test_a_gradient_of_another_shape_is_an_error_and_not_read_past_its_end():
    import tensorflow as tf

    weights = keras.Variable(np.ones((2, 3), "float32"))
    optimizer = AMSGrad(0.1)
    optimizer.build([weights])

    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def step(g):
        optimizer.apply([g], [weights])

    step(tf.ones((2, 3)))
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        step(tf.ones((5, 5)))
