"""What the report says of the line-up, from made-up records."""

import dataclasses
import re

import pandas as pd
import pytest

from studies.catalog import STUDIES, OwnCommand, Search
from studies.catalog.lineup import Statement
from studies.claims import lineup as claims
from studies.report import lineup, page
from tests import lineup_rows, made_up


def text_of(out):
    return page.write_report(out).read_text(encoding="utf-8")


def figures_of(text):
    return re.findall(r'<figure id="lineup-([^"]+)"', text)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A results folder with two problems, and a comparison of one's own beside them."""
    out = tmp_path_factory.mktemp("both")
    for problem in ("digits", "words-rare"):
        lineup_rows.record(out, problem)
    mine = dataclasses.replace(
        STUDIES["digits"],
        name="mine",
        title="My own model",
        source="own",
        seeds=8,
        search=Search((0.001, 0.01), (0.999,), epochs=2),
        own_command=OwnCommand("my_models:small"),
    )
    made_up.record(out, mine)
    return out


def test_one_s_own_comparison_stands_among_the_problems(out):
    text = text_of(out)
    assert figures_of(text) == ["problems", "profiles", "paying", "yours"]
    rows = pd.read_csv(out / "figures" / "lineup-yours.csv")
    assert rows.groupby("own")["problem"].agg(list).to_dict()[True] == ["My own model"]
    assert len(rows) == 3
    assert rows["estimate"].is_monotonic_increasing


def test_the_page_without_a_comparison_has_no_such_figure_and_says_which_problems_are_held_out(tmp_path):
    lineup_rows.record(tmp_path, "words-rare")
    text = text_of(tmp_path)
    assert figures_of(text) == ["problems", "profiles", "paying"]
    assert "Texts in which a rare word decides: embedding (held out)" in text
    assert "<code>python -m studies run lineup --variant words-rare --seeds 8 --epochs 3</code>" in text


def test_problems_without_all_their_runs_are_said_to_be_open(tmp_path):
    lineup_rows.record(tmp_path, "digits", seeds=2)  # fewer than can be judged
    text = text_of(tmp_path)
    assert "No problem has its runs of every optimizer yet" in text
    assert figures_of(text) == []


def test_the_sentences_have_the_counts_of_the_rows():
    runs, _ = lineup_rows.rows(problems=("a", "b", "c", "d", "e", "f"))
    said = lineup.sentences(runs, held_out=("c",), statement=Statement(""))
    apart = claims.differences(runs)
    ahead = (apart[apart["arm"] == "AMSGrad"]["outcome"] == "supported").sum()
    assert f"lower than Adam's by more than 1 % on {ahead} and higher on 0" in said[0]
    assert "for 2: AMSGrad (" in said[1]
    assert "0 of 18 searches." in said[2]
    assert said[-1].endswith("It is right on 0 of these 1: contradicted.")


def test_of_few_problems_nothing_is_said_of_all_together():
    runs, _ = lineup_rows.rows(problems=("a", "b", "c", "d", "e"))
    text = " ".join(lineup.sentences(runs, held_out=()))
    assert "In the line-up of 5 problems" in text
    assert "Bayesian" not in text
    assert "interquartile" not in text


def test_a_rate_at_an_end_of_the_grid_has_a_star():
    runs, _ = lineup_rows.rows()
    runs.loc[runs["optimizer"].eq("SGD") & runs["stage"].eq("final"), "learning_rate"] = 0.1
    table = lineup.learning_rates(runs, {"a": "First"}).set_index("problem")
    assert table.loc["First", ["Adam", "SGD"]].tolist() == ["0.01", "0.1 *"]
    assert ": 3 of SGD." in " ".join(lineup.sentences(runs, held_out=()))
