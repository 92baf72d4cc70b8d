"""Problems with made-up series of known structure. Each data function returns x (rows, steps, channels), y."""

import keras
import numpy as np
from keras import layers

from studies.lineup.layers import attended
from studies.lineup.tabular import Rows

STEPS = 40  # of series with a shape or a burst


def shifted_shapes(rows: int = 1200, classes: int = 10) -> Rows:
    """Return series (rows, 40, 1) in which one of ten shapes stands at a random place, scaled, on noise.

    The idea is that of MNIST-1D (Greydanus and Kobak 2020, https://arxiv.org/abs/2011.14439): templates of 12 steps are
    padded, scaled, shifted and made noisy, so that a network does better that knows of shifts. These templates are
    smooth random curves.
    """
    random = np.random.default_rng(0)
    knots = random.normal(size=(classes, 5))
    templates = np.stack([np.interp(np.linspace(0, 4, 12), np.arange(5), each) for each in knots])
    y = np.arange(rows) % classes
    x = 0.25 * random.normal(size=(rows, STEPS))
    for row, shape in zip(x, templates[y], strict=True):
        length = random.integers(10, 17)
        start = random.integers(0, STEPS - length + 1)
        stretched = np.interp(np.linspace(0, 11, length), np.arange(12), shape)
        row[start : start + length] += random.uniform(0.75, 1.25) * stretched
    return x[..., None].astype("float32"), y


def convolutional_network() -> keras.Sequential:
    """Return two convolutions of 12 and 16 filters over five steps, every second place, and a linear layer."""
    return keras.Sequential(
        [
            keras.Input((STEPS, 1)),
            layers.Conv1D(12, 5, strides=2, activation="relu"),
            layers.Conv1D(16, 5, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def adding(rows: int = 1200, steps: int = 6) -> Rows:
    """Return the adding problem: x (rows, 6, 2) has numbers and marks, y (rows,) is the sum of the two marked numbers.

    Numbers are uniform between -1 and 1; one mark is in the first half, one in the second; noise on the sum has the
    standard deviation .1. Source: Hochreiter and Schmidhuber 1997, section 5.4, https://doi.org/10.1162/neco.1997.9.8.1735.
    """
    random = np.random.default_rng(0)
    numbers, marks = random.uniform(-1, 1, (rows, steps)), np.zeros((rows, steps))
    for half in (0, steps // 2):
        marks[np.arange(rows), half + random.integers(0, steps // 2, rows)] = 1
    y = (numbers * marks).sum(1) + 0.1 * random.normal(size=rows)
    return np.stack([numbers, marks], axis=-1).astype("float32"), y.astype("float32")


def gru_network() -> keras.Sequential:
    """Return a GRU of 12 units, unrolled over its 6 steps, and a linear output."""
    return keras.Sequential([keras.Input((6, 2)), layers.GRU(12, unroll=True), layers.Dense(1)])


def bursts(rows: int = 1600, classes: int = 4) -> Rows:
    """Return noise (rows, 40, 1) with a burst of 10 steps at a random place; y is which of four frequencies it has."""
    random = np.random.default_rng(0)
    y = np.arange(rows) % classes
    x = 0.5 * random.normal(size=(rows, STEPS))
    for row, kind in zip(x, y, strict=True):
        start = random.integers(0, STEPS - 9)
        row[start : start + 10] += np.sin(np.arange(10) * (0.6 + 0.6 * kind) + random.uniform(0, 2 * np.pi))
    return x[..., None].astype("float32"), y


def attention_network() -> keras.Model:
    """Return patches of 4 steps, 24 features each, one attention head, their mean, and a linear layer."""
    inputs = keras.Input((STEPS, 1))
    patches = layers.Dense(24, activation="relu")(layers.Reshape((STEPS // 4, 4))(inputs))
    gathered = layers.Add()([patches, attended(patches, 24)])
    hidden = layers.Dense(24, activation="relu")(gathered)
    return keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling1D()(hidden)))
