"""Problems with made-up texts, whole numbers (rows, words), whose words have the frequencies of Zipf's law."""

import keras
import numpy as np
from keras import layers

from studies.lineup.layers import attended
from studies.lineup.tabular import Rows

VOCABULARY = 400
LENGTH = 12  # words in a text
WRONG = 0.1  # share of labels
KINDS = 16  # of words in texts with a recurring one


def rare(rows: int = 2000) -> Rows:
    """Return texts of 12 words, and which of two classes the one rare word in each is of: one of 200 rare words."""
    return _texts(rows, deciding=np.arange(VOCABULARY - 200, VOCABULARY))


def common(rows: int = 2000) -> Rows:
    """Return texts of 12 words, and which of two classes the one deciding word in each is of: the 10 most common."""
    return _texts(rows, deciding=np.arange(10))


def _texts(rows: int, deciding: np.ndarray) -> Rows:
    """Return texts with one deciding word each; a word of rank k, from 1, is as frequent as 1 / k among its like.

    Half of the `deciding` words are of class 0, the others of class 1. All other words say nothing of the class, and a
    tenth of the labels is wrong.
    """
    random = np.random.default_rng(0)
    others = np.setdiff1d(np.arange(VOCABULARY), deciding)
    x = random.choice(others, (rows, LENGTH), p=_zipf(others))
    decides = random.choice(len(deciding), rows, p=_zipf(deciding))
    x[np.arange(rows), random.integers(0, LENGTH, rows)] = deciding[decides]
    return x, np.where(random.random(rows) < WRONG, 1 - decides % 2, decides % 2)


def _zipf(words: np.ndarray) -> np.ndarray:
    """Return the probabilities of words, whose numbers are their ranks from 0, by Zipf's law."""
    frequencies = 1 / (1 + words)
    return frequencies / frequencies.sum()


def embedding_network() -> keras.Sequential:
    """Return the mean of 16 features of each word, 16 ReLU units, and a linear layer."""
    body = [layers.Embedding(VOCABULARY, 16), layers.GlobalAveragePooling1D(), layers.Dense(16, "relu")]
    return keras.Sequential([keras.Input((LENGTH,), dtype="int32"), *body, layers.Dense(2)])


def recurring(rows: int = 2000) -> Rows:
    """Return texts of 12 words, and whether the first word comes again: in half of them.

    A first word has the number of its kind plus 16, so that a network without places can tell it from the others.
    """
    random = np.random.default_rng(0)
    first, y = random.integers(0, KINDS, rows), np.arange(rows) % 2
    rest = (first[:, None] + random.integers(1, KINDS, (rows, LENGTH - 1))) % KINDS  # none is the first
    rest[np.arange(rows), random.integers(0, LENGTH - 1, rows)] = np.where(y, first, rest[:, 0])
    return np.concatenate([first[:, None] + KINDS, rest], axis=1), y


def transformer_network() -> keras.Model:
    """Return a Transformer block with one head of 24 features, after Vaswani and others 2017, and a linear layer."""
    inputs = keras.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(2 * KINDS, 24)(inputs)
    x = layers.LayerNormalization()(layers.Add()([x, attended(x, 24)]))
    hidden = layers.Dense(24)(layers.Dense(48, activation="relu")(x))
    x = layers.LayerNormalization()(layers.Add()([x, hidden]))
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
