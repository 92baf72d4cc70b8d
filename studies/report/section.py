"""What the report says about one study: how it ran, its results as a table, its figures, what it takes in full."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from studies import figures
from studies.catalog import SOURCES, STUDIES, NetworkStudy, Study, catalogued, command_of
from studies.catalog.metrics import SCORES, is_score, score_of
from studies.figures import Drawing, reddi
from studies.figures.style import with_series
from studies.records import tables
from studies.records.plan import Plan
from studies.records.record import FitRecord, Record
from studies.report import cost
from studies.report.rendering import saved

RATE = 1e13  # float32 operations a second that we take a data-centre GPU to sustain in small convolutions (D)


def section(out: Path, plan: Plan, records: Sequence[Record]) -> dict[str, Any]:
    """Return what the page says about one study."""
    study, runs, paths = plan.study, tables.runs(records), tables.paths(records)
    if isinstance(study, NetworkStudy):
        drawings, numbers = _network_drawings(study, records), results(study, repeats_of(runs))
    else:
        drawings, numbers = reddi.drawings(study, paths), reddi.ends(study, paths)
    return facts(plan, records) | {
        "whole": at_paper_scale(plan) if plan.is_small else None,
        "diverged": int((runs["status"] == "diverged").sum()),
        "results": numbers,
        "figures": [saved(drawing, out / "figures", study.label) for drawing in drawings],
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


def repeats_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of repeated runs."""
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


def source_of(study: Study) -> str:
    """Return the key of the source with which a study is shown. A variant may repeat what another source did."""
    return STUDIES[study.name].source if study.name in STUDIES else study.source
