"""Train one model on all devices with `keras.distribution.DataParallel` on JAX; without GPUs, on two CPU devices.

Every device holds the whole model and sees its share of each batch; the gradients are averaged before the update.

Run: KERAS_BACKEND=jax python examples/data_parallel.py
"""

import os

# Before JAX starts: without GPUs, make two devices of the CPU.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

import keras
from sklearn.datasets import load_digits

from keras_amsgrad import AMSGrad


def main():
    distribution = keras.distribution.DataParallel()
    keras.distribution.set_distribution(distribution)
    keras.utils.set_random_seed(0)
    # JAX wants every batch, the last ones too, to divide by the number of devices: 11 and 3 whole batches of 128.
    images, labels = (array[:1792] for array in load_digits(return_X_y=True))
    x, y, x_val, y_val = images[:1408] / 16, labels[:1408], images[1408:] / 16, labels[1408:]

    # From here on everything is as usual.
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(100, "relu"), keras.layers.Dense(10, "softmax")])
    model.compile(AMSGrad(learning_rate=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=128, epochs=10, validation_data=(x_val, y_val), verbose=0)
    print(f"devices: {distribution.device_mesh.devices.size}")
    print(f"validation accuracy after 10 epochs: {history.history['val_accuracy'][-1]:.3f}")


if __name__ == "__main__":
    main()
