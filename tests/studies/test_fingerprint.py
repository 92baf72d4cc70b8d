"""What tells a network from another: whatever changes its results does, and names that Keras counts do not."""

import linecache
import random
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

from studies.errors import StudyError
from studies.networks import own as models
from studies.networks.fingerprint import fingerprint
from tests import own_models
from tests.own_models import HERE

SCALE = 2.0


def scaled(x):
    return SCALE * x


class Scaled(layers.Layer):
    def call(self, x):
        return scaled(x)


class Named(layers.Layer):
    def build(self, shape):
        self.shift = self.add_weight(shape=(4,), initializer="zeros")  # Keras counts its name

    def call(self, x):
        return x + self.shift


class Powers(keras.initializers.Initializer):
    def __init__(self, base):
        self.base = base

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, dtype=dtype) ** self.base


def told(*made):
    """Return the fingerprint of a network of these layers, made anew for every build."""
    return fingerprint("it", lambda: keras.Sequential([keras.Input((4,)), *(each() for each in made), layers.Dense(2)]))


def frozen(value):
    layer = layers.Dense(4, trainable=False)
    layer.build((None, 4))
    layer.set_weights([np.full((4, 4), value), np.zeros(4)])
    return layer


def adapted(layer, data):
    layer.adapt(np.asarray(data, "float32"))
    return layer


def set_statistics(mean):
    layer = layers.BatchNormalization()
    layer.build((None, 4))
    layer.moving_mean.assign(np.full(4, mean))
    return layer


BOTH = dict(one=lambda x: x, two=lambda x: x + 1)  # noqa: C408 - of one line


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(frozen, id="weights of a frozen layer"),
        pytest.param(set_statistics, id="statistics of a batch normalization"),
        pytest.param(lambda n: layers.Activation(f := ["relu", "tanh"][n], name=f), id="an activation named so"),
        pytest.param(lambda n: layers.Lambda(BOTH[["one", "two"][n]]), id="functions of one line"),
        pytest.param(lambda n: layers.Lambda(lambda x: x + n), id="what a function encloses"),
        pytest.param(lambda n: layers.Lambda(lambda x, by=n: x + by), id="a default argument"),
        pytest.param(lambda n: layers.Dense(4, kernel_initializer=Powers(n)), id="an initializer's attribute"),
        pytest.param(lambda n: adapted(layers.Normalization(), [[0, 1, 2, 3], [n, 0, 0, 0]]), id="adapted moments"),
        pytest.param(
            lambda n: adapted(layers.Discretization(num_bins=3), range(0, 9 + n, 1 + n)), id="adapted boundaries"
        ),
        pytest.param(lambda n: layers.Dropout(0.5, seed=n), id="a seed of its own"),
    ],
)
def test_other_numbers_or_functions_are_another_network(make):
    assert told(lambda: make(0)).hash_ == told(lambda: make(0)).hash_ != told(lambda: make(1)).hash_


@pytest.mark.parametrize("make", [lambda: layers.Lambda(scaled), lambda: layers.Activation(scaled), Scaled])
def test_a_global_that_a_function_names_belongs_to_the_network(make, monkeypatch):
    first = told(make)
    monkeypatch.setattr(sys.modules[__name__], "SCALE", 3.0)
    assert told(make).hash_ != first.hash_


def functional(column=0, axis=-1):
    inputs = keras.Input((6, 4))
    x = layers.LayerNormalization()(inputs + layers.MultiHeadAttention(2, 3)(inputs, inputs))
    dense = layers.Dense(4)
    x = dense(ops.relu(dense(x)) + x)
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    return keras.Model(inputs, ops.softmax(inner(x[:, column]), axis=axis))


def test_operators_slices_and_attention_are_the_same_in_every_build_and_differ_by_what_they_do():
    first = fingerprint("it", functional)
    assert fingerprint("it", functional) == first
    assert not first.unknown
    assert fingerprint("it", lambda: functional(column=1)).hash_ != first.hash_
    assert fingerprint("it", lambda: functional(axis=0)).hash_ != first.hash_


def test_weights_whose_names_keras_counts_are_the_same_network():
    assert told(Named).hash_ == told(Named).hash_


def test_another_process_finds_the_same_fingerprint():
    program = f"from studies.networks import own as models; print(models.identified('{__name__}:functional'))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split()[-1] == models.identified(f"{__name__}:functional")


def test_random_numbers_go_on_as_if_nothing_had_been_built():
    keras.utils.set_random_seed(7)
    expected = random.random(), np.random.rand(), float(keras.random.normal(()))  # noqa: NPY002
    keras.utils.set_random_seed(7)
    told(lambda: layers.Dropout(0.5))
    assert (random.random(), np.random.rand(), float(keras.random.normal(()))) == expected  # noqa: NPY002


def test_other_weights_under_the_same_seed_are_no_model_to_compare():
    numbers = np.random.default_rng(0)
    with pytest.raises(StudyError, match=r"same model every time: its weight 0 .* differs under the same seed"):
        told(lambda: frozen(numbers.normal()))


@pytest.mark.parametrize("lines", [[], ["something = 'else'\n"]], ids=["nothing kept", "another's lines kept"])
def test_what_has_no_source_is_said_and_good_for_one_run_only(lines, monkeypatch, capsys):
    if lines:  # that other code was compiled from under the same name, as some libraries leave them
        monkeypatch.setitem(linecache.cache, "<string>", (len(lines[0]), None, lines, "<string>"))
    known = {}
    exec("def typed(x):\n    return 2 * x", known)
    monkeypatch.setattr(
        own_models, "typed", lambda: keras.Sequential([keras.Input((4,)), layers.Lambda(known["typed"])]), raising=False
    )
    first, second = models.identified(f"{HERE}:typed"), models.identified(f"{HERE}:typed")
    assert first != second
    assert capsys.readouterr().err.splitlines()[-1].endswith("the source of typed cannot be found.")
    assert models.network(second).output_shape == (None, 4)
