"""Train a small network with AMSGrad, save it, load it, go on.

Run: python examples/minimal.py
"""

import tempfile
from pathlib import Path

import keras
from sklearn.datasets import load_digits

from keras_amsgrad import AMSGrad


def main():
    keras.utils.set_random_seed(0)
    images, labels = load_digits(return_X_y=True)
    x, y = images.astype("float32") / 16, labels

    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(100, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile(optimizer=AMSGrad(learning_rate=0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5, validation_split=0.2, verbose=2)

    # The file holds the optimizer's state too, so training goes on as if nothing had happened.
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "digits.keras")
        model = keras.saving.load_model(Path(folder) / "digits.keras")
    history = model.fit(x, y, epochs=10, initial_epoch=5, validation_split=0.2, verbose=2)
    print(f"validation accuracy after 10 epochs: {history.history['val_accuracy'][-1]:.3f}")


if __name__ == "__main__":
    main()
