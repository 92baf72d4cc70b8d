"""Train one model on all GPUs with TensorFlow's MirroredStrategy; without GPUs, on two logical CPU devices.

Every device holds the whole model and sees its share of each batch; the gradients are summed before the update.

Run: KERAS_BACKEND=tensorflow python examples/mirrored_strategy.py
"""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

from keras_amsgrad import AMSGrad


def devices():
    """Return the names of all GPUs, or of two logical devices made of the CPU. Before TensorFlow's first operation."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return [f"GPU:{k}" for k in range(len(gpus))]
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return ["CPU:0", "CPU:1"]


def main():
    strategy = tf.distribute.MirroredStrategy(devices())
    keras.utils.set_random_seed(0)
    images, labels = load_digits(return_X_y=True)

    # The model and its optimizer are made and compiled inside the scope; everything else is as usual.
    with strategy.scope():
        model = keras.Sequential(
            [keras.Input((64,)), keras.layers.Dense(100, "relu"), keras.layers.Dense(10, "softmax")]
        )
        model.compile(AMSGrad(learning_rate=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        images.astype("float32") / 16, labels, batch_size=128, epochs=10, validation_split=0.2, verbose=0
    )
    print(f"devices: {strategy.num_replicas_in_sync}")
    print(f"validation accuracy after 10 epochs: {history.history['val_accuracy'][-1]:.3f}")


if __name__ == "__main__":
    main()
