"""Equal fits have one name in every process, and whatever changes a fit changes its name."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from keras_amsgrad import AMSGrad
from keras_amsgrad.model_selection.fingerprints import FitNames
from keras_amsgrad.model_selection.fits import Candidate, Fit
from keras_amsgrad.model_selection.keras_wrappers import KerasWrapperAdapter
from keras_amsgrad.model_selection.pipelines import PipelineAdapter
from keras_amsgrad.model_selection.scikeras import ScikerasAdapter
from tests.replicas.test_own_fits import NAMES, X, classifier
from tests.replicas.test_pipelines import wrapped

ROWS = np.arange(100)
ADAPTERS = ScikerasAdapter, KerasWrapperAdapter, PipelineAdapter


def name(estimator=None, candidate=None, x=X, y=NAMES, rows=ROWS, weight=None, network=False):
    """Return the name of a fit; the network counts where that is asked for, because it takes longer."""
    estimator = classifier() if estimator is None else estimator
    adapter = next(each for each in ADAPTERS if each.adapts(estimator))(estimator, x, y, weight)
    adapter.draw_seed = lambda: 7
    names = FitNames(adapter)
    if network:
        names.add_network()
    return names.name(Fit(Candidate(candidate or {}), rows, rows[:0]))


class Largest:
    """A loss of somebody's own, an object."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, y_true, y_pred):
        return self.scale * keras.ops.max(y_pred, -1)


class Watching(keras.callbacks.Callback):
    """A callback of somebody's own."""

    def __init__(self, number):
        super().__init__()
        self.number = number


