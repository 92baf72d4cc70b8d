"""A small model and data for tests of the optimizers in a model's life."""

import keras
import numpy as np
from keras import ops

import keras_amsgrad

OPTIMIZERS = [
    cls for cls in vars(keras_amsgrad).values() if isinstance(cls, type) and issubclass(cls, keras.optimizers.Optimizer)
]
BACKEND = keras.backend.backend()


def dense_model(optimizer=None, dtype=None, **compile_arguments):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8,)), keras.layers.Dense(16, "tanh", dtype=dtype), keras.layers.Dense(3, dtype=dtype)]
    model = keras.Sequential(layers)
    if optimizer is not None:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, **compile_arguments)
    return model


def classes():
    """Return inputs (64, 8) and labels (64,) that a linear model can tell apart."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 8)).astype("float32")
    return x, np.argmax(x[:, :3], axis=1)


def fit(model, epochs=1, batch_size=16):
    x, y = classes()
    return model.fit(x, y, batch_size=batch_size, epochs=epochs, shuffle=False, verbose=0).history["loss"]


def arrays(variables):
    return [np.asarray(ops.convert_to_numpy(ops.cast(variable, "float32"))) for variable in variables]


def state(optimizer):
    return [ops.convert_to_numpy(variable) for variable in optimizer.variables]


def walk(optimizer, gs, start):
    """Return the weights after each of the gradients `gs`, in float32: (steps, *shape of start)."""
    weights = keras.Variable(np.asarray(start, "float32"))
    path = []
    for g in np.asarray(gs, "float32"):
        optimizer.apply([ops.convert_to_tensor(g)], [weights])
        path.append(ops.convert_to_numpy(weights))
    return np.array(path)


def assert_same(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
