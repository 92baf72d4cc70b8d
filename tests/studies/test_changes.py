"""What changes a comparison of one's own changes the names of all its records: none is taken for another's."""

import sys
import tempfile
from unittest import mock

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

import studies
from studies.data.dataset import Dataset
from studies.records.journal import key
from studies.training.repeats import repeat_fits
from studies.training.search import search_fits
from tests.own_models import QUICK


def scaled(factor):
    """Return a loss of one's own."""

    def loss(y, outputs):
        return factor * keras.losses.sparse_categorical_crossentropy(y, outputs)

    return loss


ROWS = 24
OF_COMPARE = ("batch_size", "epochs", "class_weight", "loss", "metrics", "callbacks")
NETWORK = {"units": 3, "activation": "relu", "rate": 0.1, "l2": 0.0, "scale": 1.0, "constant": 0.5, "softmax": True}
NEW = {  # another value of each choice
    "units": st.sampled_from([2, 4]),
    "activation": st.sampled_from(["tanh", "elu"]),
    "rate": st.sampled_from([0.0, 0.2]),
    "l2": st.sampled_from([1e-4, 1e-3]),
    "scale": st.floats(1.1, 2.0),
    "constant": st.floats(0.6, 2.0),
    "softmax": st.just(False),
    "batch_size": st.sampled_from([4, 16]),
    "epochs": st.sampled_from([2, 3]),
    "x": st.tuples(st.integers(0, ROWS - 1), st.integers(0, 3), st.floats(0.1, 5)),
    "y": st.integers(0, ROWS - 1),
    "class_weight": st.sampled_from([{0: 2.0}, {1: 0.5}]),
    "loss": st.floats(0.5, 2.0).map(scaled),
    "metrics": st.sampled_from([["sparse_categorical_accuracy"], [keras.metrics.SparseTopKCategoricalAccuracy(k=1)]]),
    "callbacks": st.integers(1, 9).map(lambda patience: [keras.callbacks.ReduceLROnPlateau("loss", patience=patience)]),
    "keras": st.sampled_from(["3.99.0", "4.0.0"]),
}


def keys(**changes):
    """Return the names of all records of a comparison, with some of its choices changed; nothing is trained."""
    chosen = NETWORK | {name: value for name, value in changes.items() if name in NETWORK}
    how = QUICK | {name: value for name, value in changes.items() if name in OF_COMPARE}

    def network():
        last = layers.Dense(2, "softmax" if chosen["softmax"] else None)
        own = layers.Lambda(lambda x: x * chosen["scale"])
        init = keras.initializers.Constant(chosen["constant"])
        hidden = layers.Dense(chosen["units"], chosen["activation"], bias_initializer=init)
        hidden.kernel_regularizer = keras.regularizers.L2(chosen["l2"]) if chosen["l2"] else None
        return keras.Sequential([keras.Input((4,)), hidden, own, layers.Dropout(chosen["rate"]), last])

    x, y = np.random.default_rng(0).normal(size=(ROWS, 4)), np.arange(ROWS) % 2
    if "x" in changes:
        row, column, step = changes["x"]
        x[row, column] += step
    if "y" in changes:
        y[changes["y"]] = 1 - y[changes["y"]]
    with (
        mock.patch.object(sys.modules["studies.compare"], "_run") as run,
        mock.patch.object(keras, "__version__", changes.get("keras", keras.__version__)),
        tempfile.TemporaryDirectory() as folder,
        mock.patch("studies.results.results"),
    ):
        studies.compare(network, x, y, out=folder, verbose=0, from_logits=not chosen["softmax"], **how)
    (_, study, _), named = run.call_args
    data: Dataset = named["data"]
    searched = [fit for arm in study.arms for fit in search_fits(study, data, arm)]
    arms = [arm.at(study.search.settings(arm)[0]) for arm in study.arms]
    return {key(fit) for fit in [*searched, *repeat_fits(study, data, arms)]}


def test_the_same_comparison_has_the_same_records():
    assert keys() == keys()


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(NEW)).flatmap(lambda name: st.tuples(st.just(name), NEW[name])))
def test_a_change_of_anything_reuses_no_record(change):
    name, value = change
    assert not keys() & keys(**{name: value})


@settings(deadline=None, max_examples=8)
@given(st.sampled_from(["loss", "metrics", "callbacks"]).flatmap(lambda name: st.tuples(st.just(name), NEW[name])))
def test_what_is_watched_in_another_way_reuses_no_record(change):
    top = [keras.metrics.SparseTopKCategoricalAccuracy(k=2)]
    other = {"loss": scaled(3.0), "metrics": top, "callbacks": [keras.callbacks.EarlyStopping("loss")]}
    name, value = change
    assert not keys(**{name: other[name]}) & keys(**{name: value})
    assert keys(**{name: value}) == keys(**{name: value})
