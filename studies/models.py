"""The networks of the studies, by name: uncompiled Keras models that end in class probabilities."""

import keras
from keras import layers


def logistic(input_shape, classes):
    """Return multinomial logistic regression: one softmax layer."""
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(classes, activation="softmax")])


def feedforward(input_shape, classes):
    """Return a network with one hidden layer of 100 ReLU units."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Flatten(),
            layers.Dense(100, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


MODELS = {"logistic": logistic, "feedforward": feedforward}
