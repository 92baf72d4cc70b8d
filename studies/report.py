"""The report: one page with the verdicts, tables and figures of every study in a results folder, from records only."""

import dataclasses
import math
from pathlib import Path

import jinja2
import matplotlib
import pandas as pd
from markupsafe import Markup

from studies import claims, cost, figures, tables
from studies.catalog import STUDIES
from studies.figures import synthetic
from studies.figures.style import with_series
from studies.figures.svg import inline, svg_text
from studies.frames import judged

# The order of the page; other sources, and studies of one's own, come after these.
SOURCES = ("synthetic", "mcgill", "korzeniowski", "perez", "bushaev")
RATE = 1e13  # float32 operations a second that we take a data-centre GPU to sustain in small convolutions (D)
SMALL = 2500  # rows: more than these stay in the large tables, and have no CSV beside the figure


def write_report(out):
    """Write report.html, figures/ and the tables for every study found in the folder `out`; return the page's path."""
    out = Path(out)
    found = in_order(tables.with_records(out))
    records = [record for _, each in found for record in each]
    rows = tables.all_of(records)
    with matplotlib.rc_context(figures.PAGE):
        sources = [_source(out, name, plans) for name, plans in _by_source(found)]
    verdicts = judged(found)
    claims.frame(verdicts).to_csv(out / "verdicts.csv", index=False)
    tables.write_tables(out)
    page = out / "report.html"
    page.write_text(template("report.html").render(verdicts=verdicts, sources=sources, rows=rows), encoding="utf-8")
    return page


def in_order(found):
    """Return (plan, records) pairs in the catalog's order, each study before its variants; others come last."""
    names = [*STUDIES, *(plan["study"]["name"] for plan, _ in found)]
    return sorted(found, key=lambda each: (names.index(each[0]["study"]["name"]), each[0]["study"]["variant"]))


def _by_source(found):
    """Return (source, plans with records) in the page's order; a source is the first word of its studies' names."""
    names = [_source_of(plan["study"]) for plan, _ in found]
    order = [*SOURCES, *names]
    return [
        (source, [each for name, each in zip(names, found, strict=True) if name == source])
        for source in sorted(dict.fromkeys(names), key=order.index)
    ]


def _source_of(study):
    return study["name"].split("-")[0]


def _source(out, name, found):
    """Return what the page says about one source: its studies, and what sets them side by side."""
    records = [
        record for plan, each in found for record in each if plan["study"]["scale"] == "paper" or len(found) == 1
    ]
    runs, curves = _repeats(tables.runs(records)), _repeats(tables.curves(records))
    together = figures.of_source(name).together(runs, curves) if len(runs) else []
    return {
        "id": f"source-{name}",
        "title": found[0][0]["study"]["source"],
        "figures": [_saved(drawing, out / "figures", name) for drawing in together],
        "studies": [_section(out, plan, each) for plan, each in found],
    }


def _section(out, plan, records):
    """Return what the page says about one study."""
    study, runs, paths = plan["study"], tables.runs(records), tables.paths(records)
    network = "epochs" in study
    drawings = _network_drawings(study, records) if network else synthetic.drawings(study, paths)
    return facts(plan, records) | {
        "whole": at_paper_scale(study) if study["scale"] == "smoke" else None,
        "diverged": int((runs["status"] == "diverged").sum()),
        "results": results(study, _repeats(runs)) if network else synthetic.ends(study, paths),
        "figures": [_saved(drawing, out / "figures", label_of(study)) for drawing in drawings],
    }


def facts(plan, records):
    """Return what became of one study: how much is done, in how much time, with which versions, by which command."""
    return {
        "id": label_of(plan["study"]),
        "study": plan["study"],
        "done": len(records),
        "planned": len(plan["records"]),
        "versions": _versions(records),
        "command": command(plan["study"]),
        "seconds": sum(record["outcome"].get("seconds", 0) for record in records),
    }


def label_of(study):
    """Return the name of a study in a plan, with its variant."""
    return ".".join(filter(None, (study["name"], study["variant"])))


