"""The report: one page with the verdicts, tables and figures of every study in a results folder, from records only."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib
import pandas as pd
from markupsafe import Markup

from studies import claims, figures
from studies.catalog import SOURCES, STUDIES, NetworkStudy, Study, catalogued, command_of
from studies.catalog.metrics import ROPES, SCORES, is_score, score_of
from studies.claims import Verdict
from studies.claims.own import only_own
from studies.figures import Drawing, bennatan, reddi
from studies.figures.style import with_series
from studies.figures.svg import inline, svg_text
from studies.records import tables
from studies.records.plan import Plan
from studies.records.record import FitRecord, Record
from studies.records.tables import Found
from studies.report import answer, cost, lineup, own
from studies.results import judged, whole

RATE = 1e13  # float32 operations a second that we take a data-centre GPU to sustain in small convolutions (D)
SMALL = 2500  # rows: more than these stay in the large tables, and have no CSV beside the figure


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
        section = _lineup(out, of_lineup, found) if of_lineup else None
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
    }
    content["lineup"] = section
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
        "figures": [_saved(drawing, out / "figures", "lineup") for drawing in lineup.drawings(runs, about, beside)],
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
    pictures = [_saved(drawing, out / "figures", "answer") for drawing in drawn]
    if tuned["study"].nunique() == 1 and not alone:
        name = tuned["study"].iloc[0]
        its = [record for plan, each in found if plan.study.label == name for record in each]
        drawings = bennatan.of_answer(_repeats(tables.curves(its)))
        pictures += [_saved(drawing, out / "figures", name) for drawing in drawings]
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


def source_of(study: Study) -> str:
    """Return the key of the source with which a study is shown. A variant may repeat what another source did."""
    return STUDIES[study.name].source if study.name in STUDIES else study.source


def _source(out: Path, key: str, found: Found) -> dict[str, Any]:
    """Return what the page says about one source: its studies, and what sets them side by side."""
    records = [record for plan, each in found for record in each if not plan.is_small or len(found) == 1]
    runs, curves = _repeats(tables.runs(records)), _repeats(tables.curves(records))
    together = figures.of_source(key).together(runs, curves) if len(runs) and key != "own" else []
    return {
        "id": f"source-{key}",
        "title": SOURCES[key].citation,
        "figures": [_saved(drawing, out / "figures", key) for drawing in together],
        "studies": [_section(out, plan, each) for plan, each in found],
    }


def _section(out: Path, plan: Plan, records: Sequence[Record]) -> dict[str, Any]:
    """Return what the page says about one study."""
    study, runs, paths = plan.study, tables.runs(records), tables.paths(records)
    if isinstance(study, NetworkStudy):
        drawings, numbers = _network_drawings(study, records), results(study, _repeats(runs))
    else:
        drawings, numbers = reddi.drawings(study, paths), reddi.ends(study, paths)
    return facts(plan, records) | {
        "whole": at_paper_scale(plan) if plan.is_small else None,
        "diverged": int((runs["status"] == "diverged").sum()),
        "results": numbers,
        "figures": [_saved(drawing, out / "figures", study.label) for drawing in drawings],
    }


def facts(plan: Plan, records: Sequence[Record]) -> dict[str, Any]:
    """Return what became of one study: how much is done, in how much time, with which versions, by which command."""
    return {
        "id": plan.study.label,
        "study": plan.study,
        "title": plan.study.heading,
        "source": SOURCES[plan.study.source].citation,
        "trained": isinstance(plan.study, NetworkStudy),
        "note": plan.findings.data_note,
        "done": len(records),
        "planned": len(plan.keys),
        "versions": _versions(records),
        "command": command_of(plan.study),
        "seconds": sum(record.outcome.seconds for record in records if isinstance(record, FitRecord)),
    }


def _network_drawings(study: NetworkStudy, records: Sequence[Record]) -> list[Drawing]:
    if not records:
        return []
    runs, curves = (_with_its_score(study, rows) for rows in (tables.runs(records), tables.curves(records)))
    return figures.of_source(source_of(study)).drawings(study, runs, curves)


def _with_its_score(study: NetworkStudy, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of a study without the empty columns of scores that it has not."""
    return rows.drop(columns=[name for name in rows if is_score(name) and not name.endswith(score_of(study.loss))])


def _repeats(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["stage"] == "repeat"]


