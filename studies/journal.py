"""One durable record for each finished piece of work: run a study again, and nothing that is recorded runs twice.

A piece of work is a frozen dataclass that holds everything its outcome depends on (`Fit` here, `Walk` in
`studies.synthetic`). Its record is one JSON file, written aside, flushed and renamed: it is there whole or not at all.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from studies.errors import StudyError

SCHEMA = 2


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
    options: dict = dataclasses.field(default_factory=dict, hash=False)  # further settings of the optimizer
    l2: float = 0.0  # l2 times the sum of all squared weights is added to the loss
    flip: bool = False  # training images are mirrored left to right at random
    fill_last_batch: bool = False
    patience: int | None = None  # training stops when its loss has not gone down for so many epochs
    variant: str = ""
    fold: int | None = None
    folds: int | None = None
    fold_seed: int | None = None


def fit_of(study, data, arm, stage, epochs, seed=0, **of_search):
    """Return the study's `Fit` for one arm and stage; `of_search` are the fields that only a search has."""
    return Fit(
        study=study.name,
        stage=stage,
        data=data.fingerprint,
        model=arm.model or study.model,
        optimizer=arm.optimizer,
        epochs=epochs,
        batch_size=study.batch_size,
        loss=study.loss,
        seed=seed,
        learning_rate=arm.learning_rate,
        beta_2=arm.beta_2,
        bias_correction=arm.bias_correction,
        schedule=arm.schedule,
        options=arm.options,
        l2=arm.l2,
        flip=study.flip,
        fill_last_batch=study.fill_last_batch,
        variant="+".join(filter(None, (study.variant, arm.variant))),
        **of_search,
    )


def key(work):
    """Return the name under which a piece of work, or a list of them, is recorded."""
    if isinstance(work, list):
        content: Any = [key(each) for each in work]
    else:
        content = {"schema": SCHEMA, "kind": type(work).__name__, **dataclasses.asdict(work)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]


class Journal:
    """The records below a results folder.

    records/STUDY/KEY.json   one finished piece of work
    plans/LABEL.json         what a study consists of: its description, and the keys of its records
    unfinished/KEY.npz       the last whole epoch of a long fit (see `studies.backup`)
    """

    def __init__(self, folder):
        self.folder = Path(folder).absolute()  # workers may run elsewhere

    def path(self, work):
        return self.folder / "records" / work.study / f"{key(work)}.json"

    def backup_path(self, work):
        return self.folder / "unfinished" / f"{key(work)}.npz"

    def find(self, work):
        """Return the outcome recorded for a piece of work, or None."""
        record = _whole(self.path(work), dataclasses.asdict(work))
        return None if record is None else record["outcome"]

    def write(self, work, outcome):
        """Record the outcome of a piece of work; it is on the disk when this returns."""
        write(self.path(work), {"work": dataclasses.asdict(work), "outcome": outcome})
        self.backup_path(work).unlink(missing_ok=True)

    def plan(self, study, work):
        """Note what a study consists of now: its description, and the records that belong to it."""
        content = {"study": dataclasses.asdict(study), "records": [key(each) for each in work]}
        write(self.folder / "plans" / f"{study.label}.json", content)

    def plans(self):
        """Return the plans of all studies found here."""
        found = (_whole(path) for path in sorted((self.folder / "plans").glob("*.json")))
        return [plan for plan in found if plan is not None]

    def records(self, plan):
        """Return the finished records of a plan, in the plan's order."""
        folder = self.folder / "records" / plan["study"]["name"]
        found = (_whole(folder / f"{name}.json") for name in plan["records"])
        return [record for record in found if record is not None]

    @contextlib.contextmanager
    def locked(self):
        """Keep a second run out of the folder. The lock goes with its process, however that ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / ".lock", timeout=0):
                yield
        except Timeout:
            raise StudyError(f"Another run is at work in {self.folder}. Wait for it, or name another --out.") from None


def _whole(path, work=None):
    """Return a file of ours, or None where there is none. One that is damaged, or of other work, is set aside."""
    try:
        record = read(path)
        if work is not None and record["work"] != _finite(work):
            raise ValueError("it is a record of other work")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        warnings.warn(f"{path} is not whole ({error}): set aside as {aside.name}, to be made again", stacklevel=3)
        return None
    return record


def read(path):
    """Read a JSON file of ours, and check that it is whole; null stands for a number that is not finite."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["schema"] != SCHEMA:
        raise ValueError(f"its schema is {content['schema']}, not {SCHEMA}")
    if content.pop("checksum") != _checksum(content):
        raise ValueError("its checksum is wrong")
    return content


def write(path, content):
    """Write a JSON file that is whole or absent, whatever happens, and on the disk when this returns."""
    content = _finite({"schema": SCHEMA, **content})
    with durable(path) as aside:
        aside.write_text(json.dumps(content | {"checksum": _checksum(content)}), encoding="utf-8")


@contextlib.contextmanager
def durable(path):
    """Give a path to write to; when the block ends well, its content is on the disk under the name `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield aside
        _flush(aside)
        aside.replace(path)
        _flush(path.parent)  # a folder holds the names of its files
    finally:
        aside.unlink(missing_ok=True)


def _flush(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(content):
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]


def _finite(content):
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
