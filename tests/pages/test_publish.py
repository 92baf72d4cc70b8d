"""What is kept beside the code: the records of a results folder, and everything that comes from them."""

import dataclasses
import importlib.util
import shutil
from pathlib import Path

import pandas as pd
import pytest

from studies.catalog import STUDIES
from studies.claims.lineup import with_arms
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.records.record import FitRecord
from studies.report import answer
from tests import lineup_rows, made_up

STAGES = {"tuning": 2 * 3 * 3, "final": 2 * 8, "monitor": 1}  # fits of two arms, three rates, eight seeds
HERE = Path(__file__).parents[2] / "studies" / "published"

spec = importlib.util.spec_from_file_location("publish", HERE / "publish.py")
publishing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(publishing)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json")}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A results folder with one study, and where it was published."""
    results, kept = (tmp_path_factory.mktemp(name) for name in ("results", "kept"))
    made_up.record(results, STUDIES["perez-mlp"])
    publishing.publish(results, kept)
    return results, kept


def test_what_was_published_comes_back_to_the_byte(first, tmp_path):
    results, kept = first
    publishing.restore(tmp_path, kept)
    assert files(tmp_path) == files(results)


def test_publishing_again_changes_no_byte(first, tmp_path):
    _, kept = first
    copy = shutil.copytree(kept, tmp_path / "copy")
    publishing.restore(tmp_path / "results", kept)
    publishing.publish(tmp_path / "results", copy)
    assert {p.name: p.read_bytes() for p in copy.rglob("*.*")} == {p.name: p.read_bytes() for p in kept.rglob("*.*")}


def test_a_second_study_is_added_to_the_first(first, tmp_path):
    _, kept = first
    copy = shutil.copytree(kept, tmp_path / "copy")
    made_up.record(tmp_path / "results", STUDIES["digits"])
    publishing.publish(tmp_path / "results", copy)
    assert set(pd.read_csv(copy / "runs.csv")["study"]) == {"perez-mlp", "digits"}
    assert {path.name for path in (copy / "records").iterdir()} == {"perez-mlp.tar.xz", "digits.tar.xz"}
    page = (copy / "README.md").read_text()
    assert "`python -m studies run perez-mlp`" in page
    assert "`python -m studies run digits`" in page


def test_the_line_up_has_a_table_of_its_own_and_its_part_in_the_answer(tmp_path):
    results, kept = tmp_path / "results", tmp_path / "kept"
    kept.mkdir()
    for problem in ("digits", "wine"):
        lineup_rows.record(results, problem)
    made_up.record(results, STUDIES["digits"])
    publishing.publish(results, kept)
    assert {path.name for path in (kept / "records").iterdir()} == {
        *("digits.tar.xz", "lineup.digits.tar.xz", "lineup.wine.tar.xz"),
    }
    runs, _, own = publishing.kept_tables(kept)
    assert set(runs["study"]) == {"digits"}
    assert set(pd.read_csv(kept / "curves.csv.gz")["study"]) == {"digits"}
    assert own.groupby(["variant", "stage"]).size().to_dict() == {
        (problem, stage): n for problem in ("digits", "wine") for stage, n in STAGES.items()
    }
    page = (kept / "README.md").read_text()
    assert "In the line-up of 2 problems, all optimizers tuned alike, AMSGrad's test loss is lower than Adam's" in page
    assert "`python -m studies run lineup --variant wine --seeds 8 --epochs 3`" in page
    drawn = {path.name for path in (kept / "figures").iterdir() if path.name.startswith("lineup")}
    assert drawn == {"lineup-problems.png", "lineup-profiles.png", "lineup-paying.png"}
    report = (results / "report.html").read_text()
    assert "Wine: 4 measurements, 3 classes, feed-forward: 0.6" in report  # its target
    assert report.count('<figure id="lineup-') == 3


def test_restoring_leaves_newer_plans_and_records_alone(first, tmp_path):
    results, kept = first
    newer = shutil.copytree(results, tmp_path / "newer")
    (plan,) = (newer / "plans").glob("*.json")
    plan.write_text("newer")
    record = next((newer / "records").rglob("*.json"))
    record.unlink()
    publishing.restore(newer, kept)
    assert plan.read_text() == "newer"
    assert record.exists()


