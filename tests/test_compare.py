"""Comparisons on a model and data of one's own: what they leave, and what they refuse, each in one line."""

import dataclasses
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers
from sklearn.datasets import load_digits

import studies
from keras_amsgrad.replicas.chunks import largest_chunk
from studies import claims, progress
from studies.__main__ import main
from studies.catalog import STUDIES
from studies.errors import StudyError
from studies.journal import Journal
from studies.own import data, models
from studies.tables import CURVE_COLUMNS, PATH_COLUMNS
from tests import made_up

UNITS = 8  # of `small`; a test changes it
QUICK = {"grid": {"learning_rate": [0.01], "beta_2": [0.999]}, "seeds": 2, "epochs": 1}


def small():
    return keras.Sequential([keras.Input((64,)), layers.Dense(UNITS), layers.Dense(10, activation="softmax")])


def words():
    tokens = keras.Input((None,), dtype="int32")
    return keras.Model(tokens, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Embedding(50, 4)(tokens))))


def linear():
    return keras.Sequential([keras.Input((64,)), layers.Dense(10)])


def compiled():
    model = small()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def two_inputs():
    first, second = keras.Input((64,)), keras.Input((64,))
    return keras.Model([first, second], layers.Dense(10)(first + second))


def broken():
    return layers.Dense("many")


class Doubled(layers.Layer):
    def call(self, x):
        return 2 * x


NO_FUNCTION = 3
HERE = __name__


def digits(rows=200):
    x, y = load_digits(return_X_y=True)
    return x[:rows] / 16, y[:rows]


def tokens(rows=120):
    x = np.random.default_rng(0).integers(0, 50, (rows, 6))
    return x, (x.sum(1) > 150).astype(int)


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


def test_each_optimizer_is_judged_against_adam_beside_the_claims_of_the_sources(out):
    verdicts = studies.results(out).verdicts
    mine = verdicts[verdicts["source"].str.startswith("You ask")]
    assert len(verdicts) == len(claims.CLAIMS) + len(mine)
    assert list(mine["claim"]) == [
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
    monkeypatch.setattr(sys.modules[HERE], "UNITS", 9)
    assert main(arguments(out)) == 0
    assert len(list((out / "records").rglob("*.json"))) == 2 * len(records)


@pytest.mark.slow
def test_tokens_stay_whole_numbers_and_both_engines_agree(tmp_path):
    runs = []
    for engine in ("replicas", "gridsearch"):
        found = studies.compare(words, *tokens(), from_logits=True, engine=engine, out=tmp_path / engine, **QUICK)
        runs.append(found.runs)
    for column in ("train_loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(runs[0][column], runs[1][column], rtol=1e-4)
    study = dataclasses.replace(STUDIES["digits"], divide_by=None)
    prepared = data.dataset("words", *tokens()).prepared(study)
    assert prepared.x_train.dtype.kind == "i"
    assert set(prepared.x_train.ravel()) <= set(range(50))


def test_a_model_is_known_by_what_it_builds(monkeypatch):
    first = models.identified(f"{HERE}:small")
    assert models.identified(f"{HERE}:small") == first  # though Keras names its layers anew
    monkeypatch.setattr(sys.modules[HERE], "UNITS", 9)
    assert models.identified(f"{HERE}:small") != first
    with pytest.raises(StudyError, match="does not build the same model every time"):
        models.network(first)


def test_the_code_of_a_layer_of_ones_own_belongs_to_the_model(monkeypatch):
    model = keras.Sequential([keras.Input((2,)), Doubled()])
    first = models.fingerprint(model)
    monkeypatch.setattr("inspect.getsource", lambda kind: "another")
    assert models.fingerprint(model) != first


def test_a_function_that_has_no_name_to_import_can_be_compared():
    name = models.named(lambda: small())
    assert models.built(name).output_shape == (None, 10)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("no_such_module:small", "The module no_such_module cannot be imported: ModuleNotFoundError"),
        (f"{HERE}:nothing", f"There is no nothing in the module {HERE}"),
        (f"{HERE}:NO_FUNCTION", "must be a function that builds the model, not a int"),
        (f"{HERE}:broken", "broken fails: ValueError"),
        (f"{HERE}:digits", "must return a Keras model, not a tuple"),
        (f"{HERE}:compiled", "Leave `compile` out"),
        (f"{HERE}:two_inputs", "one input and one output, not 2 and 1"),
        (f"{HERE}:words", r"takes rows of shape \(None,\); those of x_train have shape \(8, 8\)"),
        (f"{HERE}:linear", "not probabilities: end it in a softmax, or say from_logits"),
        (lambda: keras.Sequential([layers.Dense(10)]), "begins with a keras.Input, not one without it"),
        (3, "must be a function that builds it, not a int"),
    ],
)
def test_a_model_that_cannot_be_compared_is_refused_in_one_line(model, said, tmp_path):
    x, y = digits()
    x = x.reshape(-1, 8, 8) if model == f"{HERE}:words" else x
    with pytest.raises(StudyError, match=said) as refused:
        studies.compare(model, x, y, out=tmp_path / "out", **QUICK)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"seeds": 0}, "seeds must be a whole number of at least 1, not 0"),
        ({"batch_size": 0.5}, "batch_size must be a whole number of at least 1, not 0.5"),
        ({"engine": "fast"}, "engine must be replicas or gridsearch, not 'fast'"),
        ({"jobs": 2}, "keeps all cores busy; leave out jobs"),
    ],
)
def test_choices_that_there_are_not_are_refused(choice, said, tmp_path):
    with pytest.raises(StudyError, match=said):
        studies.compare(small, *digits(), out=tmp_path, **choice)


