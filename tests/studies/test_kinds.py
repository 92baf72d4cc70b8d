"""Kinds of models and data that people bring: each trains by both engines as by a plain `fit`, or ends in one line."""

import sys
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers, ops

import keras_amsgrad
import studies
from keras_amsgrad.order import epoch_order
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.training.engines import Processes, Replicas
from studies.training.progress import Progress
from studies.training.repeats import repeat_fits
from studies.training.workspace import Workspace
from tests import own_models

ROWS, TRAINED = 96, 72
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 6)).astype("float32")
IMAGES = RANDOM.normal(size=(ROWS, 8, 8)).astype("float32")
TOKENS = RANDOM.integers(0, 50, (ROWS, 5))
CLASSES, TWO, TEN = np.arange(ROWS) % 3, np.arange(ROWS) % 2, np.arange(ROWS) % 10
ONE_HOT = np.eye(3)[CLASSES]
NUMBERS = (X[:, 0] + 0.1 * X[:, 1]).astype("float32")
TAGS = np.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 0] > -1], 1).astype(int)
GRID = {"learning_rate": [0.01], "beta_2": [0.999]}


def dense(outputs, activation=None, shape=(6,)):
    """Return a function that builds a small network."""

    def network():
        hidden = layers.Dense(8, "relu")
        return keras.Sequential([keras.Input(shape), hidden, layers.Dense(outputs, activation=activation)])

    return network


def without_input():
    return keras.Sequential([layers.Dense(8, "relu"), layers.Dense(3, "softmax")])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.last = layers.Dense(8, "relu"), layers.Dense(3, "softmax")

    def call(self, x):
        return self.last(self.hidden(x))


class Joining(Subclassed):
    """A subclassed model of several inputs."""

    def call(self, x):
        return super().call(ops.concatenate([x["left"], x["right"]], -1))


def two_inputs(as_dict=False):
    def network():
        left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
        outputs = layers.Dense(3, "softmax")(layers.Concatenate()([left, right]))
        return keras.Model({"left": left, "right": right} if as_dict else [left, right], outputs)

    return network


def tokens_and_numbers():
    tokens, numbers = keras.Input((5,), dtype="int32", name="tokens"), keras.Input((6,), name="numbers")
    read = layers.GlobalAveragePooling1D()(layers.Embedding(50, 4)(tokens))
    return keras.Model([tokens, numbers], layers.Dense(3, "softmax")(layers.Concatenate()([read, numbers])))


def of_tokens():
    read = layers.GlobalAveragePooling1D()
    return keras.Sequential([keras.Input((5,)), layers.Embedding(50, 4), read, layers.Dense(2, "softmax")])


def compiled(loss, outputs=3, activation="softmax", metrics=()):
    def network():
        model = dense(outputs, activation)()
        model.compile("sgd", loss, metrics=list(metrics))
        return model

    return network


def convolutional():
    return keras.Sequential(
        [
            *(keras.Input((8, 8)), layers.Reshape((8, 8, 1)), layers.Conv2D(4, 3, use_bias=False)),
            *(layers.BatchNormalization(), layers.ReLU(), layers.GlobalAveragePooling2D()),
            layers.Dense(10, "softmax"),
        ]
    )


