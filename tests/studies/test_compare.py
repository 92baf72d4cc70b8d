"""Comparisons on a model and data of one's own: what they leave, what they conclude, and their command."""

import dataclasses
import threading
from math import nan

import keras
import numpy as np
import pandas as pd
import pytest

import studies
from keras_amsgrad import Adam
from keras_amsgrad.order import epoch_order
from studies import claims
from studies.catalog import STUDIES, OwnCommand
from studies.command_line.main import main
from studies.data import own as data
from studies.errors import StudyError
from studies.records.tables import CURVE_COLUMNS, PATH_COLUMNS
from studies.report import answer, own
from tests import made_up, own_models
from tests.own_models import HERE, QUICK, digits, small, tokens, words

NETWORKS = [
    *(own_models.residual, own_models.transformer, own_models.recurrent),
    *(own_models.augmented, own_models.on_a_frozen_base),
]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The results folder of a comparison made by the command line."""
    out = tmp_path_factory.mktemp("own")
    x, y = digits()
    np.savez(out / "digits.npz", x_train=x, y_train=y)
    assert main(arguments(out)) == 0
    return out


def arguments(out):
    chosen = ["--optimizers", "Adam,AMSGrad,AdaMax", "--grid", "learning_rate=0.01;beta_2=0.99,0.999"]
    sizes = ["--seeds", "2", "--epochs", "1", "--out", str(out)]
    return ["compare", f"{HERE}:small", "--data", str(out / "digits.npz"), *chosen, *sizes]


def test_a_comparison_searches_and_repeats_as_a_published_study_does(out):
    runs = studies.results(out).runs
    assert runs.groupby(["stage", "optimizer"]).size().to_dict() == {
        ("search", name): 2 * 3 for name in ("Adam", "AMSGrad", "AdaMax")
    } | {("repeat", name): 2 for name in ("Adam", "AMSGrad", "AdaMax")}
    assert set(runs["study"]) == {"compare-small-digits"}
    assert (runs["status"] == "ok").all()


def test_a_network_may_have_layers_of_one_s_own(tmp_path):
    found = studies.compare(own_models.with_own_layer, *digits(), out=tmp_path, verbose=0, **QUICK)
    assert (found.runs["status"] == "ok").all()


@pytest.mark.slow
@pytest.mark.parametrize("model", NETWORKS)
def test_networks_of_every_kind_train_alike_by_both_engines(model, tmp_path):
    x, y = digits()
    losses = []
    for engine in ("replicas", "gridsearch"):
        own = {"out": tmp_path / engine, "engine": engine, "verbose": 0}
        found = studies.compare(model, x.reshape(-1, 8, 8), y, **own, **QUICK | {"seeds": 1})
        losses.append(found.runs["val_loss"])
    assert np.isfinite(losses[0]).all()
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_a_comparison_named_as_a_source_begins_has_its_report_among_ones_own(tmp_path):
    studies.compare(small, *digits(), name="perez-x", out=tmp_path, verbose=0, **QUICK)
    page = (tmp_path / "report.html").read_text()
    assert "<h1>perez-x</h1>" in page
    assert 'id="perez-x-paired"' in page
    assert 'id="source-own"' in page
    assert 'id="source-perez"' not in page


def test_each_optimizer_is_judged_against_adam_and_nothing_else_is_asked(out):
    found = studies.results(out)
    mine = found.own
    own = found.verdicts[(found.verdicts["reading"] == "") & (found.verdicts["part"] == "")]
    assert list(own["claim"]) == list(mine["claim"]) == [1, 2, 3, 4]
    assert mine["source"].str.startswith("You ask").all()
    assert list(mine["text"]) == [
        f"{name}'s final validation {better} than Adam's."
        for name in ("AMSGrad", "AdaMax")
        for better in ("loss is lower", "accuracy is higher")
    ]
    assert (mine["n"] == 2).all()
    assert mine["needs"].str.endswith("--epochs 1 --seeds 10").all()


def test_the_page_shows_verdicts_figures_and_the_command_of_a_comparison(out):
    page = (out / "report.html").read_text()
    assert f"python -m studies compare {HERE}:small --data {out}/digits.npz" in page
    assert "--epochs 1 --seeds 2" in page
    assert "<h1>small on digits</h1>" in page
    assert 'id="compare-small-digits-paired"' in page
    assert "AMSGrad&#39;s final validation loss is lower than Adam&#39;s." in page


def test_results_are_the_tables_that_are_written(out):
    found = studies.results(out)
    for name in ("runs", "curves", "verdicts"):
        written, frame = pd.read_csv(out / f"{name}.csv"), getattr(found, name)
        assert list(written.columns) == list(frame.columns)
        assert len(written) == len(frame) > 0
    assert found.paths.empty


@pytest.mark.slow
def test_the_same_model_trains_nothing_twice_and_a_changed_one_everything(out, monkeypatch):
    records = list((out / "records").rglob("*.json"))
    before = {path: path.stat().st_mtime_ns for path in records}
    assert main(arguments(out)) == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "records").rglob("*.json")} == before
    monkeypatch.setattr(own_models, "UNITS", 9)
    assert main(arguments(out)) == 0
    assert len(list((out / "records").rglob("*.json"))) == 2 * len(records)


@pytest.mark.slow
def test_one_sigmoid_output_trains_as_by_fit_by_both_engines_and_names_are_classes(tmp_path, capsys):
    x, y = digits()
    of_names = np.where(y < 5, "low", "high")  # high is class 0
    runs = []
    for engine in ("replicas", "gridsearch"):
        how = {"engine": engine, "out": tmp_path / engine}
        runs.append(studies.compare(own_models.one_output, x, of_names, x, of_names, **how, **QUICK).runs)
    assert "Labels of y_train (strings) became classes: high = 0, low = 1." in capsys.readouterr().err
    assert "high = 0, low = 1" in (tmp_path / "replicas" / "report.html").read_text()
    for column in ("train_loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(runs[0][column], runs[1][column], rtol=1e-4)
    keras.utils.set_random_seed(0)
    model = own_models.one_output()
    model.compile(Adam(0.01, beta_2=0.999, epsilon=1e-8), "binary_crossentropy", metrics=["accuracy"])
    order = epoch_order(0, 0, len(y))
    model.fit(x[order], (y < 5)[order].astype(int), shuffle=False, verbose=0)
    of_adam = runs[0].query("stage == 'repeat' and optimizer == 'Adam' and seed == 0").iloc[0]
    loss, accuracy = model.evaluate(x, (y < 5).astype(int), verbose=0)
    assert [of_adam["val_loss"], of_adam["val_accuracy"]] == pytest.approx([loss, accuracy], rel=1e-3)


@pytest.mark.slow
def test_tokens_stay_whole_numbers_and_both_engines_agree(tmp_path, capsys):
    runs = []
    for engine in ("replicas", "gridsearch"):
        how = {"from_logits": True, "engine": engine, "verbose": 0, "out": tmp_path / engine}
        runs.append(studies.compare(words, *tokens(), **how, **QUICK).runs)
    assert "done" not in capsys.readouterr().err
    for column in ("train_loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(runs[0][column], runs[1][column], rtol=1e-4)
    study = dataclasses.replace(STUDIES["digits"], divide_by=None)
    prepared = data.dataset("words", *tokens())[0].prepared(study)
    assert prepared.x_train.dtype.kind == "i"
    assert set(prepared.x_train.ravel()) <= set(range(50))


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"seeds": 0}, "seeds must be a whole number of at least 1, not 0"),
        ({"batch_size": 0.5}, "batch_size must be a whole number of at least 1, not 0.5"),
        ({"engine": "fast"}, "engine must be replicas or gridsearch, not 'fast'"),
        ({"name": "mcgill-logistic"}, "The name mcgill-logistic is taken"),
        ({"name": "Perez"}, "The name Perez is taken"),
        ({"name": 3}, "name must be letters, digits, - and _, not 3"),
        (
            {"grid": {"lr": [0.1]}},
            "There is no lr in a grid of these; there are learning_rate, beta_1, beta_2, epsilon,",
        ),
        ({"optimizers": ["Adam", "amsgard"]}, "no optimizer 'amsgard'; .*; did you mean AMSGrad?"),
        ({"jobs": 2}, "keeps all cores busy; leave out jobs"),
    ],
)
def test_choices_that_there_are_not_are_refused(choice, said, tmp_path):
    with pytest.raises(StudyError, match=said) as refused:
        studies.compare(small, *digits(), out=tmp_path, **choice)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("below", ["", "results"])
def test_a_results_folder_cannot_be_where_a_file_is(below, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    np.savez(tmp_path / "x.npz", **dict(zip(("x_train", "y_train"), digits(), strict=True)))
    out, said = tmp_path / "notes.txt" / below, "notes.txt is a file; name a folder, results say"
    with pytest.raises(StudyError, match=said):
        studies.compare(small, *digits(), out=out)
    assert main(["compare", f"{HERE}:small", "--data", str(tmp_path / "x.npz"), "--out", str(out)]) == 1
    assert said in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["small"], "must be MODULE:FUNCTION"),
        (["my_models.py:small"], "Write the module without .py: my_models:small, not 'my_models.py:small'"),
        (["/home/me/my_models.py"], "Write the module without .py: my_models:FUNCTION"),
        (["my_models.small"], "did you mean my_models:small?"),
        (["m:f"], "required: --data"),
        (["m:f", "--data", "x.npz", "--optimizers", "Adam,Tiger"], "no optimizer 'Tiger'; there are Adam, AMSGrad,"),
        (["m:f", "--data", "x.npz", "--optimizers", "AMSGrad,AdaMax"], "judged against Adam"),
        (["m:f", "--data", "x.npz", "--optimizers", "Adam"], "one other at least"),
        (["m:f", "--data", "x.npz", "--grid", "0.1,0.01"], "must be as learning_rate="),
        (
            ["m:f", "--data", "x.npz", "--grid", "momentum=0.9"],
            "There is no momentum in a grid of these; there are learning_rate, beta_1, beta_2,",
        ),
        (["m:f", "--data", "x.npz", "--grid", "beta_2=1.5"], "`beta_2` must be a number in [0, 1)"),
        (["m:f", "--data", "x.npz", "--grid", "beta_2=.9", "--grid", "beta_2=.99"], "--grid has beta_2 twice"),
        (["m:f", "--data", "x.npz", "--name", "a/b"], "letters, digits"),
        (["m:f", "--data", "x.npz", "--name", "mcgill-logistic"], "The name mcgill-logistic is taken"),
        (["m:f", "--data", "x.npz", "--name", "source-perez"], "The name source-perez is taken"),
        (["m:f", "--data", "x.npz", "--engine", "replicas", "--jobs", "2"], "leave out --jobs"),
    ],
)
def test_bad_usage_of_compare_ends_with_code_2(options, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["compare", *options])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_missing_ends_with_code_1_and_one_line(capsys):
    assert main(["compare", "m:f", "--data", "nowhere.npz"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "nowhere.npz does not exist. Write one: numpy.savez" in error


def own_study():
    own = {"name": "compare-a-b", "title": "a on b", "source": "own", "own_command": OwnCommand("m:a")}
    return dataclasses.replace(STUDIES["digits"], **own)


@pytest.mark.parametrize(("seeds", "verdict"), [(12, claims.SUPPORTED), (4, claims.INCONCLUSIVE)])
def test_a_better_optimizer_is_found_better_given_enough_runs(seeds, verdict):
    study = own_study()
    arms = [{"optimizer": arm.optimizer} for arm in study.arms]  # AMSGrad's made-up loss is about a tenth lower
    runs, _ = made_up.fits("compare-a-b", arms, seeds=seeds)
    empty = pd.DataFrame(columns=CURVE_COLUMNS), pd.DataFrame(columns=PATH_COLUMNS)
    loss, accuracy = claims.verdicts(runs, *empty, of=[study])
    beside = claims.verdicts(runs, *empty, of=[STUDIES["digits"], study])[len(claims.CLAIMS) :]
    assert [each.verdict for each in beside] == [verdict, verdict]
    assert (loss.verdict, accuracy.verdict, loss.n) == (verdict, verdict, seeds)
    p = 2 / 2**seeds if seeds > 5 else nan
    assert [loss.counted[0].p, accuracy.counted[0].p] == pytest.approx([p, p], nan_ok=True)
    assert loss.p_holm == pytest.approx(2 * p, nan_ok=True)  # of two questions
    assert loss.needs == (() if seeds > 10 else (OwnCommand("m:a", seeds=10),))


@pytest.mark.parametrize(("seeds", "decided"), [(12, "AMSGrad is ahead"), (6, "not decided")])
def test_the_answer_says_no_more_than_the_verdict(seeds, decided):
    study = own_study()
    # Of 6 pairs and two questions no corrected p is below .05, whatever their interval.
    runs, _ = made_up.fits("compare-a-b", [{"optimizer": arm.optimizer} for arm in study.arms], seeds=seeds)
    empty = pd.DataFrame(columns=CURVE_COLUMNS), pd.DataFrame(columns=PATH_COLUMNS)
    rows = answer.tuned(pd.concat([runs, runs.head(1).assign(stage="search")]))
    assert {answer.outcome(row) for row in rows.itertuples() if row.metric == "val_loss"} == {"AMSGrad is ahead"}
    told = own.with_verdicts(rows, claims.verdicts(runs, *empty, of=[study]))
    assert {answer.outcome(row) for row in told.itertuples() if row.metric == "val_loss"} == {decided}


@pytest.mark.slow
def test_a_function_that_cannot_be_imported_reaches_other_processes(tmp_path):
    losses = [
        studies.compare(lambda: small(), *digits(), out=tmp_path / str(jobs), engine="gridsearch", jobs=jobs, **QUICK)
        .runs.sort_values(["stage", "optimizer", "fold", "seed"])["val_loss"]
        .tolist()
        for jobs in (1, 2)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_what_cannot_be_sent_to_other_processes_is_said_before_anything_trains(tmp_path):
    lock = threading.Lock()

    def loss(y, outputs):
        return keras.losses.sparse_categorical_crossentropy(y, outputs) * (lock is not None)

    how = {"out": tmp_path, "loss": loss, "engine": "gridsearch", "jobs": 2, "verbose": 0, **QUICK}
    with pytest.raises(StudyError, match="Your model cannot be sent to other processes; leave out jobs"):
        studies.compare(small, *digits(), **how)
