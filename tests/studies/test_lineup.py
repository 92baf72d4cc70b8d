"""The line-up as a study: what its records prove of rows, grids, budgets and seeds, and how it is extended."""

import dataclasses
import re
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from keras_amsgrad import Adam
from keras_amsgrad.replicas import Replica, UnsupportedError, train
from studies import lineup
from studies.catalog import STUDIES, Arm
from studies.catalog.lineup import FINAL, SEEDS_OF_TUNING, TUNING, lineup_of
from studies.catalog.problems import PROBLEMS, Problem
from studies.command_line.main import main
from studies.data.folds import folds
from studies.errors import StudyError
from studies.records import tables
from studies.records.journal import Journal
from studies.run import run
from studies.training import batchwise
from studies.training import lineup as fits

ROOT = Path(__file__).parents[2]
TWO = (Arm("Adam"), Arm("NDAdam", bias_correction=None))  # one trains as replicas, the other cannot


def points():
    """Return 96 points in the plane, and on which side of a line they lie, a tenth of them wrong."""
    random = np.random.default_rng(3)
    x = random.normal(size=(96, 2))
    return x, ((x.sum(1) > 0) ^ (random.random(96) < 0.1)).astype(int)


def points_with_other_test_rows():
    """Return the same points, those of the test set moved far away; labels stay, for rows are divided by them."""
    x, y = points()
    x[rows_of_the_test_set(x)] += 5
    return x, y


def rows_of_the_test_set(x):
    data = lineup.data_of(SMALL, STUDIES["lineup"])
    return np.array([any(np.allclose(row, own) for own in data.x_test) for row in x.astype("float32")])


def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)])


SMALL = Problem(
    name="points",
    title="Points in the plane",
    data=points,
    network=network,
    loss="logits_crossentropy",
    target=0.6,
    epochs=3,
    batch_size=4,
)


def small(problem=SMALL, arms=TWO):
    """Return the line-up of one small problem: two arms, four seeds, three learning rates, two seeds of tuning."""
    study = lineup_of((problem,))
    search = dataclasses.replace(study.search, learning_rates=(0.003, 0.03, 0.3), seeds=SEEDS_OF_TUNING[:2])
    return dataclasses.replace(study, arms=arms, seeds=4, search=search)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("lineup")
    run(small(), out, verbose=0)
    return out


@pytest.fixture(scope="module")
def runs(out):
    return pd.read_csv(out / "runs.csv")


def test_every_arm_gets_the_same_grid_budget_and_seeds(runs):
    for stage, tried in ((TUNING, {0.003, 0.03, 0.3}), (FINAL, None)):
        mine = runs[runs["stage"] == stage]
        of_arms = {
            tuple(sorted(zip(arm["seed"], arm["epochs"], arm["fold"], strict=True)))
            for _, arm in mine.groupby("optimizer")
        }
        assert len(of_arms) == 1, stage
        rates = {frozenset(arm["learning_rate"]) for _, arm in mine.groupby("optimizer")}
        assert all(rate == tried for rate in rates) if tried else {len(rate) for rate in rates} == {1}
    assert runs.groupby("stage").size().to_dict() == {TUNING: 2 * 3 * 2, FINAL: 2 * 4, "monitor": 1}
    assert not set(runs.loc[runs["stage"] == TUNING, "seed"]) & set(runs.loc[runs["stage"] == FINAL, "seed"])


def test_the_learning_rate_is_chosen_by_the_validation_loss_at_each_run_s_best_epoch(runs):
    for name, arm in runs[runs["stage"] != "monitor"].groupby("optimizer"):
        means = arm[arm["stage"] == TUNING].groupby("learning_rate")["best_val_loss"].mean()
        assert set(arm.loc[arm["stage"] == FINAL, "learning_rate"]) == {means.idxmin()}, name