def fourth_power(y, outputs):
    return ops.mean((y - outputs) ** 4, -1)


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return -(-len(self.y) // 10)

    def __getitem__(self, i):
        chosen = slice(10 * i, 10 * (i + 1))
        return keras.tree.map_structure(lambda part: part[chosen], self.x), self.y[chosen]


def stream(x, y):
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices((x, y)).batch(10)


@dataclass
class Kind:
    """A model with data as a user has them, and what a plain `fit` of it takes where that is something else."""

    model: Any
    x: Any
    y: Any = None
    how: dict[str, Any] = field(default_factory=dict)
    loss: Any = "sparse_categorical_crossentropy"
    plain_x: Any = None
    plain_y: Any = None


SPARSE, BINARY = keras.losses.SparseCategoricalCrossentropy, keras.losses.BinaryCrossentropy
PAIR = {"left": X[:, :4], "right": X[:, 4:]}
SMOOTH = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
KINDS = {
    "softmax": lambda: Kind(dense(3, "softmax"), X, CLASSES),
    "logits": lambda: Kind(dense(3), X, CLASSES, {"from_logits": True}, SPARSE(from_logits=True)),
    "one sigmoid": lambda: Kind(dense(1, "sigmoid"), X, TWO, loss="binary_crossentropy"),
    "one logit": lambda: Kind(dense(1), X, TWO, {"from_logits": True}, BINARY(from_logits=True)),
    "two outputs for two classes": lambda: Kind(dense(2, "softmax"), X, TWO),
    "compiled": lambda: Kind(compiled("sparse_categorical_crossentropy"), X, CLASSES),
    "compiled for logits": lambda: Kind(
        compiled(SPARSE(from_logits=True), activation=None), X, CLASSES, loss=SPARSE(from_logits=True)
    ),
    "compiled for one-hot": lambda: Kind(
        compiled("categorical_crossentropy", metrics=["accuracy"]), X, ONE_HOT, loss="categorical_crossentropy"
    ),
    "without an Input": lambda: Kind(without_input, X, CLASSES),
    "subclassed": lambda: Kind(Subclassed, X, CLASSES),
    "subclassed, several inputs": lambda: Kind(Joining, PAIR, CLASSES),
    "several inputs by name": lambda: Kind(two_inputs(), PAIR, CLASSES),
    "several inputs, a dictionary in the model": lambda: Kind(two_inputs(as_dict=True), PAIR, CLASSES),
    "several inputs in a list": lambda: Kind(two_inputs(), list(PAIR.values()), CLASSES),
    "tokens and numbers": lambda: Kind(tokens_and_numbers, {"tokens": TOKENS, "numbers": X}, CLASSES),
    "tokens": lambda: Kind(of_tokens, TOKENS, TWO),
    "regression": lambda: Kind(dense(1), X, NUMBERS, loss="mse"),
    "regression of several numbers": lambda: Kind(dense(2), X, np.stack([NUMBERS, -NUMBERS], 1), loss="mse"),
    "autoencoder": lambda: Kind(dense(6), X, X, loss="mse"),
    "loss by name": lambda: Kind(dense(1), X, NUMBERS, {"loss": "mae"}, "mae"),
    "loss as an object": lambda: Kind(dense(1), X, NUMBERS, {"loss": keras.losses.Huber(0.3)}, keras.losses.Huber(0.3)),
    "loss of one's own": lambda: Kind(dense(1), X, NUMBERS, {"loss": fourth_power}, fourth_power),
    "smoothed labels": lambda: Kind(dense(3, "softmax"), X, ONE_HOT, {"loss": SMOOTH}, SMOOTH),
    "hinge of -1 and 1": lambda: Kind(dense(1, "tanh"), X, 2 * TWO - 1, {"loss": "hinge"}, "hinge"),
    "metrics": lambda: Kind(
        dense(3, "softmax"), X, ONE_HOT, {"metrics": [keras.metrics.AUC()]}, "categorical_crossentropy"
    ),
    "several labels": lambda: Kind(dense(3, "sigmoid"), X, TAGS, loss="binary_crossentropy"),
    "words as labels": lambda: Kind(dense(3, "softmax"), X, np.array(["cat", "dog", "eel"])[CLASSES], plain_y=CLASSES),
    "booleans": lambda: Kind(dense(1, "sigmoid"), X, TWO == 1, loss="binary_crossentropy", plain_y=TWO),
    "labels 1 to k": lambda: Kind(dense(3, "softmax"), X, CLASSES + 1, plain_y=CLASSES),
    "whole floats": lambda: Kind(dense(3, "softmax"), X, CLASSES.astype(float), plain_y=CLASSES),
    "labels in a column": lambda: Kind(dense(3, "softmax"), X, CLASSES[:, None], plain_y=CLASSES),
    "one-hot": lambda: Kind(dense(3, "softmax"), X, ONE_HOT, plain_y=CLASSES),
    "DataFrame": lambda: Kind(dense(3, "softmax"), pd.DataFrame(X), pd.Series(CLASSES), plain_x=X, plain_y=CLASSES),
    "lists": lambda: Kind(dense(3, "softmax"), X.tolist(), CLASSES.tolist(), plain_x=X, plain_y=CLASSES),
    "tf.data": lambda: Kind(dense(3, "softmax"), stream(X, CLASSES), plain_x=X, plain_y=CLASSES),
    "tf.data of several inputs": lambda: Kind(two_inputs(), stream(PAIR, CLASSES), plain_x=PAIR, plain_y=CLASSES),
    "PyDataset": lambda: Kind(dense(3, "softmax"), Batches(X, CLASSES), plain_x=X, plain_y=CLASSES),
    "PyDataset of several inputs": lambda: Kind(two_inputs(), Batches(PAIR, CLASSES), plain_x=PAIR, plain_y=CLASSES),
    "class weights": lambda: Kind(dense(3, "softmax"), X, CLASSES, {"class_weight": {0: 1, 1: 3, 2: 0.5}}),
    "residual": lambda: Kind(own_models.residual, IMAGES, TEN),
    "Transformer": lambda: Kind(own_models.transformer, IMAGES, TEN),
    "recurrent": lambda: Kind(own_models.recurrent, IMAGES, TEN),
    "convolutions and BatchNorm": lambda: Kind(convolutional, IMAGES, TEN),
    "frozen base": lambda: Kind(own_models.on_a_frozen_base, IMAGES, TEN),
    "callbacks": lambda: Kind(
        dense(3, "softmax"), X, CLASSES, {"callbacks": [keras.callbacks.ReduceLROnPlateau("loss")]}
    ),
    "optimizers as objects": lambda: Kind(
        dense(3, "softmax"), X, CLASSES, {"optimizers": ["Adam", keras_amsgrad.AMSGrad(weight_decay=0.01)]}
    ),
}


def fits(kind, folder):
    """Return what `compare` would run of a kind: the data, and one repeated fit of Adam."""
    how = {"grid": GRID, "seeds": 1, "epochs": 1, "verbose": 0} | kind.how
    with mock.patch.object(sys.modules["studies.compare"], "_run") as run, mock.patch("studies.results.results"):
        studies.compare(kind.model, *of(kind, slice(TRAINED)), *of(kind, slice(TRAINED, None)), out=folder, **how)
    (_, study, _), named = run.call_args
    arms = [arm.at(study.search.settings(arm)[0]) for arm in study.arms]
    return named["data"], repeat_fits(study, named["data"], arms)[:1]


def of(kind, rows):
    """Return x and y of some rows; a data set that gives both, made anew of them."""
    if kind.y is None:
        x, y = chosen(kind.plain_x, rows), kind.plain_y[rows]
        return (Batches(x, y) if isinstance(kind.x, Batches) else stream(x, y)), None
    return chosen(kind.x, rows), kind.y[rows]


def chosen(x, rows):
    if isinstance(x, list) and not isinstance(x[0], np.ndarray):
        return x[rows]
    return keras.tree.map_structure(lambda part: part[rows], x)


def trained(engine, data, work, folder):
    """Return the losses of the fit by an engine."""
    journal = Journal(folder / engine.name)
    with Progress("kinds", journal, work, quiet=True) as progress:
        engine.train(work, Workspace(data, journal, progress))
    history = journal.find(work[0]).history
    return [history[name][-1] for name in ("train_loss", "val_loss")]


def plain(kind):
    """Return the losses of Keras's own `fit` of what the user has."""
    x = keras.tree.map_structure(np.asarray, kind.x if kind.plain_x is None else kind.plain_x)
    y = np.asarray(kind.y if kind.plain_y is None else kind.plain_y)
    order = epoch_order(0, 0, TRAINED)
    keras.utils.set_random_seed(0)
    model = kind.model()
    if not model.built:
        model(chosen(x, slice(32)))
    model.compile(keras_amsgrad.Adam(0.01, beta_2=0.999), kind.loss)
    shuffled, test = chosen(x, order), chosen(x, slice(TRAINED, None))
    weight = kind.how.get("class_weight")
    validation = (test, y[TRAINED:])
    found = model.fit(
        shuffled, y[order], 32, shuffle=False, verbose=0, validation_data=validation, class_weight=weight
    ).history
    return [found["loss"][-1], found["val_loss"][-1]]


ONE_AFTER_ANOTHER = {"subclassed", "subclassed, several inputs"}  # by the engine `Replicas` too
# The others take a minute and a half together.
UNMARKED = {
    *("softmax", "one logit", "compiled for one-hot", "without an Input", "subclassed", "several inputs by name"),
    *("several inputs in a list", "loss of one's own", "hinge of -1 and 1", "metrics", "tf.data of several inputs"),
    "callbacks",
}


@pytest.mark.parametrize(
    "name", [name if name in UNMARKED else pytest.param(name, marks=pytest.mark.slow) for name in KINDS]
)
def test_both_engines_train_what_people_bring_as_plain_fit_does(name, tmp_path, monkeypatch):
    notes = []
    monkeypatch.setattr(Progress, "note", lambda self, text: notes.append(text))
    kind = KINDS[name]()
    data, work = fits(kind, tmp_path)
    expected = plain(kind)
    for engine in (Replicas(), Processes()):
        np.testing.assert_allclose(trained(engine, data, work, tmp_path), expected, rtol=1e-3, err_msg=engine.name)
    assert ["one after another" in note for note in notes] == [True] * (name in ONE_AFTER_ANOTHER)


def two_outputs():
    inputs = keras.Input((6,))
    return keras.Model(inputs, [layers.Dense(3)(inputs), layers.Dense(3)(inputs)])


def negative(y, outputs):
    return ops.mean((y - outputs) ** 2, -1) - 1e3


def of_two_numbers(y, outputs):
    return outputs


WRONG = {
    "two outputs": (Kind(two_outputs, X, CLASSES), "must have one output, not 2"),
    "words as inputs": (Kind(dense(3), X.astype(str), CLASSES), "x_train must hold numbers"),
    "one array for several inputs": (
        Kind(two_inputs(), X, CLASSES),
        "has 2 inputs: x_train must be a dictionary of arrays with the names left, right, or a list",
    ),
    "several arrays for one input": (Kind(dense(3), PAIR, CLASSES), "has 1 input, and x_train 2"),
    "another name of an input": (
        Kind(two_inputs(), {"left": X[:, :4], "rigth": X[:, 4:]}, CLASSES),
        "has no input rigth; its inputs are left, right; did you mean right?",
    ),
    "another shape of an input": (
        Kind(two_inputs(), {"left": X, "right": X[:, 4:]}, CLASSES),
        r"takes rows of shape \(4,\); those of x_train\['left'\] have shape \(6,\)",
    ),
    "inputs of unlike lengths": (
        Kind(two_inputs(), {"left": X[:9, :4], "right": X[:, 4:]}, CLASSES),
        "inputs in x_train must have the same number of rows, not {'left': 9, 'right': 72}",
    ),
    "no such loss": (Kind(dense(1), X, NUMBERS, {"loss": "mee"}), "There is no loss 'mee' in Keras"),
    "several losses": (Kind(dense(1), X, NUMBERS, {"loss": ["mse"]}), "The loss must be one of Keras, for one output"),
    "a loss for other targets": (
        Kind(dense(3, "softmax"), X, CLASSES, {"loss": SMOOTH}),
        "The loss categorical_crossentropy fails on the first rows: ValueError",
    ),
    "a loss of each output": (
        Kind(dense(2), X, np.stack([NUMBERS, NUMBERS], 1), {"loss": of_two_numbers}),
        r"The loss must give a number for each row, not the shape \(32, 2\) for 32 rows",
    ),
    "a negative loss": (
        Kind(dense(2), X, np.stack([NUMBERS, NUMBERS], 1), {"loss": negative}),
        "The loss is negative, and losses are compared by their ratio: add a constant to it",
    ),
    "logits said twice": (
        Kind(dense(3), X, CLASSES, {"loss": SPARSE(from_logits=True), "from_logits": True}),
        "from_logits is for the usual loss",
    ),
    "no list of metrics": (Kind(dense(1), X, NUMBERS, {"metrics": "mae"}), "metrics must be a list, not 'mae'"),
    "no such metric": (Kind(dense(1), X, NUMBERS, {"metrics": ["mee"]}), "There is no metric 'mee' in Keras"),
    "a metric of several numbers": (
        Kind(dense(3, "softmax"), X, ONE_HOT, {"metrics": [keras.metrics.F1Score()]}),
        r"The metric f1_score must give one number, not the shape \(3,\)",
    ),
    "no callback": (
        Kind(dense(3, "softmax"), X, CLASSES, {"callbacks": [print]}),
        "callbacks must hold objects of keras.callbacks.Callback, not <built-in function print>",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_compared_ends_in_one_line_that_says_what_to_do(name, tmp_path):
    kind, said = WRONG[name]
    with pytest.raises(StudyError, match=said) as refused:
        fits(kind, tmp_path)
    assert "\n" not in str(refused.value)
