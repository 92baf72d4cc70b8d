"""A whole study on scikit-learn's digits, through the command line, and the seams it is made of."""

import dataclasses
import json

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier

from studies.catalog import STUDIES, Arm, Setting
from studies.command_line.main import main
from studies.data.folds import folds
from studies.records import tables
from studies.records.journal import Journal
from studies.training import estimator, repeats, search
from tests.smoke import a_fit

RUN_COLUMNS = """
    study variant stage model optimizer schedule learning_rate beta_2 bias_correction options fold seed epochs
    status train_loss train_accuracy val_loss val_accuracy best_val_loss best_val_loss_epoch best_val_accuracy seconds
    backend device
"""


@pytest.fixture(scope="module")
def digits_out(tmp_path_factory):
    """The results folder of the digits study at smoke scale."""
    out = tmp_path_factory.mktemp("digits")
    assert main(["run", "digits", "--scale", "smoke", "--engine", "gridsearch", "--out", str(out)]) == 0
    return out


def test_runs_csv_has_the_columns_of_the_contract(digits_out):
    runs = pd.read_csv(digits_out / "runs.csv")
    assert list(runs.columns) == RUN_COLUMNS.split()
    study = STUDIES["digits"].smoke()
    assert len(runs[runs["stage"] == "search"]) == 3 * sum(len(study.search.settings(arm)) for arm in study.arms)
    assert len(runs[runs["stage"] == "repeat"]) == 2 * study.seeds
    assert set(runs["status"]) == {"ok"}
    assert runs["val_accuracy"].between(0, 1).all()
    assert (runs["best_val_loss"] <= runs["val_loss"]).all()


def test_curves_csv_has_every_epoch_of_every_fit(digits_out):
    curves, runs = pd.read_csv(digits_out / "curves.csv"), pd.read_csv(digits_out / "runs.csv")
    assert len(curves) == runs["epochs"].sum()
    last = curves[curves["epoch"] == curves["epoch"].max()]
    assert set(last["val_loss"]) <= set(runs["val_loss"])


def test_repeated_training_uses_what_the_search_chose(digits_out):
    runs = pd.read_csv(digits_out / "runs.csv")
    for name in ("Adam", "AMSGrad"):
        mine = runs[runs["optimizer"] == name]
        means = mine[mine["stage"] == "search"].groupby(["learning_rate", "beta_2"])["val_loss"].mean()
        used = mine[mine["stage"] == "repeat"][["learning_rate", "beta_2"]].drop_duplicates()
        assert [tuple(row) for row in used.to_numpy()] == [means.idxmin()]


def test_the_report_stands_alone_and_shows_every_stage(digits_out):
    page = (digits_out / "report.html").read_text()
    drawn = ("search", "sensitivity", "curves", "final", "paired")
    assert page.count("<figure id=") == len(drawn) + 1
    assert "settles nothing" in page
    names = {path.name for path in (digits_out / "figures").glob("digits-*.*") if "first-runs" not in path.name}
    assert names == {f"digits-{name}.{kind}" for name in drawn for kind in ("png", "svg", "csv")}


def test_running_again_trains_nothing_and_changes_no_row(digits_out, monkeypatch):
    before = (digits_out / "runs.csv").read_bytes()
    monkeypatch.setattr(estimator.StudyClassifier, "_train", lambda *arguments: pytest.fail("trained again"))
    assert main(["run", "digits", "--scale", "smoke", "--out", str(digits_out)]) == 0
    assert (digits_out / "runs.csv").read_bytes() == before


def test_more_seeds_keep_the_finished_fits(digits_out, tmp_path):
    done = len(list((digits_out / "records" / "digits").iterdir()))
    assert main(["run", "digits", "--scale", "smoke", "--seeds", "3", "--out", str(digits_out)]) == 0
    assert len(list((digits_out / "records" / "digits").iterdir())) == done + 2


def test_a_damaged_record_is_set_aside_and_its_fit_runs_again(data, tmp_path):
    journal, fit = Journal(tmp_path), a_fit(data, epochs=2)
    estimator_ = estimator.classifier(fit, data, journal)
    estimator_.fit(data.x_train, data.y_train, validation_data=(data.x_test, data.y_test))
    whole = json.loads(journal.path(fit).read_text())
    journal.path(fit).write_text(journal.path(fit).read_text()[:40])
    with pytest.warns(UserWarning, match="is not whole"):
        repeats.train(fit, data, journal)
    again = json.loads(journal.path(fit).read_text())
    assert again["outcome"]["history"] == whole["outcome"]["history"]


def test_scikit_learn_sees_a_classifier(data, tmp_path):
    assert is_classifier(estimator.classifier(a_fit(data, epochs=2), data, Journal(tmp_path)))


def test_folds_are_stratified_and_fixed(data):
    fold_of = folds(data.y_train, 3, seed=0)
    counts = np.array([np.bincount(data.y_train[fold_of == fold], minlength=10) for fold in range(3)])
    assert np.ptp(counts, axis=0).max() <= 1
    np.testing.assert_array_equal(fold_of, folds(data.y_train, 3, seed=0))
    assert (fold_of != folds(data.y_train, 3, seed=1)).any()


