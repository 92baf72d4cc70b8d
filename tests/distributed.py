"""Train with every optimizer on one and on two devices, and print how far the weights differ, as JSON.

A program of its own, because the number of devices has to be known before a backend starts.
"""

import contextlib
import json
import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import keras
import numpy as np

from tests.models import BACKEND, OPTIMIZERS, arrays, dense_model, fit

SETTINGS = {"weight_decay": 0.01, "clipnorm": 1.0, "use_ema": True}


def trained(cls, **settings):
    model = dense_model(cls(0.01, **settings))
    fit(model, epochs=2)
    return arrays(model.weights) + arrays(model.optimizer.variables)


def difference(first, second):
    return max(float(np.abs(one - other).max()) for one, other in zip(first, second, strict=True))


def on_two_devices():
    """Have models train on two devices from now on. Returns (strategy of TensorFlow or None, number of devices)."""
    if BACKEND == "jax":
        parallel = keras.distribution.DataParallel()
        keras.distribution.set_distribution(parallel)
        return None, parallel.device_mesh.devices.size
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    return strategy, strategy.num_replicas_in_sync


def main():
    if BACKEND == "tensorflow":
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    alone = [trained(cls, **SETTINGS) for cls in OPTIMIZERS]
    strategy, devices = on_two_devices()
    result = {"devices": int(devices)}
    for cls, expected in zip(OPTIMIZERS, alone, strict=True):
        with strategy.scope() if strategy else contextlib.nullcontext():
            result[cls.__name__] = difference(expected, trained(cls, **SETTINGS))
    if strategy is not None:
        result["refused"] = refused(strategy)
    json.dump(result, sys.stdout)


def refused(strategy):
    """Return what is said to updates under a condition, which TensorFlow cannot do on mirrored variables."""
    said = []
    for settings in ({"gradient_accumulation_steps": 2}, {"use_ema": True, "ema_overwrite_frequency": 2}):
        try:
            with strategy.scope():
                trained(OPTIMIZERS[0], **settings)
        except ValueError as error:
            said.append(str(error))
    return said


if __name__ == "__main__":
    main()
