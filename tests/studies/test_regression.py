"""Comparisons whose targets are numbers to predict: what is such, how it is measured, and what the page says."""

import dataclasses
import re

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

import studies
from keras_amsgrad import Adam
from keras_amsgrad.order import epoch_order
from studies import claims
from studies.catalog import STUDIES, OwnCommand
from studies.catalog.metrics import SQUARED_ERROR
from studies.command_line.main import main
from studies.data import own as data
from studies.data.folds import folds
from studies.data.targets import numbers, task_of
from studies.errors import StudyError
from studies.networks import checks
from studies.networks.metrics import R2
from studies.records.tables import CURVE_COLUMNS, PATH_COLUMNS, RUN_COLUMNS
from tests import made_up
from tests.own_models import HERE, QUICK, diabetes, digits, regressor, small

MEASURED = ("train_loss", "val_loss", "train_r2", "val_r2", "best_val_r2")
HALVES = np.arange(12) / 2


def two_outputs():
    return regressor(2)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The results folder of a small comparison on a regression, by replicas."""
    out = tmp_path_factory.mktemp("regression")
    x, y = diabetes()
    studies.compare(regressor, x, y, task="regression", out=out, verbose=0, **QUICK | {"epochs": 3})
    return out


@pytest.mark.parametrize(
    ("y", "task"),
    [
        pytest.param(HALVES, "regression", id="floats"),
        pytest.param(HALVES[:, None], "regression", id="column"),
        pytest.param(HALVES.astype(object), "regression", id="objects"),
        pytest.param(pd.Series(HALVES, dtype="Float64"), "regression", id="nullable"),
        pytest.param(HALVES.reshape(6, 2).tolist(), "regression", id="several outputs"),
        pytest.param(np.arange(12.0).reshape(6, 2), "regression", id="several outputs, whole"),
        pytest.param(np.arange(12.0), "classification", id="whole floats"),
        pytest.param(np.array([1.0, np.nan]), "classification", id="a class that is missing"),
        pytest.param(np.arange(12).reshape(6, 2), "classification", id="several columns of integers"),
        pytest.param(np.eye(3), "classification", id="one-hot"),
        pytest.param(np.eye(3)[:, :2], "multilabel", id="a row without a label"),
        pytest.param(1 - np.eye(3), "multilabel", id="several labels"),
        pytest.param(np.eye(3)[:, :2].astype(bool), "multilabel", id="labels as booleans"),
        pytest.param(["ant", "bee"], "classification", id="strings"),
        pytest.param([True, False], "classification", id="booleans"),
    ],
)
def test_targets_say_what_they_ask_for(y, task):
    assert task_of(y) == task


def test_numbers_of_any_form_are_rows_of_outputs_in_float32():
    for y in (HALVES, HALVES.tolist(), HALVES[:, None], pd.Series(HALVES), pd.DataFrame({"price": HALVES})):
        train, test = numbers(y, y)
        assert (train.shape, train.dtype) == ((12, 1), "float32")
        assert train[:, 0].tolist() == test[:, 0].tolist() == HALVES.tolist()
    assert numbers(np.arange(12).reshape(6, 2))[0].shape == (6, 2)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"y_train": np.full(12, 0.5)}, "y_train holds 0.5 in every row: there is nothing to predict"),
        ({"y_train": np.stack([HALVES, HALVES * 0], 1)}, "y_train holds 0 in every row in column 1"),
        ({"y_train": np.where(HALVES == 2, np.nan, HALVES)}, "row 4, column 0 holds nan, .* Leave such rows out"),
        ({"y_train": pd.Series(HALVES, name="price").replace(2, np.inf)}, "row 4, column price holds inf"),
        ({"y_train": ["ant"] * 12, "task": "regression"}, "y_train must hold numbers, not <U3: .* holds ant"),
        ({"y_train": np.zeros((12, 2, 2)) + 0.5, "task": "regression"}, r"\(rows, outputs\), not \(12, 2, 2\)"),
        ({"y_train": HALVES[:7]}, "y_train must have 8 rows at least, 2 for each fold and test set, not 7"),
        ({"y_train": HALVES, "x_test": np.zeros((2, 3)), "y_test": [[1, 2], [3, 4]]}, "y_test must hold 1 numbers"),
        ({"y_train": HALVES, "x_test": np.zeros((2, 3)), "y_test": [1, 1]}, "y_test holds 1 in every row"),
        ({"y_train": HALVES, "task": "classification"}, "holds 0.5 in row 1: classes are whole numbers or names"),
    ],
)
def test_numbers_that_no_regression_can_predict_are_refused_by_row(targets, said):
    with pytest.raises(StudyError, match=said) as refused:
        data.dataset("mine", np.zeros((len(targets["y_train"]), 3)), **targets)
    assert "\n" not in str(refused.value)


def test_the_test_rows_and_the_folds_of_a_regression_are_shuffled_and_of_one_size():
    found, note = data.dataset("mine", np.arange(80.0).reshape(40, 2), np.sort(HALVES.repeat(4))[:40])
    assert (found.task, found.y_train.shape, found.y_test.shape) == ("regression", (30, 1), (10, 1))
    assert not {*map(tuple, found.x_train)} & {*map(tuple, found.x_test)}
    assert "mean squared error" in note
    fold_of = folds(found.y_train, 3, seed=0)
    assert np.bincount(fold_of).tolist() == [10, 10, 10]
    assert (np.diff(fold_of) != 0).sum() > 5
    assert (fold_of != folds(found.y_train, 3, seed=1)).any()


@pytest.mark.parametrize(("units", "activation"), [(1, "softmax"), (3, "softmax"), (1, "sigmoid"), (2, None)])
def test_a_network_that_cannot_predict_the_numbers_is_refused_in_one_line(units, activation):
    x, y = np.zeros((4, 10), "float32"), np.zeros((4, 3 if units == 3 else 1), "float32") + 2
    said = {
        (1, "softmax"): "ends in a softmax",
        (3, "softmax"): "ends in a softmax",
        (1, "sigmoid"): "ends in a sigmoid, from 0 to 1, and y_train holds 2 to 2",
        (2, None): r"as many outputs as y_train has numbers in a row, \(None, 1\), not in \(None, 2\)",
    }[units, activation]
    network = regressor(units, activation)
    with pytest.raises(
        StudyError, match=rf"{said}.*: end it in Dense\({y.shape[1]}\) without an activation"
    ) as refused:
        checks.check_regression("it", network, checks.outputs_of("it", network, x), y)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"task": "ranking"}, "task must be one of classification, regression, multilabel, not 'ranking'"),
        (
            {"task": "regression", "from_logits": True},
            "from_logits is for classes: leave it out",
        ),
    ],
)
def test_a_choice_that_a_regression_has_not_is_refused(choice, said, tmp_path):
    with pytest.raises(StudyError, match=said):
        studies.compare(regressor, *diabetes(), out=tmp_path / "out", **choice)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("offset", [0, 2000])
def test_r2_is_that_of_scikit_learn_also_of_targets_far_from_zero(offset):
    """Batch by batch: R² of all rows is no mean of the batches' R²."""
    rng = np.random.default_rng(0)
    y = (offset + rng.normal(size=(700, 2)) * [1, 3]).astype("float32")
    predicted = (y + rng.normal(size=y.shape)).astype("float32")
    metric, batches = R2(outputs=2), np.split(np.arange(700), range(32, 700, 32))
    for rows in batches:
        metric.update_state(y[rows], predicted[rows])
    assert float(metric.result()) == pytest.approx(r2_score(y, predicted), abs=1e-5)
    assert abs(np.mean([r2_score(y[rows], predicted[rows]) for rows in batches]) - r2_score(y, predicted)) > 1e-3
    metric.reset_state()
    metric.update_state(np.ones((2, 2)), np.zeros((2, 2)))
    assert float(metric.result()) == 0


