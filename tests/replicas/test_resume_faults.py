"""Folders that are damaged, full or in use, and fits that no replica trains: nothing is lost, nothing is mixed."""

import errno
import os
import subprocess
import warnings

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from keras_amsgrad import journal
from keras_amsgrad.model_selection import ReplicaGridSearchCV, ReplicaWarning, ResumeError
from keras_amsgrad.model_selection.kept_fits import KeptFits
from keras_amsgrad.replicas.replica import Outcome
from tests.replicas.resuming import RATES, assert_identical, records, weights
from tests.replicas.test_own_fits import FOLDS, NAMES, X, classifier
from tests.replicas.test_pipelines import FIT, wrapped

RATE = "optimizer__learning_rate"


def grid(folder, estimator=None, **settings):
    settings = {"cv": FOLDS, "scoring": "neg_log_loss", **settings}
    return ReplicaGridSearchCV(estimator or classifier(), {RATE: RATES[:2]}, resume=folder, **settings)


def messages(search, **data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, NAMES, **data)
    return [str(warning.message) for warning in caught if issubclass(warning.category, ReplicaWarning)]


# Damaged files


def changed(path):
    """Change one byte of the last array, where a reader of zip files sees nothing before it reads the array."""
    content = bytearray(path.read_bytes())
    place = content.rindex(b"\x93NUMPY") + 130
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:300]), id="truncated"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(changed, id="changed"),
        pytest.param(lambda path: np.savez(path, record=np.array([{}], object)), id="a pickle"),
        pytest.param(lambda path: np.savez(path, other=np.zeros(3)), id="foreign"),
    ],
)
def test_what_is_damaged_is_set_aside_with_one_warning_and_trained_again(damage, tmp_path, trained):
    whole = grid(tmp_path).fit(X, NAMES)
    kept, paths = records(tmp_path), sorted(tmp_path.glob("fits/*.npz"))
    for path in paths[:2]:
        damage(path)
    trained.clear()
    again = grid(tmp_path)
    (message,) = messages(again)
    assert message.startswith(f"2 files in {tmp_path} are damaged or no records of fits")
    assert sorted(tmp_path.glob("fits/*.damaged")) == [path.with_suffix(".damaged") for path in paths[:2]]
    assert_identical(again, whole)
    np.testing.assert_equal(weights(again), weights(whole))
    assert records(tmp_path).keys() == kept.keys()
    assert all(records(tmp_path)[path.name] == kept[path.name] for path in paths[2:])
    assert sum(trained) <= 4


def test_a_record_under_another_name_is_not_believed(tmp_path):
    kept = KeptFits(tmp_path)
    kept.write("one", Outcome("ok", {"loss": [1.0]}, [], None, 1.0), np.arange(3), with_state=False)
    (tmp_path / "fits" / "one.npz").rename(tmp_path / "fits" / "two.npz")
    assert KeptFits(tmp_path).has("two")
    assert KeptFits(tmp_path).read("two") is None
    assert (tmp_path / "fits" / "two.damaged").exists()


@pytest.mark.parametrize("kind", ["calls", "seeds", "unfinished"])
def test_other_files_may_be_damaged_too(kind, tmp_path, trained):
    estimator = classifier().set_params(random_state=None)
    grid(tmp_path, estimator, refit=False).fit(X, NAMES)
    (tmp_path / "unfinished").mkdir(exist_ok=True)
    (tmp_path / "unfinished" / "0.npz").write_bytes(b"PK")
    for path in (tmp_path / kind).iterdir():
        path.write_bytes(b"PK\3\4 not the rest of it")
    trained.clear()
    found = messages(grid(tmp_path, estimator, refit=False))
    assert len(found) == (0 if kind == "unfinished" else 1)
    assert sum(trained) == (4 if kind == "seeds" else 0)


def test_records_keep_every_number_and_every_type(tmp_path):
    arrays = [np.array(1.5), np.zeros((0, 3)), np.arange(6, dtype="int8").reshape(2, 3)[:, ::2]]
    arrays.append(keras.ops.convert_to_numpy(keras.ops.cast([1.5, -2.0], "bfloat16")))
    content = {"nan": float("nan"), "infinite": -float("inf"), "small": 5e-324, "text": "α"}
    journal.write(tmp_path / "record.npz", content, arrays)
    read, found = journal.read(tmp_path / "record.npz")
    assert repr(read) == repr(content)
    for mine, theirs in zip(found, arrays, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    with np.load(tmp_path / "record.npz", allow_pickle=False) as file:
        assert not any(file[name].dtype.hasobject for name in file.files)


# Folders that cannot be used


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("something")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ResumeError, match="`resume` cannot be") as error:
            grid(folder).fit(X, NAMES)
        assert str(folder) in one_line(error)
    assert (tmp_path / "file").read_text() == "something"


