"""One durable record for each finished piece of work: run a study again, and nothing that is recorded runs twice.

A piece of work is a frozen dataclass that holds everything its outcome depends on (`Fit` here, `Walk` in
`studies.synthetic`). Its record is one JSON file, written aside, flushed and renamed: it is there whole or not at all.
"""

import dataclasses
import hashlib
import json
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

SCHEMA = 1


@dataclass(frozen=True)
class Fit:
    """One training of one network, by everything that determines it."""

    study: str
    stage: str  # "search" or "repeat"
    data: str  # fingerprint of the prepared numbers
    model: str
    optimizer: str
    epochs: int
    batch_size: int
    loss: str
    seed: int
    learning_rate: float | None = None  # alpha; where there is a schedule, its value at the start
    beta_2: float | None = None
    bias_correction: bool | None = None  # None where the optimizer has no such choice
    schedule: str = ""
    variant: str = ""
    fold: int | None = None
    folds: int | None = None
    fold_seed: int | None = None


def key(work):
    """Return the name under which a piece of work is recorded."""
    content = {"schema": SCHEMA, "kind": type(work).__name__, **dataclasses.asdict(work)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]


class Journal:
    """The records below a results folder: `records/STUDY/KEY.json`, and `plans/LABEL.json`, what a study
    consists of."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def path(self, work):
        return self.folder / "records" / work.study / f"{key(work)}.json"

    def holds(self, work):
        return self.path(work).exists()

    def find(self, work):
        """Return the outcome recorded for a piece of work, or None. A damaged record is set aside, with a warning."""
        path = self.path(work)
        try:
            return read(path)["outcome"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            aside = path.with_suffix(".damaged")
            path.replace(aside)
            warnings.warn(f"{aside} is not a whole record; its fit runs again.", stacklevel=2)
            return None

    def write(self, work, outcome):
        """Record the outcome of a piece of work; it is on the disk when this returns."""
        write(self.path(work), {"schema": SCHEMA, "work": dataclasses.asdict(work), "outcome": outcome})

    def plan(self, study, work):
        """Note what a study consists of now: its description, and the records that belong to it."""
        content = {"schema": SCHEMA, "study": dataclasses.asdict(study), "records": [key(each) for each in work]}
        write(self.folder / "plans" / f"{study.label}.json", content)

    def plans(self):
        """Return the plans of all studies found here."""
        return [read(path) for path in sorted((self.folder / "plans").glob("*.json"))]

    def records(self, plan):
        """Return the finished records of a plan, in the plan's order."""
        folder = self.folder / "records" / plan["study"]["name"]
        return [read(path) for path in (folder / f"{name}.json" for name in plan["records"]) if path.exists()]


def read(path):
    """Read a JSON file in which null stands for a number that is not finite or not known."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["schema"] != SCHEMA:
        raise ValueError(f"{path} has schema {content['schema']}, not {SCHEMA}")
    return content


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("w", encoding="utf-8") as file:
            json.dump(_finite(content), file, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(folder):
    """Make a rename durable: it is the folder that holds the name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _finite(content):
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
