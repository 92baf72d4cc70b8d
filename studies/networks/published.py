"""The networks of the studies, by name: uncompiled Keras models that end in class probabilities, or in logits.

Each function returns the layers between images of a shape and the probabilities of `classes`.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

Shape = tuple[int, ...]


def network(
    name: str, input_shape: Shape, classes: int, *, flip: bool = False, l2: float = 0.0, logits: bool = False
) -> keras.Sequential:
    """Return a new network.

    Args:
        name: A name in `MODELS`.
        input_shape: (height, width) or (height, width, channels) of the images.
        classes: The number of classes.
        flip: Whether training images are mirrored left to right at random.
        l2: This times the sum of all squared weights is added to the loss.
        logits: Whether it ends in logits, in place of their softmax.
    """
    first, body = [layers.RandomFlip("horizontal")] if flip else [], MODELS[name](input_shape, classes)
    if logits:
        body = _without_softmax(body)
    model = keras.Sequential([keras.Input(input_shape), *first, *body])
    if l2:
        for variable in model.trainable_variables:
            variable.regularizer = keras.regularizers.L2(l2)
    return model


def _without_softmax(body: list[layers.Layer]) -> list[layers.Layer]:
    """Return layers that end in a softmax without it; their random numbers stay the same."""
    if isinstance(body[-1], layers.Softmax):
        return body[:-1]
    body[-1].activation = keras.activations.linear
    return body


def logistic(input_shape: Shape, classes: int) -> list[layers.Layer]:
    """Return multinomial logistic regression: one softmax layer."""
    return [layers.Flatten(), layers.Dense(classes, activation="softmax")]


def feedforward(input_shape: Shape, classes: int) -> list[layers.Layer]:
    """Return a network with one hidden layer of 100 ReLU units."""
    return [layers.Flatten(), layers.Dense(100, activation="relu"), layers.Dense(classes, activation="softmax")]


# Pérez, after Kingma and Ba


def mlp(input_shape: Shape, classes: int, dropout: float = 0.0) -> list[layers.Layer]:
    """Return a network with two hidden layers of 1,000 ReLU units, each with dropout after it."""
    hidden = [each for _ in range(2) for each in (layers.Dense(1000, activation="relu"), *_dropout(dropout))]
    return [layers.Flatten(), *hidden, layers.Dense(classes, activation="softmax")]


def cnn(input_shape: Shape, classes: int, dropout: float = 0.0) -> list[layers.Layer]:
    """Return a network of two convolutions and a hidden layer of 1,000 units with dropout after it."""
    convolutions = [
        each
        for _ in range(2)
        for each in (
            layers.Conv2D(64, 5, padding="same"),
            layers.MaxPooling2D(3, strides=2, padding="same"),
            layers.ReLU(),
        )
    ]
    hidden = [layers.Dense(1000, activation="relu"), *_dropout(dropout)]
    return [
        layers.Reshape((*input_shape, 1)),
        *convolutions,
        layers.Flatten(),
        *hidden,
        layers.Dense(classes, activation="softmax"),
    ]


def _dropout(rate: float) -> list[layers.Layer]:
    return [layers.Dropout(rate)] if rate else []


# CifarNet


def cifarnet_drawn(input_shape: Shape, classes: int) -> list[layers.Layer]:
    """Return CifarNet as Bennatan, Collin and Ng draw it."""
    return [
        layers.Conv2D(64, 6, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.BatchNormalization(),
        layers.Conv2D(64, 6, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(384, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(192, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes, activation="softmax"),
    ]


def cifarnet(input_shape: Shape, classes: int) -> list[layers.Layer]:
    """Return CifarNet as Reddi, Kale and Kumar describe it, and Korzeniowski trains it."""
    convolutions = [
        each
        for _ in range(2)
        for each in (
            layers.Conv2D(64, 6, activation="relu", kernel_initializer=he_normal()),
            LocalResponseNormalization(),
            layers.MaxPooling2D(2),
        )
    ]
    return [
        *convolutions,
        layers.Flatten(),
        layers.Dense(384, activation="relu", kernel_initializer=he_normal()),
        layers.Dropout(0.5),
        layers.Dense(192, activation="relu", kernel_initializer=he_normal()),
        layers.Dense(classes, activation="softmax"),
    ]


@keras.saving.register_keras_serializable("studies")
class LocalResponseNormalization(layers.Layer):
    """Divide by `(k + alpha s)^beta`, s the sum of squares over a window of channels around each one.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3. Shape and type stay; channels are the last axis.
    """

    def __init__(
        self, window: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.window, self.k, self.alpha, self.beta = window, k, alpha, beta

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        channels, around = x.shape[-1], self.window // 2
        squares = ops.pad(ops.square(x), [[0, 0]] * (len(x.shape) - 1) + [[around, around]])
        total = sum(squares[..., i : i + channels] for i in range(self.window))
        return x * (self.k + self.alpha * total) ** -self.beta

    def get_config(self) -> dict[str, Any]:
        own = {"window": self.window, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}


# Korzeniowski's VGG networks


def smallvgg(input_shape: Shape, classes: int) -> list[layers.Layer]:
    """Return Korzeniowski's SmallVgg: convolutions with batch normalization only."""
    body = [each for filters in (32, 64, 128) for each in (*_normalized(filters), *_normalized(filters), *_pooled())]
    return [*body, *_head(512, classes), layers.Softmax()]


def vgg(input_shape: Shape, classes: int) -> list[layers.Layer]:
    """Return Korzeniowski's Vgg."""
    blocks = [
        *_normalized(64),
        *_normalized(64),
        *_pooled(),
        layers.Conv2D(128, 3, padding="same", activation="relu", kernel_initializer=he_normal()),
        *_normalized(128),
        *_pooled(),
        *(each for _ in range(4) for each in _normalized(256)),
        *_pooled(),
    ]
    return [*blocks, *_head(1024, classes), layers.Dense(classes, activation="softmax")]


def _normalized(filters: int, size: int = 3, padding: str = "same") -> list[layers.Layer]:
    """Return a convolution without bias, batch normalization, ReLU."""
    return [
        layers.Conv2D(filters, size, padding=padding, use_bias=False, kernel_initializer=he_normal()),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-4),
        layers.ReLU(),
    ]


def _pooled() -> list[layers.Layer]:
    return [layers.MaxPooling2D(2), layers.Dropout(0.25)]


def _head(filters: int, classes: int) -> list[layers.Layer]:
    return [
        *_normalized(filters, 3, "valid"),
        layers.Dropout(0.5),
        *_normalized(filters, 1),
        layers.Dropout(0.5),
        *_normalized(classes, 1),
        layers.GlobalAveragePooling2D(),
    ]


def he_normal() -> keras.Initializer:
    """Return He's initializer with a normal distribution that is not cut off, unlike Keras's own."""
    return keras.initializers.VarianceScaling(2.0, mode="fan_in", distribution="untruncated_normal")


MODELS: dict[str, Callable[[Shape, int], list[layers.Layer]]] = {
    "logistic": logistic,
    "feedforward": feedforward,
    "mlp": mlp,
    "mlp-dropout": functools.partial(mlp, dropout=0.5),
    "cnn": cnn,
    "cnn-dropout": functools.partial(cnn, dropout=0.5),
    "cifarnet-drawn": cifarnet_drawn,
    "cifarnet": cifarnet,
    "smallvgg": smallvgg,
    "vgg": vgg,
}
