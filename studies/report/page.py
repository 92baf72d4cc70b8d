"""The report: one page with the verdicts, tables and figures of every study in a results folder, from records only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from studies import claims, figures
from studies.catalog import SOURCES, STUDIES, NetworkStudy
from studies.catalog.metrics import SCORES, score_of
from studies.claims import Verdict
from studies.claims.own import only_own
from studies.figures import Drawing, bennatan
from studies.records import tables
from studies.records.tables import Found
from studies.report import answer, lineup, own
from studies.report.rendering import saved, template
from studies.report.section import facts, repeats_of, section, source_of
from studies.results import judged, whole


def write_report(out: Path | str) -> Path:
    """Write report.html, figures/ and the tables for every study found in the folder `out`; return the page's path."""
    found = in_order(tables.with_records(out))
    return write_page(out, found, judged(found))


def write_page(out: Path | str, found: Found, verdicts: list[Verdict]) -> Path:
    """Write the report of (plan, records) pairs in their order; return the page's path."""
    out = Path(out)
    rows = tables.all_of([record for _, each in found for record in each])
    of_lineup, found = tables.apart(found)
    with matplotlib.rc_context(figures.PAGE):
        lead = _lead(out, found, verdicts)
        sources = [_source(out, key, plans) for key, plans in _by_source(found)]
        beside = _lineup(out, of_lineup, found) if of_lineup else None
    claims.frame(verdicts).to_csv(out / "verdicts.csv", index=False)
    answer.tuned(tables.runs(whole(found))).to_csv(out / "answer.csv", index=False)
    tables.write_tables(rows, out)
    page = out / "report.html"
    of_sources = [each for each in verdicts if not own.is_own(each)]
    groups = by_source(of_sources)
    unanswered = [each for each in of_sources if each not in [one for _, mine in groups for one in mine]]
    alone = only_own([plan.study for plan, _ in found])
    content: dict[str, Any] = {
        "lead": lead,
        "own": own.groups(verdicts),
        "groups": groups,
        "open": unanswered,
        "sources": sources,
        "lineup": beside,
    }
    text = template("report.html").render(**content, alone=alone, rows=rows, scores=scores_of(found))
    page.write_text(text, encoding="utf-8")
    return page


def _lineup(out: Path, found: Found, others: Found) -> dict[str, Any]:
    """Return what the page says about the line-up, of `others` the comparisons of one's own beside it.

    Problems at the smoke scale count as long as there are no others.
    """
    own = [pair for pair in others if only_own([pair[0].study])]
    titles = {plan.study.name: plan.study.title for plan, _ in own}
    beside = answer.tuned(tables.runs(whole(own))).replace({"study": titles})
    counted = [pair for pair in found if not pair[0].is_small] or found
    records, about = [record for _, each in counted for record in each], lineup.About.of([p.study for p, _ in counted])
    runs, curves = tables.runs(records), tables.curves(records)
    return {
        "sentences": lineup.sentences(runs, about.held_out),
        "figures": [saved(drawing, out / "figures", "lineup") for drawing in lineup.drawings(runs, about, beside)],
        "ranking": lineup.ranked(runs),
        "epochs": lineup.epochs(curves, about),
        "rates": lineup.learning_rates(runs, about.titles),
        "left_open": found[0][0].study.left_open,
        "problems": [
            facts(plan, each)
            | {"rows": " + ".join(map(str, plan.findings.data_rows))}
            | {"diverged": sum(record.outcome.status == "diverged" for record in each)}
            for plan, each in found
        ],
    }


def scores_of(found: Found) -> dict[str, str]:
    """Return the scores of the networks' studies among (plan, records) pairs, with their names."""
    used = [score_of(plan.study.loss) for plan, _ in found if isinstance(plan.study, NetworkStudy)]
    return {score: name for score, name in SCORES.items() if score in used}


def _lead(out: Path, found: Found, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return what the page begins with: the answer in sentences, a picture of it, and its numbers as a table.

    Of one published problem its curves come with it; comparisons of one's own have one picture of all optimizers.
    """
    runs = tables.runs(whole(found))
    tuned = own.with_verdicts(answer.tuned(runs), verdicts)
    titles = {plan.study.name: plan.study.title for plan, _ in found if not plan.study.variant}
    alone = only_own([plan.study for plan, _ in found])
    drawn = (
        [figures.answer.forest(tuned.drop(columns="verdict"), titles)]
        if alone and len(tuned)
        else forests(tuned.drop(columns="verdict"), titles)
    )
    pictures = [saved(drawing, out / "figures", "answer") for drawing in drawn]
    if tuned["study"].nunique() == 1 and not alone:
        name = tuned["study"].iloc[0]
        its = [record for plan, each in found if plan.study.label == name for record in each]
        drawings = bennatan.of_answer(repeats_of(tables.curves(its)))
        pictures += [saved(drawing, out / "figures", name) for drawing in drawings]
    return {
        "sentences": own.answers(tuned, titles, [plan.study.name for plan, _ in found if only_own([plan.study])]),
        "more": answer.more(runs, tables.paths(whole(found))),
        "figures": pictures,
        "rows": answer.in_words(tuned, titles),
    }


def forests(tuned: pd.DataFrame, titles: dict[str, str]) -> list[Drawing]:
    """Return the picture of the answer: of AMSGrad, or where that was not run of every other optimizer."""
    own = tuned[tuned["optimizer"] == "AMSGrad"] if "AMSGrad" in set(tuned["optimizer"]) else tuned
    return [figures.answer.forest(mine, titles) for _, mine in own.groupby("optimizer", sort=False)]


def by_source(verdicts: list[Verdict]) -> list[tuple[str, list[Verdict]]]:
    """Return [(source, its verdicts that were run)] of every source of which something was run here."""
    run = [each for each in verdicts if each.counted]
    names = dict.fromkeys(each.claim.source_name for each in run if not each.by_author)
    return [(name, [each for each in run if each.claim.source_name == name]) for name in names]


def in_order(found: Found) -> Found:
    """Return (plan, records) pairs in the catalog's order, each study before its variants; others come last."""
    names = [*STUDIES, *(plan.study.name for plan, _ in found)]
    return sorted(found, key=lambda each: (names.index(each[0].study.name), str(each[0].study.variant)))


def _by_source(found: Found) -> list[tuple[str, Found]]:
    """Return (source's key, plans with records) in the order of the sources; a variant stands with its study."""
    keys = [source_of(plan.study) for plan, _ in found]
    pairs = [(key, [each for own, each in zip(keys, found, strict=True) if own == key]) for key in SOURCES]
    return [(key, plans) for key, plans in pairs if plans]


def _source(out: Path, key: str, found: Found) -> dict[str, Any]:
    """Return what the page says about one source: its studies, and what sets them side by side."""
    records = [record for plan, each in found for record in each if not plan.is_small or len(found) == 1]
    runs, curves = repeats_of(tables.runs(records)), repeats_of(tables.curves(records))
    together = figures.of_source(key).together(runs, curves) if len(runs) and key != "own" else []
    return {
        "id": f"source-{key}",
        "title": SOURCES[key].citation,
        "figures": [saved(drawing, out / "figures", key) for drawing in together],
        "studies": [section(out, plan, each) for plan, each in found],
    }