def test_the_rows_that_train_validate_and_test_are_apart():
    study, data = lineup.study_of(SMALL, small())
    validates = folds(data.y_train, study.search.folds, study.search.fold_seed) == 0
    parts = [data.x_train[~validates], data.x_train[validates], data.x_test]
    assert [len(part) for part in parts] == [54, 18, 24]
    assert len(np.unique(np.concatenate(parts), axis=0)) == 96


def test_test_rows_choose_nothing(out, tmp_path):
    """With all test rows changed, whatever is not measured on them stays as it is, in every record, to the digit."""
    changed = dataclasses.replace(SMALL, data=points_with_other_test_rows)
    run(small(changed), tmp_path, verbose=0)
    before, after = (_histories(folder) for folder in (out, tmp_path))
    assert before.keys() == after.keys()
    apart = 0
    for key, history in before.items():
        for name, values in history.items():
            if name.startswith("test_"):
                apart += values != after[key][name]
            else:
                assert values == after[key][name], (key, name)
    assert apart >= 8  # of each final run the test loss, at least


def _histories(out):
    """Return {(stage, optimizer, learning rate, seed): history} of every record."""
    records = tables.records(out)
    return {
        (each.work.stage, each.work.optimizer, each.work.learning_rate, each.work.seed): each.outcome.history
        for each in records
    }


def test_only_final_runs_are_measured_on_test_rows(out):
    for (stage, *_), history in _histories(out).items():
        assert ("test_loss" in history) == (stage == FINAL)


def test_inputs_are_standardized_by_the_rows_that_train():
    data = lineup.data_of(dataclasses.replace(SMALL, standardize=True), small())
    trains = folds(data.y_train, 4, 0) != 0
    assert data.x_train[trains].mean(0) == pytest.approx(0, abs=1e-6)
    assert data.x_train[trains].std(0) == pytest.approx(1, abs=1e-5)
    assert data.x_test.mean(0) != pytest.approx(0, abs=1e-6)


def test_both_the_best_and_the_last_epoch_are_kept(out, runs):
    histories = _histories(out)
    for row in runs[runs["stage"] == FINAL].itertuples():
        history = histories[row.stage, row.optimizer, row.learning_rate, row.seed]
        best = int(np.argmin(history["val_loss"]))
        assert row.test_loss_at_best == pytest.approx(history["test_loss"][best])
        assert row.test_loss == pytest.approx(history["test_loss"][-1])


def test_adam_is_monitored(runs):
    (monitored,) = runs[runs["stage"] == "monitor"].itertuples()
    assert (monitored.optimizer, monitored.bias_correction) == ("Adam", False)
    assert 0 <= monitored.train_negative_gamma <= 1
    assert monitored.train_tail_index > 1


def test_the_report_shows_the_line_up_and_running_again_trains_nothing(out, monkeypatch):
    page = (out / "report.html").read_text()
    assert "The line-up: every optimizer on problems of many kinds" in page
    assert "Points in the plane" in page
    before = (out / "runs.csv").read_bytes()
    monkeypatch.setattr(batchwise, "trained", lambda *arguments: pytest.fail("trained again"))
    monkeypatch.setattr(Journal, "write", lambda *arguments: pytest.fail("trained again"))
    run(small(), out, verbose=0)
    assert (out / "runs.csv").read_bytes() == before


def test_a_fit_batch_by_batch_is_the_fit_as_a_replica(out):
    study, data = lineup.study_of(SMALL, small())
    records = {record.work: record.outcome for record in tables.records(out)}
    adam = Arm("Adam", next(work.learning_rate for work in records if work.stage == FINAL), 0.999)
    fit = fits.final_fits(study, data, adam)[1]
    alone = batchwise.trained(fit, data)
    for name, values in records[fit].history.items():
        assert alone.history[name] == pytest.approx(values, rel=2e-4), name


