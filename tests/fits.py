"""Networks of digits, trained by `model.fit` and as replicas, for tests that compare the two."""

import functools

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

from keras_amsgrad.order import epoch_order
from keras_amsgrad.replicas import Replica, train

TRAINING, VALIDATION = np.arange(300), np.arange(300, 500)
BATCH = 64  # 300 rows: the last batch of an epoch has 44
EPOCHS = 3


@functools.cache
def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y.astype("int32")


def network(*hidden):
    return keras.Sequential([keras.Input((64,)), *hidden, layers.Dense(10, activation="softmax")])


def logistic():
    return network()


def feedforward():
    return network(layers.Dense(20, activation="relu"))


def normalized():
    # A bias before the normalization has no gradient but rounding, which Adam would blow up.
    return network(layers.Dense(20, use_bias=False), layers.BatchNormalization(momentum=0.5), layers.ReLU())


def with_dropout():
    return network(layers.Dense(20, activation="relu"), layers.Dropout(0.5), layers.Dense(10, kernel_regularizer="l2"))


def convolutional():
    return network(layers.Reshape((8, 8, 1)), layers.RandomFlip("horizontal"), layers.Conv2D(4, 3), layers.Flatten())


class Batches(keras.utils.PyDataset):
    """Batches for `model.fit` in the order that replicas use."""

    def __init__(self, seed):
        super().__init__()
        self.seed, self.epoch = seed, 0

    def __len__(self):
        return -(-len(TRAINING) // BATCH)

    def __getitem__(self, i):
        x, y = digits()
        rows = TRAINING[epoch_order(self.seed, self.epoch, len(TRAINING))][i * BATCH : (i + 1) * BATCH]
        return x[rows], y[rows]


def fit(model, optimizer, seed, callbacks=(), epochs=EPOCHS):
    """Return the history that `model.fit` gives."""
    keras.utils.set_random_seed(seed)
    network, batches = model(), Batches(seed)
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    clock = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch))
    x, y = digits()
    history = network.fit(
        batches,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        validation_data=(x[VALIDATION], y[VALIDATION]),
        callbacks=[clock, *callbacks],
    )
    return history.history, network


def replicas(optimizers, seed=3):
    return [Replica(optimizer, seed, TRAINING, VALIDATION, VALIDATION) for optimizer in optimizers]


def trained(model, optimizers, seed=3, **arguments):
    return train(model, replicas(optimizers, seed), *digits(), batch_size=BATCH, **{"epochs": EPOCHS, **arguments})


def assert_same_history(outcome, history, tolerance=1e-4):
    assert set(outcome.history) == set(history)
    for name, values in history.items():
        np.testing.assert_allclose(outcome.history[name], values, rtol=tolerance, err_msg=name)
