"""Tables from records: runs (a row per fit), curves (a row per fit and epoch), paths (a row per step of a walk)."""

from pathlib import Path

import pandas as pd

from studies.errors import StudyError
from studies.journal import Journal

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
    "fold",
    "seed",
]
LAST = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]
RUN_COLUMNS = [
    *KEY, "epochs", "status", *LAST,
    "best_val_loss", "best_val_loss_epoch", "best_val_accuracy", "seconds", "backend", "device",
]  # fmt: skip
CURVE_COLUMNS = [*KEY, "epoch", *LAST]
WALK = ["x", "average_regret", "gamma_min", "negative_gamma", "largest_step"]
PATH_COLUMNS = ["study", "variant", "optimizer", "seed", "t", *WALK]


def plans(out):
    """Return the plans of every study in a results folder; raise StudyError where there is none."""
    found = Journal(out).plans()
    if not found:
        raise StudyError(f"{out} holds no study. Run one first: python -m studies run digits --out {out}")
    return found


def with_records(out):
    """Return (plan, its finished records) for every study in a results folder."""
    return [(plan, Journal(out).records(plan)) for plan in plans(out)]


def records(out):
    """Return every finished record of every study in a results folder."""
    return [record for _, each in with_records(out) for record in each]


def all_of(records):
    """Return the three tables by name."""
    return {"runs": runs(records), "curves": curves(records), "paths": paths(records)}


def runs(records):
    """Return one row for each fit. `best_*` are the best epoch's; epochs count from 1."""
    rows = []
    for work, outcome in _fits(records):
        history = pd.DataFrame(outcome["history"], dtype=float)
        best = history["val_loss"].idxmin() if history["val_loss"].notna().any() else None
        rows.append(
            {name: work[name] for name in [*KEY, "epochs"]}
            | {name: outcome[name] for name in ("status", "seconds", "backend", "device")}
            | history.iloc[-1].to_dict()
            | {
                "best_val_loss": history["val_loss"].min(),
                "best_val_loss_epoch": None if best is None else best + 1,
                "best_val_accuracy": history["val_accuracy"].max(),
            }
        )
    return _integers(pd.DataFrame(rows, columns=RUN_COLUMNS))


def curves(records):
    """Return one row for each fit and epoch; epochs count from 1."""
    parts = []
    for work, outcome in _fits(records):
        part = pd.DataFrame(outcome["history"], dtype=float)
        parts.append(part.assign(epoch=range(1, len(part) + 1), **{name: work[name] for name in KEY}))
    return _integers(pd.concat(parts)[CURVE_COLUMNS] if parts else pd.DataFrame(columns=CURVE_COLUMNS))


def paths(records):
    """Return one row for each kept step of each walk of the synthetic studies."""
    parts = []
    for record in records:
        work, outcome = record["work"], record["outcome"]
        if "t" in outcome:
            path = pd.DataFrame({name: outcome[name] for name in ("t", *WALK)}).astype(dict.fromkeys(WALK, float))
            parts.append(path.assign(**{name: work[name] for name in ("study", "variant", "optimizer", "seed")}))
    return pd.concat(parts)[PATH_COLUMNS] if parts else pd.DataFrame(columns=PATH_COLUMNS)


def write_tables(out):
    """Write runs.csv, curves.csv and paths.csv for every study found in a results folder; return their paths."""
    written = []
    for name, table in all_of(records(out)).items():
        path = Path(out) / f"{name}.csv"
        table.to_csv(path, index=False)
        written.append(path)
    return written


def _fits(records):
    return [(record["work"], record["outcome"]) for record in records if "history" in record["outcome"]]


def _integers(table):
    """Keep whole numbers whole where some are missing (a repeated run has no fold)."""
    whole = [name for name in ("fold", "best_val_loss_epoch") if name in table]
    return table.astype(dict.fromkeys(whole, "Int64"))
