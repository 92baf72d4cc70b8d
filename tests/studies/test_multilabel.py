"""Comparisons whose rows have several labels, or none: what is taken, what is refused, and how it is measured."""

import keras
import numpy as np
import pandas as pd
import pytest

import studies
from keras_amsgrad import Adam
from keras_amsgrad.order import epoch_order
from studies.data import own as data
from studies.data.folds import folds
from studies.data.targets import multilabels
from studies.errors import StudyError
from studies.networks import checks
from tests.own_models import QUICK, small, tagger, tags


def test_labels_of_any_type_are_zeros_and_ones():
    _, y = tags()
    for given in (
        y,
        y.astype(int),
        y.astype("float32"),
        y.tolist(),
        pd.DataFrame(y, columns=["even", "high", "round"]),
    ):
        train, test = multilabels(given, given)
        assert (train.dtype, train.tolist()) == ("int64", y.astype(int).tolist())
        assert test.tolist() == train.tolist()


def test_test_rows_and_folds_are_shuffled():
    found, note = data.dataset("mine", *tags())
    assert (found.task, found.y_train.shape, found.y_test.shape) == ("multilabel", (150, 3), (50, 3))
    assert "binary cross-entropy" in note
    assert np.bincount(folds(found.y_train, 3, seed=0)).tolist() == [50, 50, 50]


@pytest.mark.parametrize(
    ("y", "y_test", "said"),
    [
        ([0, 1] * 6, None, r"must have the shape \(rows, labels\), two labels at least, not \(12,\)"),
        ([[0, 1], [2, 1]] * 6, None, "y_train must hold 0 and 1: row 1, column 0 holds 2"),
        ([["a", "b"]] * 12, None, "y_train must hold 0 and 1: row 0, column 0 holds a"),
        ([[0, 1], [1, 1]] * 6, [[0, 1, 1]] * 2, "y_test must hold 2 labels in each row as y_train does, not 3"),
        ([[0, 1], [1, 1]], None, "y_train must have 8 rows at least, 2 for each fold and test set, not 2"),
    ],
)
def test_what_are_no_such_labels_is_refused(y, y_test, said):
    test = {} if y_test is None else {"x_test": np.zeros((len(y_test), 2)), "y_test": y_test}
    with pytest.raises(StudyError, match=said) as refused:
        data.dataset("mine", np.zeros((len(y), 2)), y, **test, task="multilabel")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: tagger(3, "softmax"), "ends in a softmax, and rows of y_train have several labels or none"),
        (lambda: tagger(3, None), "The outputs of .* are not probabilities"),
        (small, r"one output for each of the 3 labels, \(None, 3\), not in \(None, 10\)"),
    ],
)
def test_a_network_must_end_in_a_sigmoid_for_each_label(model, said):
    (x, y), network = tags(), model()
    with pytest.raises(StudyError, match=rf'{said}.*: end it in Dense\(3, activation="sigmoid"\)') as refused:
        checks.check_multilabel("it", network, checks.outputs_of("it", network, x.astype("float32")), y.astype(int))
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_both_engines_give_the_loss_and_the_accuracy_of_plain_fit(tmp_path):
    x, y = tags()
    runs = []
    for engine in ("replicas", "gridsearch"):
        how = {"engine": engine, "out": tmp_path / engine, "verbose": 0}
        runs.append(studies.compare(tagger, x, y, x, y, **how, **QUICK).runs)
    for column in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(runs[0][column], runs[1][column], rtol=1e-4, err_msg=column)
    keras.utils.set_random_seed(0)
    model = tagger()
    model.compile(Adam(0.01, beta_2=0.999, epsilon=1e-8), "binary_crossentropy", metrics=["binary_accuracy"])
    order, targets = epoch_order(0, 0, len(y)), y.astype("float32")
    model.fit(x[order], targets[order], shuffle=False, verbose=0)
    run = runs[0].query("stage == 'repeat' and optimizer == 'Adam' and seed == 0").iloc[0]
    assert [run["val_loss"], run["val_accuracy"]] == pytest.approx(model.evaluate(x, targets, verbose=0), rel=1e-4)
    page = (tmp_path / "replicas" / "report.html").read_text()
    assert "the accuracy the share of labels that are right" in page
    assert "stratified" not in page