def results(study: NetworkStudy, repeats: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each arm and setting: the published setting, n, mean and standard deviation over the seeds."""
    rows, names = [], figures.rates_of(source_of(study), score_of(study.loss)) | _further(repeats)
    keys = ["series", "learning_rate", "beta_2"]
    for (name, alpha, beta_2), group in with_series(repeats).groupby(keys, sort=False, dropna=False):
        theirs = study.published.get(group["optimizer"].iloc[0])
        row = {"optimizer": name, "α": f"{alpha:g}", "β₂": "" if pd.isna(beta_2) else f"{beta_2:g}"}
        if study.own_command and (repeats["options"] != "").any():
            row |= {"further settings": group["options"].iloc[0]}
        if theirs:
            row |= {"published α": f"{theirs.learning_rate:g}", "published β₂": f"{theirs.beta_2:g}"}
        row |= {"n": len(group)} | {title: mean_and_spread(group[rate]) for rate, title in names.items()}
        rows.append(row | {f"best {names['val_loss']}": mean_and_spread(group["best_val_loss"])})
    return pd.DataFrame(rows)


def _further(runs: pd.DataFrame) -> dict[str, str]:
    """Return the further metrics of runs after the last epoch, {column: name}: those that a user chose."""
    known = {"val_loss", *(f"val_{score}" for score in SCORES)}
    chosen = [name for name in runs if name.startswith("val_") and name not in known and runs[name].notna().any()]
    return {name: f"test {name.removeprefix('val_')}" for name in chosen}


def mean_and_spread(values: pd.Series) -> str:
    """Return "mean ± standard deviation" of the finite values, and how many are not: four decimals, small means more.

    >>> mean_and_spread(pd.Series([0.25, 0.27])), mean_and_spread(pd.Series([0.00027]))
    ('0.2600 ± 0.0141', '0.000270')
    """
    good = values.dropna()
    mean = good.mean()
    decimals = 2 - math.floor(math.log10(mean)) if 0 < mean < 0.01 else 4
    spread = f" ± {good.std():.{decimals}f}" if len(good) > 1 else ""
    lost = f" ({len(values) - len(good)} diverged)" if len(good) < len(values) else ""
    return (f"{mean:.{decimals}f}{spread}" if len(good) else "") + lost


def at_paper_scale(plan: Plan) -> dict[str, Any] | None:
    """Return the command that runs a plan's study at the scale of its source, its size, and what it costs; or None.

    The hours are those of a GPU that makes `RATE` operations a second: an assumption, not a measurement.
    """
    whole = catalogued(dataclasses.replace(plan.study, scale="paper"))
    if not isinstance(whole, NetworkStudy) or not plan.findings.row_operations:
        return None
    operations = cost.of_study(whole, plan.findings.row_operations, *plan.findings.data_rows)
    return {
        "command": command_of(whole),
        "size": whole.size(),
        "operations": f"{operations:.2g}",
        "hours": f"{operations / RATE / 3600:.2g}",
        "rate": f"{RATE:.0e}",
    }


def _versions(records: Sequence[Record]) -> list[str]:
    """Return each set of versions, backend and device that took part, in words."""
    found = dict.fromkeys(
        ", ".join(f"{name} {version}" for name, version in record.outcome.versions.items())
        + f"; on {record.outcome.device}"
        for record in records
    )
    return list(found)


def _saved(drawing: Drawing, folder: Path, label: str) -> dict[str, Any]:
    """Save a figure as PNG and SVG, and its rows; return what the page shows of it."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{label}-{drawing.name}"
    drawing.figure.savefig(folder / f"{name}.png", dpi=150)
    drawing.figure.set_layout_engine("none")  # it is laid out
    content = svg_text(drawing.figure)
    (folder / f"{name}.svg").write_text(content, encoding="utf-8")
    if len(drawing.rows) <= SMALL:
        drawing.rows.to_csv(folder / f"{name}.csv", index=False)
    return {
        "name": name,
        "caption": drawing.caption,
        "svg": Markup(inline(content, name.replace(".", "-"), drawing.caption)),  # Matplotlib escapes its texts
        "rows": drawing.rows,
        "file": f"figures/{name}.csv" if len(drawing.rows) <= SMALL else _table_of(drawing.rows),
    }


def _table_of(rows: pd.DataFrame) -> str:
    """Return which of the large tables holds rows."""
    return "paths.csv" if "t" in rows else "curves.csv" if "epoch" in rows else "runs.csv"


def template(name: str) -> jinja2.Template:
    """Return a page's template, with the filters `cell` and `number`; in HTML, names are escaped."""
    loader = jinja2.PackageLoader("studies.report")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"cell": cell, "number": number}
    environment.globals["ropes"] = {what: f"{100 * rope:g}" for what, rope in ROPES.items()}
    return environment.get_template(name)


def cell(value: Any) -> Any:
    """Return a table's value as the page shows it: four significant digits, nothing for what is missing."""
    if value is None or value is pd.NA or value != value:
        return ""
    return number(value) if isinstance(value, float) else value


def number(value: float) -> str:
    """Return a number with four significant digits, "–" where there is none.

    >>> number(-0.012345), number(float("nan"))
    ('−0.01235', '–')
    """
    return "–" if value != value else f"{value:.4g}".replace("-", "−")
