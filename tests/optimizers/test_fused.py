"""The kernels that replace a rule on TensorFlow and torch compute the same weights and slots."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import Adam, AdaMax, AMSGrad
from keras_amsgrad.optimizers import backends
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


ASKED = "has_kernel" if BACKEND == "tensorflow" else "can_fuse"


in_graphs = pytest.mark.skipif(BACKEND != "tensorflow", reason="about TensorFlow's graphs")


def compiled(function):
    import tensorflow as tf

    return tf.function(function)


def kernels():
    """Return the module with the backend's kernels."""
    return backends.backend


def never(*args):
    return False


def train(cls, settings, compile_it):
    """Return the weights and slots after large gradients and then small ones; the bias does not decay."""
    start = np.linspace(-1, 1, 6, dtype="float32")
    weights = [keras.Variable(start.reshape(3, 2), name="kernel"), keras.Variable(start, name="bias")]
    optimizer = cls(0.01, **settings)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(weights)
    step = (compiled if compile_it else lambda f: f)(lambda g: optimizer.apply([ops.reshape(g, (3, 2)), g], weights))
    for g in oracle.gradients(200, size=6).astype("float32"):
        step(ops.convert_to_tensor(g))
    return arrays(weights + [slot for slots in optimizer._slots for slot in slots])


@pytest.mark.parametrize("compile_it", [False, pytest.param(True, marks=in_graphs)])
@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_a_kernel_equals_the_plain_rule_with_its_slots(cls, settings, compile_it, monkeypatch):
    fast = train(cls, settings, compile_it)
    monkeypatch.setattr(kernels(), ASKED, never)
    for one, other in zip(fast, train(cls, settings, compile_it), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


@in_graphs
@pytest.mark.parametrize("cls", [Adam, AMSGrad, AdaMax])
def test_a_beta_that_is_set_below_one_half_reaches_the_kernels_of_a_compiled_update(cls):
    """The kernels lose a gradient that is far smaller than the moment; compiled once, the update must notice."""
    traced, weights, optimizer = [], keras.Variable(np.zeros(3, "float32")), cls(0.001)
    optimizer.build([weights])
    step = compiled(lambda g: traced.append(1) or optimizer.apply([g], [weights]))
    step(ops.full((3,), 3.0))
    optimizer.beta_1 = 0.0
    step(ops.full((3,), 3.0))
    step(ops.full((3,), 1e-9))
    assert len(traced) == 1
    np.testing.assert_allclose(arrays([optimizer._slots[0][0]])[0], 1e-9, rtol=1e-5)


@in_graphs
@pytest.mark.parametrize("size", [3, 2**16])
@pytest.mark.parametrize("compile_it", [False, True])
def test_kernels_bound_gradients_and_pass_nan_on(size, compile_it):
    gs = np.ones(size, "float32")
    gs[:3] = 1e25, -1e25, np.nan
    weights, optimizer = keras.Variable(np.zeros(size, "float32")), AMSGrad(0.001)
    optimizer.build([weights])
    step = (compiled if compile_it else lambda f: f)(lambda g: optimizer.apply([g], [weights]))
    step(ops.convert_to_tensor(gs))
    m, v, v_max = (arrays(slot)[0] for slot in optimizer._slots)
    np.testing.assert_allclose(m, np.float32(0.1) * np.clip(gs, -1.8e19, 1.8e19), rtol=1e-5)
    np.testing.assert_allclose(v[:2], 0.001 * 1.8e19**2, rtol=1e-4)
    assert np.isnan([arrays([weights])[0][2], v[2]]).all()
    assert np.isfinite(v_max[3:]).all()


@in_graphs
def test_in_a_graph_kernels_are_not_behind_a_switch_for_every_tensor():
    """With many small weights, the switches take as long as the kernels."""
    weights, optimizer = [keras.Variable(np.ones(2, "float32")) for _ in range(3)], AMSGrad(0.1)
    optimizer.build(weights)
    graph = compiled(lambda g: optimizer.apply([g] * 3, weights)).get_concrete_function(ops.ones(2)).graph
    (condition,) = (op for op in graph.get_operations() if op.type == "If")
    assert not condition.get_attr("_lower_using_switch_merge")


@pytest.mark.parametrize("cls", [Adam, AMSGrad, AdaMax])
def test_the_kernel_is_what_a_model_trains_with(cls, monkeypatch):
    if BACKEND == "torch" and cls is AdaMax:
        pytest.skip("torch has no kernel for AdaMax")
    asked, can_fuse = [], getattr(kernels(), ASKED)

    def noted(*args):
        asked.append(can_fuse(*args))
        return asked[-1]

    monkeypatch.setattr(kernels(), ASKED, noted)
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


def test_weight_decay_may_spare_every_weight_that_is_updated():
    weights = [keras.Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias")]
    optimizer = AMSGrad(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(weights)
    optimizer.apply([ops.ones(2)], weights[1:])
    np.testing.assert_allclose(arrays(weights), [[1, 1], [0.9, 0.9]], rtol=1e-5)


@pytest.mark.skipif(BACKEND != "torch", reason="about torch's compiler")
@pytest.mark.parametrize("cls", [Adam, AMSGrad])
def test_no_kernel_while_torch_compiles(cls, monkeypatch):
    import torch

    weights, optimizer = keras.Variable(np.ones(2, "float32")), cls(0.1)
    optimizer.build([weights])
    assert kernels().kernel_betas(optimizer) == pytest.approx((0.9, 0.999))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert kernels().kernel_betas(optimizer) is None


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "torch", reason="about torch's compiler")
@pytest.mark.parametrize("cls", [Adam, AMSGrad])
def test_a_model_compiled_by_torch_trains_as_an_eager_one(cls, tmp_path, capfd):
    eager, compiled = (dense_model(cls(0.01), jit_compile=jit) for jit in (False, True))
    for model in (eager, compiled):
        fit(model)
    for one, other in zip(arrays(eager.weights), arrays(compiled.weights), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert len(capfd.readouterr().err) < 2000
    compiled.save(tmp_path / "model.keras")  # as one that was trained on JAX, where models are compiled
    fit(keras.saving.load_model(tmp_path / "model.keras"))


@pytest.mark.skipif(BACKEND != "torch", reason="about torch's kernel")
def test_the_kernel_reads_a_beta_from_its_device_only_after_it_was_set(monkeypatch):
    """On a GPU, each reading would wait until all work before it is done."""
    import torch

    read, to_float = [], torch.Tensor.__float__
    weights, optimizer = keras.Variable(np.ones(2, "float32")), AMSGrad(0.1)
    monkeypatch.setattr(torch.Tensor, "__float__", lambda self: read.append(1) or to_float(self))
    counts = []
    for beta_2 in (None, None, 0.9, None):
        if beta_2:
            optimizer.beta_2 = beta_2
        read.clear()
        optimizer.apply([ops.ones(2)], [weights])
        counts.append(len(read))
    assert counts == [3, 1, 2, 1]  # the step size is read on a CPU only
    assert optimizer._known_betas["beta_2"][1] == pytest.approx(0.9)
