"""Problems with scikit-learn's handwritten digits: 1,797 images of 8 x 8 pixels, 10 classes."""

import keras
import numpy as np
from keras import layers

from studies.lineup.layers import feedforward
from studies.lineup.tabular import Rows


def digits() -> Rows:
    """Return the pixels between 0 and 1, (1797, 64), and the classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y


def digits_network() -> keras.Sequential:
    """Return 64-64-64-10, ReLU."""
    return feedforward(64, (64, 64), 10)


def square_digits() -> Rows:
    """Return the pixels between 0 and 1, (1797, 8, 8, 1), and the classes."""
    x, y = digits()
    return x.reshape(-1, 8, 8, 1), y


def convolutional_network() -> keras.Sequential:
    """Return two convolutions of 8 and 16 filters, the first pooled, and a linear layer."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def copied_digits() -> Rows:
    """Return the pixels of the columns between the edges, and the same as what is to be predicted: (1797, 48) each.

    At the edges there are pixels that no image has ink in.
    """
    x, _ = digits()
    inner = x.reshape(-1, 8, 8)[:, :, 1:7].reshape(-1, 48)
    return inner, np.copy(inner)


def autoencoder_network() -> keras.Sequential:
    """Return 48-32-8-32-48, ReLU, linear at the bottleneck and at the end."""
    body = [layers.Dense(32, "relu"), layers.Dense(8), layers.Dense(32, "relu"), layers.Dense(48)]
    return keras.Sequential([keras.Input((48,)), *body])