def test_both_engines_give_the_losses_and_r2_of_plain_fit(out, tmp_path):
    x, y = diabetes()
    own = {"engine": "gridsearch", "task": "regression", "out": tmp_path, "verbose": 0}
    theirs = studies.compare(regressor, x, y, **own, **QUICK | {"epochs": 3}).runs
    mine = studies.results(out).runs
    assert len(mine) == len(theirs) == 10
    for column in MEASURED:
        np.testing.assert_allclose(mine[column], theirs[column], rtol=1e-4, err_msg=column)
    arrays, _ = data.dataset("arrays", x, y, task="regression")
    keras.utils.set_random_seed(1)
    model = regressor()
    model.compile(Adam(0.01, beta_2=0.999, epsilon=1e-8), "mean_squared_error")
    for epoch in range(3):
        order = epoch_order(1, epoch, len(arrays.y_train))
        model.fit(arrays.x_train[order], arrays.y_train[order], shuffle=False, verbose=0)
    run = mine.query("stage == 'repeat' and optimizer == 'Adam' and seed == 1").iloc[0]
    predicted = model.predict(arrays.x_test, verbose=0)
    assert run["val_loss"] == pytest.approx(np.mean((predicted - arrays.y_test) ** 2), rel=1e-4)
    assert run["val_r2"] == pytest.approx(r2_score(arrays.y_test, predicted), rel=1e-4)