def _network_drawings(study, records):
    if not records:
        return []
    module = figures.of_source(_source_of(study))
    return module.drawings(study, tables.runs(records), tables.curves(records))


def _repeats(rows):
    return rows[rows["stage"] == "repeat"]


def results(study, repeats):
    """Return one row for each arm and setting: the published setting, n, mean and standard deviation over the seeds."""
    rows, published, names = [], study.get("published") or {}, figures.rates_of(_source_of(study))
    keys = ["series", "learning_rate", "beta_2"]
    for (name, alpha, beta_2), group in with_series(repeats).groupby(keys, sort=False, dropna=False):
        theirs = published.get(group["optimizer"].iloc[0])
        row = {"optimizer": name, "α": f"{alpha:g}", "β₂": "" if pd.isna(beta_2) else f"{beta_2:g}"}
        if theirs:
            row |= {"published α": f"{theirs['learning_rate']:g}", "published β₂": f"{theirs['beta_2']:g}"}
        row |= {"n": len(group)} | {title: mean_and_spread(group[rate]) for rate, title in names.items()}
        rows.append(row | {f"best {names['val_loss']}": mean_and_spread(group["best_val_loss"])})
    return pd.DataFrame(rows)


def mean_and_spread(values):
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


def command(study):
    """Return the command that makes a study's numbers again; `study` is a plan's description."""
    if study.get("command"):
        return study["command"].replace("{seeds}", str(study["seeds"]))
    words = ["python -m studies run", study["name"]]
    names = study["variant"].split("+") if study["variant"] else []
    words += [f"--variant {name}" for name in names if name != "published-settings"]
    words += ["--search published"] if "published-settings" in names else []
    words += ["--scale smoke"] if study["scale"] == "smoke" else []
    usual = _catalogued(study, study["scale"])
    changed = [name for name in ("seeds", "epochs") if usual and study.get(name) != getattr(usual, name, None)]
    return " ".join(words + [f"--{name} {study[name]}" for name in changed])


def _catalogued(study, scale="paper"):
    """Return the catalog's study of a plan's name and variant, at a scale; None where it has none."""
    found = STUDIES.get(study["name"])
    if found is None:
        return None
    for variant in filter(None, study["variant"].split("+")):
        found = found.as_variant(variant)
    return found.smoke() if scale == "smoke" else found


def at_paper_scale(study):
    """Return the command that runs a plan's study at the scale of its source, its size, and what it costs; or None.

    The hours are those of a GPU that makes `RATE` operations a second: an assumption, not a measurement.
    """
    whole = _catalogued(study)
    if whole is None or not study.get("row_operations"):
        return None
    operations = cost.of_study(whole, study["row_operations"], *study["data_rows"])
    return {
        "command": command(dataclasses.asdict(whole)),
        "size": whole.size(),
        "operations": f"{operations:.2g}",
        "hours": f"{operations / RATE / 3600:.2g}",
        "rate": f"{RATE:.0e}",
    }


def _versions(records):
    """Return each set of versions, backend and device that took part, in words."""
    found = dict.fromkeys(
        ", ".join(f"{name} {version}" for name, version in outcome.get("versions", {}).items())
        + f"; on {outcome['device']}"
        for outcome in (record["outcome"] for record in records)
    )
    return list(found)


def _saved(drawing, folder, label):
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


def _table_of(rows):
    """Return which of the large tables holds rows."""
    return "paths.csv" if "t" in rows else "curves.csv" if "epoch" in rows else "runs.csv"


def template(name):
    """Return a page's template, with the filters `cell` and `number`; in HTML, names are escaped."""
    loader = jinja2.PackageLoader("studies", "templates")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"cell": cell, "number": number}
    return environment.get_template(name)


def cell(value):
    """Return a table's value as the page shows it: four significant digits, nothing for what is missing."""
    if value is None or value is pd.NA or value != value:
        return ""
    return number(value) if isinstance(value, float) else value


def number(value):
    """Return a number with four significant digits, "–" where there is none.

    >>> number(-0.012345), number(float("nan"))
    ('−0.01235', '–')
    """
    return "–" if value != value else f"{value:.4g}".replace("-", "−")
