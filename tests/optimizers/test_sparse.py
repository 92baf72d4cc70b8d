"""An Embedding whose ids repeat within a batch trains exactly as with the dense gradient."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import AMSGrad
from tests.models import BACKEND, OPTIMIZERS, arrays

IDS = np.array([[1, 1, 1, 4], [4, 2, 1, 1], [0, 0, 2, 1], [5, 5, 5, 5]] * 4)
TARGETS = np.linspace(-1, 1, 16)[:, None]


class OneHotEmbedding(keras.layers.Layer):
    """The same lookup as a product with one-hot rows, whose gradient is dense."""

    def build(self, shape):
        self.embeddings = self.add_weight(shape=(6, 3), name="embeddings")

    def call(self, ids):
        return ops.one_hot(ids, 6) @ self.embeddings


def embedding_model(layer, optimizer, **compile_arguments):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,), dtype="int32"), layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.set_weights([np.linspace(-1, 1, np.prod(w.shape)).reshape(w.shape) for w in model.weights])
    model.compile(optimizer, "mse", **compile_arguments)
    return model


MODES = [
    pytest.param({"run_eagerly": True}, id="eager"),
    pytest.param({"jit_compile": False}, id="graph"),
    pytest.param({"jit_compile": True}, id="xla"),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_an_embedding_trains_as_with_dense_gradients(cls, mode):
    if BACKEND == "torch" and mode.get("jit_compile"):
        pytest.skip("compiling a torch model needs a C++ toolchain and minutes")
    if BACKEND != "tensorflow" and mode.get("run_eagerly"):
        pytest.skip("gradients of Keras's Embedding are sparse on TensorFlow only; one mode is enough here")
    trained = []
    for layer in (keras.layers.Embedding(6, 3), OneHotEmbedding()):
        model = embedding_model(layer, cls(0.05), **mode)
        model.fit(IDS, TARGETS, batch_size=4, shuffle=False, epochs=2, verbose=0)
        trained.append(arrays(model.weights) + arrays(model.optimizer._slots[1]))
    for sparse, dense in zip(*trained, strict=True):
        np.testing.assert_allclose(sparse, dense, rtol=2e-5, atol=1e-6)


def repeated_rows():
    """Return one gradient twice: sparse with row 1 given twice, and dense."""
    rows = np.array([[1.0, 2.0], [3.0, -1.0], [10.0, 0.5]], "float32")
    dense = np.zeros((5, 2), "float32")
    np.add.at(dense, [1, 1, 4], rows)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.IndexedSlices(tf.constant(rows), tf.constant([1, 1, 4]), tf.constant([5, 2])), dense
    if BACKEND == "jax":
        from jax.experimental import sparse

        return sparse.BCOO((ops.convert_to_tensor(rows), np.array([[1], [1], [4]])), shape=(5, 2)), dense
    import torch

    return torch.sparse_coo_tensor(torch.tensor([[1, 1, 4]]), torch.tensor(rows), (5, 2)), dense


@pytest.mark.parametrize("settings", [{}, {"clipnorm": 3.0}, {"global_clipnorm": 3.0}, {"clipvalue": 2.0}])
def test_rows_given_twice_are_summed_before_they_are_squared_or_clipped(settings):
    results = []
    for g in repeated_rows():
        weights, optimizer = keras.Variable(np.ones((5, 2), "float32")), AMSGrad(0.1, **settings)
        optimizer.apply([ops.convert_to_tensor(g) if isinstance(g, np.ndarray) else g], [weights])
        results.append(arrays([weights, *(slots[0] for slots in optimizer._slots)]))
    for sparse, dense in zip(*results, strict=True):
        np.testing.assert_allclose(sparse, dense, rtol=1e-6)