def test_a_shared_program_gives_what_a_new_one_gives(data, tmp_path):
    """Fit A, then B in the same program, then A again: the third equals the first to the bit."""
    first, other = a_fit(data, epochs=2), a_fit(data, epochs=2, learning_rate=0.1, beta_2=0.999, seed=5)
    histories = []
    for k, fit in enumerate([first, other, first]):
        each = estimator.classifier(fit, data, Journal(tmp_path / str(k)))
        each.fit(data.x_train, data.y_train, validation_data=(data.x_test, data.y_test))
        histories.append(each.outcome_.history)
    assert histories[0] == histories[2] != histories[1]


def test_a_shared_program_has_no_beta_of_another_fit(data, tmp_path):
    """Betas of Keras's own optimizers are constants of a program."""
    own = {"optimizer": "Lion", "bias_correction": None, "epochs": 2}
    losses = []
    for beta_2 in (0.5, 0.999):
        each = estimator.classifier(a_fit(data, **own, beta_2=beta_2), data, Journal(tmp_path))
        each.fit(data.x_train, data.y_train, validation_data=(data.x_test, data.y_test))
        losses.append(each.outcome_.history["train_loss"][-1])
    assert losses[0] != losses[1]


def test_a_study_fit_equals_a_plain_keras_fit_in_the_same_order(data, tmp_path):
    from keras_amsgrad import AMSGrad
    from keras_amsgrad.order import epoch_order
    from studies.networks.published import network

    fit = a_fit(data, epochs=2, seed=3)
    ours = estimator.classifier(fit, data, Journal(tmp_path))
    ours.fit(data.x_train, data.y_train, validation_data=(data.x_test, data.y_test))
    keras.utils.set_random_seed(3)
    model = network("feedforward", (8, 8), 10)
    model.compile(AMSGrad(0.01, beta_2=0.99), "sparse_categorical_crossentropy")
    for epoch in range(2):
        order = epoch_order(3, epoch, len(data.y_train))
        loss = model.fit(data.x_train[order], data.y_train[order], batch_size=128, shuffle=False, verbose=0).history
        assert ours.outcome_.history["train_loss"][epoch] == pytest.approx(loss["loss"][0], rel=1e-5)
    expected = model.evaluate(data.x_test, data.y_test, verbose=0)
    assert ours.outcome_.history["val_loss"][-1] == pytest.approx(expected, rel=1e-5)


def test_two_optimizers_start_from_the_same_weights_and_see_the_same_batches(data, tmp_path):
    """With a learning rate of 0 nothing moves, so equal losses mean equal weights."""
    losses = []
    for name in ("Adam", "AMSGrad"):
        each = estimator.classifier(
            a_fit(data, epochs=2, optimizer=name, learning_rate=0.0, seed=1), data, Journal(tmp_path)
        )
        each.fit(data.x_train, data.y_train, validation_data=(data.x_test, data.y_test))
        losses.append(each.outcome_.history)
    assert losses[0] == losses[1]


def test_a_diverged_fit_is_recorded_and_ranks_last(data, tmp_path):
    study = STUDIES["digits"].smoke()
    bad = dataclasses.replace(
        study, search=dataclasses.replace(study.search, learning_rates=(1e38, 0.01), beta_2s=(0.99,))
    )
    journal = Journal(tmp_path)
    assert search.tune(bad, data, Arm("AMSGrad"), journal) == Setting(0.01, 0.99)
    journal.plan(bad, search.search_fits(bad, data, Arm("AMSGrad")))
    runs = tables.runs(tables.records(tmp_path))
    assert set(runs[runs["learning_rate"] == 1e38]["status"]) == {"diverged"}
    assert set(runs[runs["learning_rate"] == 0.01]["status"]) == {"ok"}


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--jobs", "2"], ["--engine", "replicas"]], ids=["two processes", "replicas"])
def test_however_it_trains_the_numbers_are_the_same(digits_out, tmp_path, options):
    assert main(["run", "digits", "--scale", "smoke", *options, "--seeds", "2", "--out", str(tmp_path)]) == 0
    both = [pd.read_csv(folder / "runs.csv").drop(columns="seconds") for folder in (digits_out, tmp_path)]
    common = both[0][both[0]["seed"] < 2].reset_index(drop=True)
    numbers = common.select_dtypes("number").columns
    np.testing.assert_allclose(common[numbers], both[1][numbers], rtol=1e-5)


@pytest.mark.needs_data
def test_mcgill_logistic_runs_on_mnist_at_smoke_scale(data_dir, tmp_path):
    arguments = ["run", "mcgill-logistic", "--scale", "smoke", "--data-dir", data_dir, "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert main([*arguments, "--search", "published"]) == 0
    runs = pd.read_csv(tmp_path / "runs.csv")
    assert set(runs[runs["variant"] == "published-settings"]["learning_rate"]) == {0.001}