def test_outputs_must_match_the_classes_and_tokens_the_embedding():
    with pytest.raises(StudyError, match=r"one output for each of the 3 classes, \(None, 3\), not in \(None, 10\)"):
        models.check(f"{HERE}:small", np.zeros((4, 64), "float32"), 3)
    with pytest.raises(StudyError, match="takes 0 to 49; x_train holds 0 to 50"):
        models.check(f"{HERE}:words", np.array([[0, 50]]), 2, from_logits=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"y_train": np.arange(12.0)}, "y_train must hold whole-number labels .* not float64"),
        ({"y_train": np.zeros((12, 3), int)}, r"\(rows,\), not \(12, 3\). Of one-hot labels take y.argmax\(1\)"),
        ({"y_train": np.zeros(12, int)}, "holds one class only"),
        ({"y_train": np.repeat([0, 2], 6)}, "every label from 0 to 2 in 3 rows at least, .*; label 1 has 0"),
        ({"y_train": np.repeat([-1, 1], 6)}, "holds the label -1; labels are 0, 1"),
        ({"y_train": np.repeat([0, 1], 5)}, "the same number of rows, not 12 and 10"),
        ({"x_train": np.full((12, 2), "a")}, "x_train must hold numbers, not <U1"),
        ({"x_train": np.arange(12)}, r"\(rows, ...\), not \(12,\)"),
        ({"x_train": np.full((12, 2), np.nan)}, "not finite"),
        ({"x_test": np.zeros((4, 3))}, r"rows of shape \(2,\) as x_train does, not \(3,\)"),
        ({"y_test": np.full(4, 2)}, "y_test holds the label 2; those of y_train are 0 to 1"),
        ({"y_test": None}, "x_test and y_test come together"),
    ],
)
def test_arrays_that_cannot_be_compared_are_refused_by_name(changes, said):
    good = {"x_train": np.zeros((12, 2)), "y_train": np.repeat([0, 1], 6)}
    good |= {"x_test": np.zeros((4, 2)), "y_test": np.repeat([0, 1], 2)}
    with pytest.raises(StudyError, match=said):
        data.dataset("mine", **good | changes)


