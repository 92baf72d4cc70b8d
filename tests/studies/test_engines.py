"""Both engines give the same records, whatever the study asks for."""

import dataclasses
import json

import numpy as np
import pytest

from studies.catalog import STUDIES, Arm, Search
from studies.catalog.fit import fit_of
from studies.data import official
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.records.outcome import Outcome
from studies.records.tables import runs
from studies.training import estimator, repeats, search
from studies.training.engines import Dask, Processes, Replicas, engine_of
from studies.training.workspace import Workspace

DIGITS = STUDIES["digits"].smoke()
PLAIN = Arm("Adam", 0.01, 0.999)


class Silent:
    def __init__(self):
        self.notes = []

    def under_way(self, work, epoch, epochs):
        pass

    def note(self, text):
        self.notes.append(text)


@pytest.fixture(scope="module")
def data():
    return official.load("digits").prepared(dataclasses.replace(DIGITS, train_rows=300, test_rows=100))


def both(fits, data, tmp_path):
    """Return the outcomes of some fits by each engine: (of replicas, of processes)."""
    found = []
    for engine in (Replicas(), Processes()):
        journal = Journal(tmp_path / engine.name)
        engine.train(fits, Workspace(data, journal, Silent()))
        found.append([journal.find(fit) for fit in fits])
    return found


def assert_alike(outcomes):
    for ours, theirs in zip(*outcomes, strict=True):
        assert ours.status == theirs.status
        for name, values in theirs.history.items():
            np.testing.assert_allclose(ours.history[name], values, rtol=1e-3, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    "arm",
    [
        dataclasses.replace(PLAIN, schedule="linear"),
        dataclasses.replace(PLAIN, schedule="inverse-sqrt-epoch"),
        dataclasses.replace(PLAIN, schedule="inverse-sqrt-update"),
        dataclasses.replace(PLAIN, schedule="warm-restarts", options={"normalized_decay": 0.025}),
        dataclasses.replace(PLAIN, options={"weight_decay": 0.1}),
        dataclasses.replace(PLAIN, l2=0.01),
        Arm("AMSGrad", 0.01, 0.99, bias_correction=False),
    ],
    ids=["linear", "epoch", "update", "AdamW", "decoupled", "L2", "not corrected"],
)
def test_an_arm_trains_alike_by_both_engines_and_unlike_the_plain_one(arm, data, tmp_path):
    study = dataclasses.replace(DIGITS, epochs=3, seeds=1)
    outcomes = both(repeats.repeat_fits(study, data, [arm, PLAIN]), data, tmp_path)
    assert_alike(outcomes)
    assert outcomes[0][0].history["train_loss"] != outcomes[0][1].history["train_loss"]


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "clipped_crossentropy", "fill_last_batch": True},
        {"loss": "binary_crossentropy"},
        {"center": True, "divide_by": 1},
    ],
    ids=["clipped, filled", "binary", "centred"],
)
def test_a_study_trains_alike_by_both_engines(changes, tmp_path):
    study = dataclasses.replace(DIGITS, epochs=2, seeds=2, train_rows=300, test_rows=100, **changes)
    data = official.load("digits").prepared(study)
    assert_alike(both(repeats.repeat_fits(study, data, [PLAIN]), data, tmp_path))


def test_flipped_images_and_dropout_are_alike_by_both_engines(tmp_path):
    study = dataclasses.replace(
        DIGITS, epochs=2, seeds=1, train_rows=200, test_rows=100, flip=True, model="cnn-dropout"
    )
    digits = official.load("digits").prepared(study)
    assert_alike(both(repeats.repeat_fits(study, digits, [PLAIN]), digits, tmp_path))


def test_the_clipped_loss_is_the_ordinary_one_where_nothing_is_clipped(data, tmp_path):
    first, second = (
        dataclasses.replace(DIGITS, epochs=1, seeds=1, loss=loss)
        for loss in ("clipped_crossentropy", "sparse_categorical_crossentropy")
    )
    histories = [both(repeats.repeat_fits(s, data, [PLAIN]), data, tmp_path)[0][0].history for s in (first, second)]
    for name in histories[0]:
        assert histories[0][name] == pytest.approx(histories[1][name], rel=1e-5)


def test_a_search_fit_stops_alike_by_both_engines_when_its_loss_does_not_go_down(data, tmp_path):
    of_search = Search(learning_rates=(1e-3, 3.0), beta_2s=(0.999,), epochs=8, patience=1)
    study = dataclasses.replace(DIGITS, search=of_search, train_rows=300, test_rows=100)
    outcomes = both(search.search_fits(study, data, Arm("Adam"))[::3], data, tmp_path)
    assert [outcome.status for outcome in outcomes[0]] == ["ok", "stopped"]
    assert [outcome.status for outcome in outcomes[1]] == ["ok", "stopped"]
    assert [len(o.history["val_loss"]) for o in outcomes[0]] == [len(o.history["val_loss"]) for o in outcomes[1]]