def test_two_searches_in_one_folder_are_refused(tmp_path):
    with KeptFits(tmp_path).opened(), pytest.raises(ResumeError, match="Another search is at work in") as error:
        grid(tmp_path).fit(X, NAMES)
    one_line(error)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ResumeError, match="Permission denied") as error:
        grid(tmp_path).fit(X, NAMES)
    one_line(error)


@pytest.fixture
def disk(tmp_path):
    """A folder on a file system of its own, of 100 kB."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_folder_on_a_disk_that_is_mounted_to_read_only_is_named(disk):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(ResumeError, match="Read-only file system") as error:
        grid(disk).fit(X, NAMES)
    one_line(error)


def test_a_full_disk_ends_in_one_line_and_loses_nothing(disk, trained):
    (disk / "other").write_bytes(b"0" * 78_000)
    with pytest.raises(ResumeError, match="No space left on device") as error:
        grid(disk).fit(X, NAMES)
    assert "goes on from there" in one_line(error)
    kept = records(disk)
    assert 0 < len(kept) < 5
    assert not list(disk.rglob("*.part"))
    (disk / "other").unlink()
    again = grid(disk).fit(X, NAMES)
    assert kept.items() <= records(disk).items()
    assert_identical(again, grid(None).fit(X, NAMES))


# Fits by the estimator's own `fit`


@pytest.fixture
def own_fits(monkeypatch):
    """The fits by Keras's `fit`: a list that grows."""
    found, fit = [], keras.Model.fit
    monkeypatch.setattr(keras.Model, "fit", lambda *data, **settings: found.append(1) or fit(*data, **settings))
    return found


def alone():
    return classifier(run_eagerly=True, epochs=1, batch_size=75)


@pytest.mark.parametrize("kind", ["scikeras", "pipeline"])
def test_what_the_estimators_own_fit_has_trained_is_kept_too(kind, tmp_path, own_fits):
    estimator, names = alone(), RATE
    if kind == "pipeline":
        estimator, names = make_pipeline(PCA(3, random_state=0), estimator), f"kerasclassifier__{RATE}"
    settings = {"cv": FOLDS, "scoring": "neg_log_loss", "resume": tmp_path}
    search = ReplicaGridSearchCV(estimator, {names: RATES[3:]}, **settings)
    (message,) = messages(search)
    assert "`run_eagerly` is not supported" in message
    assert len(own_fits) == 5
    again = ReplicaGridSearchCV(estimator, {names: RATES[3:]}, **settings)
    assert messages(again) == []
    assert len(own_fits) == 5
    assert_identical(again, search)
    np.testing.assert_equal(weights(again), weights(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    np.testing.assert_array_equal(again.cv_results_["mean_fit_time"], search.cv_results_["mean_fit_time"])


def test_what_a_wrapper_of_keras_has_trained_by_itself_is_kept_too(tmp_path, own_fits):
    callbacks = [keras.callbacks.LambdaCallback(on_train_begin=lambda logs: None)]
    grid = {"model_kwargs": [{"alpha": 0.1}], "fit_kwargs": [{**FIT, "callbacks": callbacks}]}
    settings = {"cv": FOLDS, "resume": tmp_path, "refit": False}
    searches = [ReplicaGridSearchCV(keras.wrappers.SKLearnClassifier(wrapped), grid, **settings) for _ in range(2)]
    for search in searches:
        messages(search)
    assert len(own_fits) == 2
    np.testing.assert_array_equal(*[search.cv_results_["mean_test_score"] for search in searches])


def test_an_own_fit_that_cannot_be_kept_ends_the_search_after_its_batch(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(journal, "write", full)
    with pytest.warns(ReplicaWarning), pytest.raises(ResumeError, match="No space left on device"):
        grid(tmp_path, alone(), refit=False).fit(X, NAMES)


def test_what_is_not_kept_is_said_once(tmp_path):
    (message,) = messages(ReplicaGridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=FOLDS, resume=tmp_path))
    assert message.endswith("`resume` keeps none of them.")

    with open(os.devnull) as file:

        def model(meta):
            file.fileno()
            return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])

        (message,) = messages(grid(tmp_path, classifier().set_params(model=model)))
    assert (
        message
        == "4 of 4 fits are not kept, and each search trains them again: a TextIOWrapper cannot be told from another."
    )
    assert records(tmp_path) == {}