def test_without_a_test_set_a_stratified_quarter_is_held_out():
    found = data.dataset("mine", np.arange(80.0).reshape(40, 2), np.repeat([0, 1], 20))
    assert np.bincount(found.y_test).tolist() == [5, 5]
    assert not {*map(tuple, found.x_train)} & {*map(tuple, found.x_test)}


def test_files_that_hold_no_such_arrays_are_refused_by_name(tmp_path):
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    np.savez(tmp_path / "objects.npz", x_train=np.array([{}]), y_train=np.zeros(1))
    (tmp_path / "text.npz").write_text("no arrays")
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name, said in {
        "nothing.npz": "nothing.npz does not exist",
        "other.npz": "must hold the arrays x_train and y_train; it holds images",
        "objects.npz": "objects.npz is not a whole .npz file of plain arrays",
        "text.npz": "text.npz is not a whole .npz file",
        "one.npy": "one.npy is not a whole .npz file",
    }.items():
        with pytest.raises(StudyError, match=said):
            data.read(tmp_path / name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["small"], "must be MODULE:FUNCTION"),
        (["m:f"], "required: --data"),
        (["m:f", "--data", "x.npz", "--optimizers", "Adam,Lion"], "no optimizer 'Lion'; there are Adam, AMSGrad,"),
        (["m:f", "--data", "x.npz", "--optimizers", "AMSGrad,AdaMax"], "judged against Adam"),
        (["m:f", "--data", "x.npz", "--optimizers", "Adam"], "one other at least"),
        (["m:f", "--data", "x.npz", "--grid", "0.1,0.01"], "must be as learning_rate="),
        (["m:f", "--data", "x.npz", "--grid", "momentum=0.9"], "learning_rate and beta_2, not for"),
        (["m:f", "--data", "x.npz", "--grid", "beta_2=1.5"], "values of beta_2 must be between 0 and 1"),
        (["m:f", "--data", "x.npz", "--name", "a/b"], "letters, digits"),
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


@pytest.mark.parametrize(("seeds", "verdict"), [(12, claims.SUPPORTED), (4, claims.INCONCLUSIVE)])
def test_a_better_optimizer_is_found_better_given_enough_runs(seeds, verdict):
    study = {"name": "compare-a-b", "title": "a on b", "command": "again --seeds {seeds}"}
    arms = [{"optimizer": "Adam"}, {"optimizer": "AMSGrad"}]  # AMSGrad's made-up loss is about a tenth lower
    runs, _ = made_up.fits("compare-a-b", arms, seeds=seeds)
    empty = pd.DataFrame(columns=CURVE_COLUMNS), pd.DataFrame(columns=PATH_COLUMNS)
    loss, accuracy = claims.verdicts(runs, *empty, of=[study | {"arms": arms}])[len(claims.CLAIMS) :]
    assert (loss.verdict, accuracy.verdict, loss.n) == (verdict, verdict, seeds)
    assert loss.p_holm >= 2 * loss.p or loss.p_holm >= accuracy.p
    assert loss.needs == (() if seeds > 10 else ("again --seeds 10",))


def test_progress_names_the_lowest_validation_loss_so_far(tmp_path):
    made_up.record(tmp_path, STUDIES["digits"])
    journal = Journal(tmp_path)
    records = journal.records(journal.plans()[0])
    lowest = min(records, key=lambda record: record["outcome"]["history"]["val_loss"][-1])
    shown = progress.Progress("digits", journal, [])
    shown.paths = sorted(tmp_path.glob("records/digits/*.json"))
    work, loss = lowest["work"], lowest["outcome"]["history"]["val_loss"][-1]
    expected = f"lowest validation loss {loss:.4g} ({work['optimizer']}, α = {work['learning_rate']:g}, "
    assert shown.best_so_far() == expected + f"β₂ = {work['beta_2']:g})"


def test_the_size_of_a_chunk_is_estimated_for_open_shapes_and_layers_that_are_shared():
    shared, first = layers.Dense(4), keras.Input((None, 4))
    model = keras.Model(first, shared(shared(first)))
    assert largest_chunk(model, slots=2, batch_size=32, memory=2**30, replicas=10) >= 1
