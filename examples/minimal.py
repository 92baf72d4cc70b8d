"""Train a small network with AMSGrad, save it, load it, go on. The data are made up: ten classes around ten points.

Run: python examples/minimal.py
"""

import tempfile
from pathlib import Path

import keras
import numpy as np

from keras_amsgrad import AMSGrad


def main():
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    y = random.integers(0, 10, 1800)
    x = (random.normal(size=(10, 64))[y] + 2 * random.normal(size=(1800, 64))).astype("float32")

    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(100, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile(optimizer=AMSGrad(learning_rate=0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5, validation_split=0.2, verbose=2)

    # The file holds the optimizer's state too, so training goes on as if nothing had happened.
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "small.keras")
        model = keras.saving.load_model(Path(folder) / "small.keras")
    history = model.fit(x, y, epochs=10, initial_epoch=5, validation_split=0.2, verbose=2)
    print(f"validation accuracy after 10 epochs: {history.history['val_accuracy'][-1]:.3f}")


if __name__ == "__main__":
    main()
