"""Tables from records: runs (a row per fit), curves (a row per fit and epoch), paths (a row per step of a walk)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from studies.catalog.fit import Fit
from studies.catalog.lineup import FINAL, LineupStudy
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.records.plan import Plan
from studies.records.record import FitRecord, Record, WalkRecord

KEY = [
    "study",
    "variant",
    "stage",
    "model",
    "optimizer",
    "schedule",
    "learning_rate",
    "beta_2",
    "bias_correction",
    "options",
    "fold",
    "seed",
]
LAST = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]
RUN_COLUMNS = [
    *KEY, "epochs", "status", *LAST,
    "best_val_loss", "best_val_loss_epoch", "best_val_accuracy", "seconds", "backend", "device",
]  # fmt: skip
CURVE_COLUMNS = [*KEY, "epoch", *LAST]
R2_COLUMNS = ["train_r2", "val_r2", "best_val_r2"]  # which tables with a regression have beside these
Found = list[tuple[Plan, list[Record]]]  # the studies of a folder, each with its finished records
WALK = ["x", "average_regret", "gamma_min", "negative_gamma", "largest_step"]
PATH_COLUMNS = ["study", "variant", "optimizer", "seed", "t", *WALK]


def plans(out: Path | str) -> list[Plan]:
    """Return the plans of every study in a results folder; raise StudyError where there is none."""
    found = Journal(out).plans()
    if not found:
        raise StudyError(f"{out} holds no study. Run one first: python -m studies run digits --out {out}")
    return found


def with_records(out: Path | str) -> Found:
    """Return (plan, its finished records) for every study in a results folder, each record read and checked once."""
    return [(plan, Journal(out).records(plan)) for plan in plans(out)]


def apart(found: Found) -> tuple[Found, Found]:
    """Return the (plan, records) pairs of the line-up, and the others."""
    is_lineup = [isinstance(plan.study, LineupStudy) for plan, _ in found]
    own, others = (
        [pair for pair, mine in zip(found, is_lineup, strict=True) if mine == wanted] for wanted in (True, False)
    )
    return own, others


def records(out: Path | str) -> list[Record]:
    """Return every finished record of every study in a results folder."""
    return [record for _, each in with_records(out) for record in each]


def all_of(records: Iterable[Record]) -> dict[str, pd.DataFrame]:
    """Return the three tables by name. A record that two studies share, which chose by two metrics, counts once."""
    own = list({record.work: record for record in records}.values())
    return {"runs": runs(own), "curves": curves(own), "paths": paths(own)}


def runs(records: Iterable[Record]) -> pd.DataFrame:
    """Return one row for each fit. `best_*` are the best epoch's; epochs count from 1.

    The columns are `RUN_COLUMNS`, and `R2_COLUMNS` where there is a regression, whose accuracies are empty; then those
    of further metrics. Final runs of the line-up have `test_*` of the last epoch, and `test_*_at_best` of the epoch
    with the lowest validation loss.
    """
    rows = []
    for record in _fits(records):
        history = {name: np.asarray(values, dtype=float) for name, values in record.outcome.history.items()}
        losses = history["val_loss"]
        best = None if np.isnan(losses).all() else int(np.nanargmin(losses))
        rows.append(
            _columns(record.work, [*KEY, "epochs"])
            | _columns(record.outcome, ["status", "seconds", "backend", "device"])
            | {name: values[-1] for name, values in history.items()}
            | {
                "best_val_loss": np.nan if best is None else losses[best],
                "best_val_loss_epoch": None if best is None else best + 1,
            }
            | {f"best_{name}": np.fmax.reduce(history[name]) for name in ("val_accuracy", "val_r2") if name in history}
            | _at_best(record.work, history, best)
        )
    return _integers(pd.DataFrame(rows, columns=RUN_COLUMNS + _others(rows)))


def _at_best(fit: Fit, history: dict[str, np.ndarray], best: int | None) -> dict[str, Any]:
    """Return what a final run of the line-up has on test rows at its best epoch."""
    measured = [name for name in history if name.startswith("test_")] if fit.stage == FINAL else []
    return {f"{name}_at_best": None if best is None else history[name][best] for name in measured}


def curves(records: Iterable[Record]) -> pd.DataFrame:
    """Return one row for each fit and epoch; epochs count from 1. Columns of R² and others are there as in `runs`."""
    fits = _fits(records)
    histories = [record.outcome.history for record in fits]
    lengths = [max(map(len, history.values()), default=0) for history in histories]
    keys = pd.DataFrame([_columns(record.work, KEY) for record in fits], columns=KEY)
    found = keys.loc[np.repeat(np.arange(len(fits)), lengths)].reset_index(drop=True)
    found["epoch"] = np.concatenate([np.arange(1, length + 1) for length in lengths]) if fits else []
    for name in dict.fromkeys(name for history in histories for name in history):
        values = [history.get(name, [np.nan] * length) for history, length in zip(histories, lengths, strict=True)]
        found[name] = np.concatenate(values).astype(float)
    return _integers(found.reindex(columns=CURVE_COLUMNS + _others(histories)))


def paths(records: Iterable[Record]) -> pd.DataFrame:
    """Return one row for each kept step of each walk of the synthetic studies."""
    parts = []
    for record in records:
        if isinstance(record, WalkRecord):
            path = pd.DataFrame(_columns(record.outcome, ["t", *WALK]))
            parts.append(path.assign(**_columns(record.work, ["study", "variant", "optimizer", "seed"])))
    return pd.concat(parts)[PATH_COLUMNS] if parts else pd.DataFrame(columns=PATH_COLUMNS)


def write_tables(tables: dict[str, pd.DataFrame], out: Path | str) -> list[Path]:
    """Write runs.csv, curves.csv and paths.csv of the tables by name into a results folder; return their paths."""
    written = []
    for name, table in tables.items():
        path = Path(out) / f"{name}.csv"
        table.to_csv(path, index=False)
        written.append(path)
    return written


def _fits(records: Iterable[Record]) -> list[FitRecord]:
    return [record for record in records if isinstance(record, FitRecord)]


def _others(rows: Sequence[Iterable[str]]) -> list[str]:
    """Return the names that some of the rows have beside those of every table, `R2_COLUMNS` first."""
    names = dict.fromkeys(name for row in rows for name in row)
    further = [name for name in names if name not in {*RUN_COLUMNS, *CURVE_COLUMNS, *R2_COLUMNS}]
    return [name for name in R2_COLUMNS if name in names] + further


def _columns(part: object, names: list[str]) -> dict[str, Any]:
    return {name: _cell(getattr(part, name)) for name in names}


def _cell(value: Any) -> Any:
    """Return a value as a cell has it: the further settings of an optimizer as text, "momentum=0.9; nesterov=True"."""
    return "; ".join(f"{name}={each}" for name, each in value.items()) if isinstance(value, dict) else value


def _integers(table: pd.DataFrame) -> pd.DataFrame:
    """Keep whole numbers whole where some are missing (a repeated run has no fold)."""
    whole = [name for name in ("fold", "best_val_loss_epoch") if name in table]
    return table.astype(dict.fromkeys(whole, "Int64"))