def test_an_empty_folder_is_refused_and_nothing_is_lost(first, tmp_path):
    _, kept = first
    before = {path: path.read_bytes() for path in kept.rglob("*.*")}
    with pytest.raises(StudyError, match="holds no study"):
        publishing.publish(tmp_path, kept)
    assert {path: path.read_bytes() for path in kept.rglob("*.*")} == before


def test_fewer_seeds_do_not_replace_what_is_kept(first, tmp_path):
    _, kept = first
    copy = shutil.copytree(kept, tmp_path / "copy")
    more = dataclasses.replace(STUDIES["perez-mlp"], seeds=STUDIES["perez-mlp"].seeds + 1)
    made_up.record(tmp_path / "more", more)
    publishing.publish(tmp_path / "more", copy)
    assert set(pd.read_csv(copy / "runs.csv")["seed"]) == set(range(more.seeds))
    before = {path: path.read_bytes() for path in copy.rglob("*.*")}
    with pytest.raises(StudyError, match="keeps 8 records that are not of this run"):
        publishing.publish(first[0], copy)
    assert {path: path.read_bytes() for path in copy.rglob("*.*")} == before


def test_a_run_at_the_smoke_scale_is_no_result(first, tmp_path):
    _, kept = first
    before = {path: path.read_bytes() for path in kept.rglob("*.*")}
    made_up.record(tmp_path, STUDIES["korzeniowski-vgg"].smoke())
    with pytest.raises(StudyError, match="korzeniowski-vgg has the smoke scale"):
        publishing.publish(tmp_path, kept)
    assert {path: path.read_bytes() for path in kept.rglob("*.*")} == before


def test_no_run_at_the_smoke_scale_is_kept_here(tmp_path):
    publishing.restore(tmp_path)
    assert not any(plan.is_small for plan in Journal(tmp_path).plans())


def test_every_record_that_is_kept_here_is_whole(tmp_path):
    publishing.restore(tmp_path)
    journal = Journal(tmp_path)
    for plan in journal.plans():
        assert journal.records(plan), plan.study.label
    assert not list(tmp_path.rglob("*.damaged"))
    runs = pd.concat([each for each in publishing.kept_tables() if "stage" in each])
    fits = {r.work for plan in journal.plans() for r in journal.records(plan) if isinstance(r, FitRecord)}
    assert len(runs) == len(fits)


def test_every_optimizer_of_a_published_problem_had_the_same_grid_budget_and_seeds():
    _, _, own = publishing.kept_tables()
    rows, arms = with_arms(own), len(STUDIES["lineup"].arms)
    for problem, mine in rows.groupby("problem"):
        for stage, fits in (("tuning", 9 * 3), ("final", 20)):
            of_stage = mine[mine["stage"] == stage]
            columns = ["seed", "epochs", "fold"] + ["learning_rate"] * (stage == "tuning")
            budgets = {frozenset(map(tuple, arm[columns].to_numpy().tolist())) for _, arm in of_stage.groupby("arm")}
            assert len(budgets) == 1, (problem, stage)
            assert of_stage.groupby("arm").size().tolist() == [fits] * arms, (problem, stage)
        seeds = [set(mine.loc[mine["stage"] == stage, "seed"]) for stage in ("tuning", "final")]
        assert not set.intersection(*seeds)
    assert rows["problem"].nunique() >= 1


def test_the_pages_say_what_the_tables_say():
    text, page = (path.read_text(encoding="utf-8") for path in (publishing.README, HERE / "README.md"))
    runs, paths, of_lineup = publishing.kept_tables()
    short, whole = publishing.counts_of(runs, of_lineup), publishing.answer_of(runs, paths, of_lineup)
    assert publishing.written(text, "answer") == f"{short}\n{answer.cost_in_words(answer.times(runs))}\n"
    assert short in page
    assert whole in page
    assert publishing.written(text, "verdicts") == publishing.summary(pd.read_csv(HERE / "verdicts.csv"))


def test_a_text_replaces_the_one_before(tmp_path):
    page = tmp_path / "page.md"
    begin, end = (mark.format("answer") for mark in (publishing.BEGIN, publishing.END))
    page.write_text(f"before\n{begin}old\n{end}after\n")
    for _ in range(2):
        publishing.write("new\n", "answer", page)
    assert page.read_text() == f"before\n{begin}new\n{end}after\n"