@pytest.mark.slow
def test_several_outputs_have_the_mean_of_their_r2(tmp_path):
    x, y = diabetes()
    both = np.stack([y / 100, x[:, 2] * 10], 1)
    runs = [
        studies.compare(
            two_outputs, x, both, x, both, engine=engine, out=tmp_path / engine, verbose=0, **QUICK | {"seeds": 1}
        ).runs
        for engine in ("replicas", "gridsearch")
    ]
    for column in MEASURED:
        np.testing.assert_allclose(*[each[column] for each in runs], rtol=1e-4, atol=1e-5, err_msg=column)
    assert runs[0]["val_r2"].between(-20, 1).all()


def test_the_page_of_a_regression_speaks_of_r2_and_never_of_accuracy(out):
    page = (out / "report.html").read_text()
    text = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    assert "accura" not in text.lower()
    assert "stratified" not in text
    assert "test R² after the last epoch" in text
    assert "AMSGrad&#39;s final validation R² is higher than Adam&#39;s." in text
    assert "within 0.5 points of R²" in text
    assert "3 shuffled folds" in text
    assert "A quarter of the rows, shuffled, is the test set" in text
    figures = {path.stem for path in (out / "figures").glob("*.svg")}
    assert {"answer-forest", "compare-regressor-arrays-curves", "compare-regressor-arrays-paired"} <= figures


@pytest.mark.slow
def test_the_tables_of_a_regression_have_r2_and_those_beside_it_their_accuracy(out, tmp_path):
    runs = pd.read_csv(out / "runs.csv")
    assert list(runs.columns) == [*RUN_COLUMNS, "train_r2", "val_r2", "best_val_r2"]
    assert list(pd.read_csv(out / "curves.csv").columns) == [*CURVE_COLUMNS, "train_r2", "val_r2"]
    assert runs["val_accuracy"].isna().all()
    assert runs["val_r2"].notna().all()
    studies.compare(small, *digits(), out=tmp_path, verbose=0, **QUICK)
    x, y = diabetes()
    found = studies.compare(regressor, x, y / 100, out=tmp_path, verbose=0, **QUICK)
    scores = found.runs.groupby("study")[["val_accuracy", "val_r2"]].count()
    assert scores.loc["compare-small-arrays"].tolist() == [10, 0]
    assert scores.loc["compare-regressor-arrays"].tolist() == [0, 10]
    asked = ("loss is lower", "R² is higher", "loss is lower", "accuracy is higher")
    assert list(found.own["text"]) == [f"AMSGrad's final validation {each} than Adam's." for each in asked]
    page = (tmp_path / "report.html").read_text()
    assert "within 0.1 points of accuracy, 0.5 points of R², or 1 % of Adam's loss" in page


def test_the_command_line_takes_a_regression_and_says_so_in_its_command(tmp_path, capsys):
    x, y = diabetes()
    np.savez(tmp_path / "diabetes.npz", x_train=x, y_train=y)
    chosen = ["--grid", "learning_rate=0.01;beta_2=0.999", "--seeds", "1", "--epochs", "1", "--task", "regression"]
    where = ["--data", str(tmp_path / "diabetes.npz"), "--out", str(tmp_path / "out")]
    assert main(["compare", f"{HERE}:regressor", *where, *chosen]) == 0
    assert "y_train holds numbers to predict, a regression" in capsys.readouterr().err
    assert "--epochs 1 --task regression --seeds 1" in (tmp_path / "out" / "report.html").read_text()
    with pytest.raises(SystemExit):
        main(["compare", f"{HERE}:regressor", *where, "--task", "ranking"])


def test_squared_errors_below_a_thousandth_are_judged_as_others_are():
    """Their size is that of the targets' unit: what is tiny of a cross-entropy is not of them."""
    own = {"name": "compare-a-b", "title": "a on b", "source": "own", "own_command": OwnCommand("m:a")}
    study = dataclasses.replace(STUDIES["digits"], loss=SQUARED_ERROR, **own)
    runs, _ = made_up.fits("compare-a-b", [{"optimizer": arm.optimizer} for arm in study.arms], seeds=12)
    losses = ["train_loss", "val_loss", "best_val_loss"]
    runs = runs.assign(**{name: runs[name] / 1e4 for name in losses}, val_r2=runs["val_accuracy"]).assign(
        val_accuracy=np.nan, best_val_r2=runs["best_val_accuracy"]
    )
    empty = pd.DataFrame(columns=CURVE_COLUMNS), pd.DataFrame(columns=PATH_COLUMNS)
    loss, score = claims.verdicts(runs, *empty, of=[study])
    assert [loss.verdict, score.verdict] == [claims.SUPPORTED, claims.SUPPORTED]
    assert score.claim.text == "AMSGrad's final validation R² is higher than Adam's."
    assert "points higher" in score.sentence
    (of_classes, _) = claims.verdicts(runs, *empty, of=[dataclasses.replace(study, loss="sigmoid_crossentropy")])
    assert of_classes.verdict == claims.NO_DIFFERENCE
