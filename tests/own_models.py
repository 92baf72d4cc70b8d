"""Models and arrays of one's own, good ones and such as no comparison takes, as MODULE:FUNCTION finds them."""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_diabetes, load_digits

HERE = __name__
UNITS = 8  # of `small`; a test changes it
NO_FUNCTION = 3
QUICK = {"grid": {"learning_rate": [0.01], "beta_2": [0.999]}, "seeds": 2, "epochs": 1}  # the least of a comparison


def small():
    return keras.Sequential([keras.Input((64,)), layers.Dense(UNITS), layers.Dense(10, activation="softmax")])


def one_output(activation="sigmoid"):
    return keras.Sequential([keras.Input((64,)), layers.Dense(1, activation=activation)])


def words():
    tokens = keras.Input((None,), dtype="int32")
    return keras.Model(tokens, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Embedding(50, 4)(tokens))))


def linear():
    return keras.Sequential([keras.Input((64,)), layers.Dense(10)])


def regressor(units=1, activation=None):
    return keras.Sequential(
        [keras.Input((10,)), layers.Dense(8, activation="relu"), layers.Dense(units, activation=activation)]
    )


def tagger(labels=3, activation="sigmoid"):
    return keras.Sequential([keras.Input((64,)), layers.Dense(labels, activation=activation)])


class Identity(layers.Layer):
    kernel = 3  # which a layer of one's own may mean as it likes

    def call(self, x):
        return x


def with_own_layer():
    return keras.Sequential([keras.Input((64,)), Identity(), layers.Dense(10, activation="softmax")])


def residual():
    inputs = keras.Input((8, 8))
    h = layers.Dense(8)(inputs)
    h = keras.ops.relu(h + inputs)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(h[:, 0]))


def transformer():
    inputs = keras.Input((8, 8))
    attended = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    h = layers.LayerNormalization()(inputs + attended)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(h)))


def recurrent():
    return keras.Sequential([keras.Input((8, 8)), layers.GRU(4), layers.Dense(10, activation="softmax")])


def augmented():
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Reshape((8, 8, 1)),
            layers.RandomTranslation(0.1, 0.1),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def on_a_frozen_base():
    base = keras.Sequential([layers.Flatten(), layers.Dense(16, "relu"), layers.BatchNormalization()])
    base.trainable = False
    return keras.Sequential([keras.Input((8, 8)), base, layers.Dense(10, activation="softmax")])


def broken():
    return layers.Dense("many")


A_MODEL = linear()  # in place of the function


def digits():
    x, y = load_digits(return_X_y=True)
    return x[:200] / 16, y[:200]


def tags():
    """Return digits with three labels of which a row may have several: even, above 4, round."""
    x, y = digits()
    return x, np.stack([y % 2 == 0, y > 4, np.isin(y, (0, 6, 8, 9))], 1)


def diabetes():
    x, y = load_diabetes(return_X_y=True)  # 442 rows; the targets are 25 to 346, whole
    return x[:200], y[:200]


def tokens():
    x = np.random.default_rng(0).integers(0, 50, (120, 6))
    return x, (x.sum(1) > 150).astype(int)