def test_what_replicas_cannot_do_is_trained_one_after_another_and_said(data, tmp_path, monkeypatch):
    study = dataclasses.replace(DIGITS, epochs=1, seeds=1)
    arms = [
        PLAIN,
        Arm("Nadam", 0.01, 0.999, None, options={"momentum_decay": None}),
        Arm("SWATS", 0.01, 0.999, None),
        Arm("SGD", 0.01, None, None, options={"momentum": 0.9}),
    ]
    fits, journal, progress, alone = repeats.repeat_fits(study, data, arms), Journal(tmp_path), Silent(), []
    monkeypatch.setattr(estimator.StudyClassifier, "_train", seen(alone, estimator.StudyClassifier._train))
    Replicas().train(fits, Workspace(data, journal, progress))
    assert [each.work.optimizer for each in alone] == ["SWATS"]
    assert progress.notes == ["SWATS will be trained one after another: not rules weight by weight"]
    journal.plan(study, fits)
    table = runs(journal.records(journal.plans()[0]))
    assert list(table["optimizer"]) == ["Adam", "Nadam", "SWATS", "SGD"]
    assert (table["val_accuracy"] > 0.1).all()
    assert json.loads(journal.path(fits[3]).read_text())["work"]["options"] == {"momentum": 0.9}


def seen(noted, method):
    """Return a method that does what `method` does, and notes in a list the object that it is called on."""

    def noting(self, *arguments):
        noted.append(self)
        return method(self, *arguments)

    return noting


@pytest.mark.parametrize("engine", [Replicas(), Processes(jobs=2)], ids=lambda engine: engine.name)
def test_what_has_an_outcome_is_not_trained_again(engine, data, tmp_path, monkeypatch):
    study = dataclasses.replace(DIGITS, epochs=1, seeds=1)
    fits, journal = repeats.repeat_fits(study, data, [PLAIN, Arm("SGD", 0.01, None, None)]), Journal(tmp_path)
    for fit in fits:
        journal.write(fit, Outcome("ok", {}, 1.0, "none", "cpu:0", {}))
    engine.train(fits, Workspace(data, journal, Silent()))
    assert {journal.find(fit).backend for fit in fits} == {"none"}


@pytest.mark.parametrize(
    ("options", "engine"),
    [
        ({}, Replicas()),
        ({"together": 5}, Replicas(5)),
        ({"name": "replicas", "jobs": 1}, Replicas()),
        ({"jobs": 1}, Processes(1)),
        ({"jobs": 3}, Processes(3)),
        ({"name": "gridsearch"}, Processes(1)),
        ({"dask": "tcp://a:1"}, Dask("tcp://a:1")),
        ({"name": "replicas", "dask": "tcp://a:1"}, Dask("tcp://a:1")),
        ({"name": "gridsearch", "dask": "tcp://a:1"}, Dask("tcp://a:1", "gridsearch")),
        ({"dask": "tcp://a:1", "together": 5}, Dask("tcp://a:1", together=5)),
    ],
    ids=str,
)
def test_options_choose_an_engine(options, engine):
    assert engine_of(**options) == engine


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "fast"}, "--engine must be replicas or gridsearch, not 'fast'"),
        ({"name": "replicas", "jobs": 2}, "--engine replicas is one program .* leave out --jobs"),
        ({"name": "gridsearch", "together": 5}, "--together is for replicas"),
        ({"name": "gridsearch", "dask": "tcp://a:1", "together": 5}, "--together is for replicas"),
    ],
    ids=str,
)
def test_options_that_exclude_each_other_are_refused(options, said):
    with pytest.raises(StudyError, match=said):
        engine_of(**options, option="--{}")


def test_a_cluster_is_not_asked_to_read_arrays_that_only_this_process_has(data, tmp_path):
    pytest.importorskip("distributed")
    own = dataclasses.replace(data, name="arrays", preparation=None)
    with pytest.raises(StudyError, match="The workers of a cluster cannot read arrays"):
        Dask("tcp://127.0.0.1:9").train([], Workspace(own, Journal(tmp_path), Silent()))


def test_the_linear_schedule_is_that_of_the_source():
    from studies.training.build import optimizer_of

    fit = fit_of(
        dataclasses.replace(DIGITS, batch_size=100),
        dataclasses.replace(official.load("digits")),
        dataclasses.replace(PLAIN, schedule="linear"),
        stage="repeat",
        epochs=150,
    )
    rate = optimizer_of(fit, rows=450)._learning_rate
    for epoch in (0, 1, 74, 149):
        assert float(rate(5 * epoch)) == pytest.approx(0.01 * (1 - epoch / 150), rel=1e-5)
        assert float(rate(5 * epoch + 4)) == pytest.approx(0.01 * (1 - epoch / 150), rel=1e-5)
