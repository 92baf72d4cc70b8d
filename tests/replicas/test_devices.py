"""Several GPUs of one machine take a chunk each. Two devices on the CPU stand for them."""

import os
import subprocess
import sys
import textwrap

import pytest

from keras_amsgrad.replicas import backends

PROGRAM = textwrap.dedent(
    """
    import os
    import keras
    import numpy as np

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        halves = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
    from keras_amsgrad import Adam
    from keras_amsgrad.replicas import Replica, backends, threads, train

    chance = np.random.default_rng(0)
    x, y = chance.normal(size=(200, 5)).astype("float32"), chance.integers(0, 3, 200)

    def model():
        return keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, activation="softmax")])

    def losses():
        replicas = [Replica(Adam(rate), seed, range(150), range(150, 200)) for seed in (0, 1) for rate in (0.1, 0.01)]
        return [outcome.history["val_loss"] for outcome in train(model, replicas, x, y, epochs=3, together=2)]

    alone, used, device = losses(), [], keras.device
    keras.device = lambda name: used.append(name) or device(name)
    backends.gpus = lambda: ["cpu:0", "cpu:1"]
    np.testing.assert_allclose(losses(), alone, rtol=1e-5)
    assert sorted(used) == ["cpu:0", "cpu:1"], used
    """
)


@pytest.mark.slow
@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
def test_chunks_train_on_two_devices_with_the_numbers_of_one(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    two = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run([sys.executable, program], env=os.environ | two, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