def test_test_rows_of_replicas_change_nothing():
    x, y = points()
    x, rows = x.astype("float32"), np.arange(48)

    def trained(test):
        replica = Replica(Adam(0.01), 0, rows, rows + 24, test=test)
        (outcome,) = train(network, [replica], x, y, loss=_loss(), epochs=2)
        return outcome

    without, with_test = trained(()), trained(np.arange(72, 96))
    assert {name for name in with_test.history if name.startswith("test_")} == {"test_loss", "test_accuracy"}
    assert without.history == {name: v for name, v in with_test.history.items() if not name.startswith("test_")}
    (as_validation,) = train(network, [Replica(Adam(0.01), 0, rows, np.arange(72, 96))], x, y, loss=_loss(), epochs=2)
    assert as_validation.history["val_loss"] == pytest.approx(with_test.history["test_loss"])


def test_early_stopping_cannot_monitor_test_rows():
    x, y = points()
    replica = Replica(Adam(0.01), 0, np.arange(48), np.arange(48, 72), test=np.arange(72, 96))
    stopping = keras.callbacks.EarlyStopping("test_loss", mode="min")
    with pytest.raises(UnsupportedError, match="test_loss"):
        train(network, [replica], x.astype("float32"), y, loss=_loss(), early_stopping=stopping)


def _loss():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def test_there_are_sixteen_problems_and_four_are_held_out():
    assert len(PROBLEMS) >= 16
    assert len({problem.name for problem in PROBLEMS}) == len(PROBLEMS)
    held_out = [problem for problem in PROBLEMS if problem.held_out]
    assert held_out == list(PROBLEMS[-4:])
    assert len({problem.data.partition(":")[0] for problem in held_out}) == 4  # of four kinds


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_a_problem_has_the_same_rows_every_time_and_a_network_that_suits_them(problem):
    study, data = lineup.study_of(problem, STUDIES["lineup"])
    assert data.fingerprint == lineup.data_of(problem, study).fingerprint
    assert not re.search(r"\+", study.model), "its network is another in every run"
    assert 100 <= len(data.y_train) + len(data.y_test) <= 3000
    assert study.loss == problem.loss


def test_a_loss_that_does_not_suit_the_data_is_named():
    wrong = dataclasses.replace(SMALL, loss="mean_squared_error")
    with pytest.raises(StudyError, match="The loss of points must be logits_crossentropy"):
        lineup.study_of(wrong, small())


def test_the_problem_in_contributing_runs(tmp_path, monkeypatch):
    """CONTRIBUTING shows a problem in ten lines: it registers, runs, and stands in the report."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?Problem\(.*?)```", text, re.DOTALL).group(1)
    assert sum(bool(line) for line in code.splitlines()) <= 12
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(STUDIES, "lineup", STUDIES["lineup"])
    exec(re.sub(r"^run\(", "few(", code, flags=re.MULTILINE), {"__name__": "contributing", "few": _few})
    assert "squares" in STUDIES["lineup"].problems
    assert set(pd.read_csv(tmp_path / "results" / "runs.csv")["variant"]) == {"squares"}
    assert "A sum of squares" in (tmp_path / "results" / "report.html").read_text()


def _few(study, out):
    """Run a line-up with one arm, one learning rate and one epoch."""
    search = dataclasses.replace(study.search, learning_rates=(0.01,), seeds=SEEDS_OF_TUNING[:1])
    run(dataclasses.replace(study, arms=TWO[:1], seeds=2, epochs=1, search=search), out, verbose=0)


def test_an_unknown_problem_is_named_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        main(["run", "lineup", "--variant", "nothing"])
    assert "it has breast-cancer, wine" in capsys.readouterr().err


@pytest.mark.slow
def test_the_smoke_scale_runs_every_problem_and_every_arm(tmp_path):
    assert main(["run", "lineup", "--scale", "smoke", "--out", str(tmp_path)]) == 0
    runs = pd.read_csv(tmp_path / "runs.csv")
    assert set(runs["variant"]) == {problem.name for problem in PROBLEMS}
    arms = runs[runs["stage"] == FINAL].groupby(["optimizer", "schedule", "bias_correction"], dropna=False).size()
    assert len(arms) == len(STUDIES["lineup"].arms)
    assert (tmp_path / "report.html").read_text().count("smoke scale: no result") == len(PROBLEMS)
