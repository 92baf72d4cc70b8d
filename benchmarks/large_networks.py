"""Compare both engines of `studies compare` on large networks, where a step is long: seconds of a whole comparison.

    python benchmarks/large_networks.py [NETWORK ...]

A comparison is Adam against AMSGrad on made-up images (32, 32, 3): 6 fits of the search, 2 repeated runs. MobileNetV2
sees 48 rows for one epoch, the others 480 rows for four.
"""

import sys
import tempfile
import time
from collections.abc import Callable

import keras
import numpy as np
from keras import layers

import studies

SHAPE = (32, 32, 3)


def mobile_net() -> keras.Model:
    return keras.applications.MobileNetV2(SHAPE, weights=None, classes=2)


def convolutional() -> keras.Model:
    blocks = [
        each
        for filters in (32, 64, 128)
        for each in (layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D())
    ]
    last = layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(2, "softmax")
    return keras.Sequential([keras.Input(SHAPE), *blocks, *last])


def residual() -> keras.Model:
    inputs = keras.Input(SHAPE)
    h = layers.Conv2D(16, 3, padding="same")(inputs)
    for _ in range(6):
        inner = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(h)))
        h = h + layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(inner))
    return keras.Model(inputs, layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(h)))


def wide() -> keras.Model:
    hidden = layers.Dense(2048, "relu"), layers.Dense(2048, "relu")
    return keras.Sequential([keras.Input(SHAPE), layers.Flatten(), *hidden, layers.Dense(2, "softmax")])


NETWORKS = {network.__name__: network for network in (mobile_net, convolutional, residual, wide)}


def seconds(network: Callable[[], keras.Model], engine: str) -> float:
    rows, epochs = (48, 1) if network is mobile_net else (480, 4)
    x = np.random.default_rng(0).normal(size=(rows, *SHAPE)).astype("float32")
    grid = {"learning_rate": [0.001], "beta_2": [0.999]}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        how = {"grid": grid, "seeds": 1, "epochs": epochs, "batch_size": 16, "engine": engine, "verbose": 0}
        studies.compare(network, x, np.arange(rows) % 2, out=out, **how)
    return time.perf_counter() - started


def main() -> None:
    print("| network | weights | replicas | gridsearch | ratio |\n|---|---|---|---|---|")
    for name in sys.argv[1:] or NETWORKS:
        network = NETWORKS[name]
        replicas, gridsearch = seconds(network, "replicas"), seconds(network, "gridsearch")
        weights = network().count_params()
        print(f"| `{name}` | {weights:,} | {replicas:.0f} s | {gridsearch:.0f} s | {gridsearch / replicas:.2f} |")


if __name__ == "__main__":
    main()