class Scaled(keras.losses.Loss):
    """A loss of somebody's own, of Keras's kind."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * keras.ops.mean(y_pred, -1)


def times(number):
    """A loss that encloses a number."""

    def loss(y_true, y_pred):
        return number * keras.ops.mean(y_pred, -1)

    return loss


def compiled(rate):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", name="a_name")])
    model.compile(AMSGrad(rate), "sparse_categorical_crossentropy")
    return model


def uncompiled(units):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(3)])


def transformed(power):
    return make_pipeline(FunctionTransformer(lambda x: x**power), PCA(random_state=0), classifier())


def custom(function):
    return classifier().set_params(model=function)


def one():
    return keras.Sequential([keras.layers.Dense(3, activation="softmax")])


def other():
    return keras.Sequential([keras.layers.Dense(3, activation="sigmoid")])


def scheduled(steps):
    return AMSGrad(keras.optimizers.schedules.CosineDecay(0.1, steps))


PAIRS = {
    "a parameter": [{"candidate": {"epochs": n}} for n in (2, 3)],
    "a parameter of the estimator": [{"estimator": classifier(batch_size=n)} for n in (2, 3)],
    "a number of the optimizer": [{"candidate": {"optimizer__beta_2": b}} for b in (0.9, 0.9000000001)],
    "an optimizer": [{"candidate": {"optimizer": AMSGrad(a)}} for a in (0.1, 0.2)],
    "a schedule": [{"candidate": {"optimizer": scheduled(n)}} for n in (10, 20)],
    "an optimizer of Keras's": [{"candidate": {"optimizer": keras.optimizers.SGD(0.1, nesterov=n)}} for n in (0, 1)],
    "the class of the optimizer": [{"candidate": {"optimizer": o}} for o in (AMSGrad, keras.optimizers.Adam)],
    "a seed": [{"candidate": {"random_state": n}} for n in (0, 1)],
    "the rows": [{"rows": rows} for rows in (ROWS, ROWS + 1)],
    "the order of the rows": [{"rows": rows} for rows in (ROWS, ROWS[::-1])],
    "a number of the data": [{"x": x} for x in (X, X + np.eye(150, 4, dtype="float32") * 1e-3)],
    "the type of the data": [{"x": x} for x in (X, X.astype("float64"))],
    "a frame of the data": [{"x": pd.DataFrame(X, columns=list(names))} for names in ("abcd", "abdc")],
    "a target": [{"y": y} for y in (NAMES, NAMES[::-1])],
    "weights of rows": [{"weight": weight} for weight in (None, np.ones(150))],
    "the body of a model function": [{"estimator": custom(function)} for function in (one, other)],
    "the default of a model function": [{"estimator": custom(f)} for f in (lambda n=3: n, lambda n=4: n)],
    "a number that a loss encloses": [{"candidate": {"loss": times(n)}} for n in (1, 2)],
    "a loss of one's own, an object": [{"candidate": {"loss": Largest(n)}} for n in (1, 2)],
    "a loss of one's own, of Keras's kind": [{"candidate": {"loss": Scaled(n)}} for n in (1, 2)],
    "a loss of Keras's": [{"candidate": {"loss": keras.losses.CategoricalFocalCrossentropy(a)}} for a in (0.2, 0.3)],
    "a metric": [{"candidate": {"metrics": [m]}} for m in ("mse", "mae")],
    "a metric of Keras's": [{"candidate": {"metrics": [keras.metrics.TopKCategoricalAccuracy(k)]}} for k in (2, 3)],
    "a callback": [{"candidate": {"callbacks": [keras.callbacks.EarlyStopping(patience=n)]}} for n in (2, 3)],
    "a callback of one's own": [{"candidate": {"callbacks": [Watching(n)]}} for n in (2, 3)],
    "the optimizer of a compiled model": [{"estimator": custom(compiled(a))} for a in (0.1, 0.2)],
    "the layers of a model": [{"estimator": custom(uncompiled(n))} for n in (4, 5)],
    "what a transformer encloses": [{"estimator": transformed(n)} for n in (1, 2)],
    "a parameter of a transformer": [{"candidate": {"pca__whiten": w}, "estimator": transformed(1)} for w in (0, 1)],
    "a wrapper of Keras's": [
        {"estimator": keras.wrappers.SKLearnClassifier(wrapped, model_kwargs={"alpha": a})} for a in (0.1, 0.2)
    ],
}


@pytest.mark.parametrize("pair", PAIRS)
def test_what_changes_a_fit_changes_its_name(pair):
    first, second = PAIRS[pair]
    assert name(**first) == name(**first)
    assert name(**first) != name(**second)


def names_of_all():
    return [*(name(**each) for pair in PAIRS.values() for each in pair), name(network=True)]


def test_names_are_the_same_in_every_process():
    program = "from tests.replicas.test_fingerprints import *; print(*names_of_all())"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=root)
    assert done.stdout.split() == names_of_all()
    assert len(set(names_of_all())) > 50


def test_what_changes_no_number_changes_no_name():
    loud = classifier()
    assert name(loud) == name(loud.set_params(verbose=1))
    assert name(candidate={"a": 1, "b": 2}) == name(candidate={"b": 2, "a": 1})
    assert name(candidate={"a": 0.1}) == name(candidate={"a": np.float64(0.1)})
    assert name(rows=ROWS) == name(rows=ROWS.astype("int32"))


def test_what_a_model_function_reads_from_a_file_counts(tmp_path):
    units = tmp_path / "units"

    def model():
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(int(units.read_text()), activation="softmax")])

    names = []
    for number in ("3", "4", "3"):
        units.write_text(number)
        names.append(name(custom(model), network=True))
    assert names[0] == names[2] != names[1]


def test_functions_of_a_program_without_a_file_are_told_apart():
    def function(body):
        known = {}
        exec(f"import keras\ndef model():\n    return {body}", known)
        return known["model"]

    assert name(custom(function("1"))) == name(custom(function("1"))) != name(custom(function("2")))


def test_what_cannot_be_told_apart_has_no_name():
    with open(os.devnull) as file:
        assert name(candidate={"loss": file}) is None
    assert name() is not None


def test_what_was_made_before_in_the_process_changes_no_name():
    first = name(candidate={"optimizer": AMSGrad(0.1)})
    model = one()
    model.compile(AMSGrad(0.1), "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    assert name(candidate={"optimizer": AMSGrad(0.1)}) == first
