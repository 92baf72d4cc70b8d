"""One durable record for each finished piece of work: run a study again, and nothing that is recorded runs twice.

A piece of work is a frozen dataclass that holds everything its outcome depends on: a `Fit` or a `Walk`. Its record is
one JSON file, written aside, flushed and renamed: it is there whole or not at all.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from studies.catalog import Study
from studies.catalog.fit import Fit
from studies.catalog.walk import Walk
from studies.errors import StudyError, check_folder
from studies.records.outcome import Outcome, WalkOutcome
from studies.records.plan import Findings, Plan, from_json, to_json
from studies.records.record import Record, Work, record_of

SCHEMA = 2
Made = TypeVar("Made")


def key(work: Work | list[Work]) -> str:
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
    unfinished/KEY.npz       the last whole epoch of a long fit (see `studies.training.backup`)
    """

    def __init__(self, folder: Path | str) -> None:
        check_folder(folder)
        self.folder = Path(folder).absolute()  # workers may run elsewhere

    def path(self, work: Work) -> Path:
        return self.folder / "records" / work.study / f"{key(work)}.json"

    def backup_path(self, work: Work | list[Work]) -> Path:
        return self.folder / "unfinished" / f"{key(work)}.npz"

    @overload
    def find(self, work: Fit) -> Outcome | None: ...

    @overload
    def find(self, work: Walk) -> WalkOutcome | None: ...

    def find(self, work: Work) -> Outcome | WalkOutcome | None:
        """Return the outcome recorded for a piece of work, or None."""

        def outcome_of(content: dict[str, Any]) -> Outcome | WalkOutcome:
            record = record_of(content)
            if key(record.work) != key(work):
                raise ValueError("it is a record of other work")
            return record.outcome

        return _whole(self.path(work), outcome_of)

    def write(self, work: Work, outcome: Outcome | WalkOutcome) -> None:
        """Record the outcome of a piece of work; it is on the disk when this returns."""
        write(self.path(work), {"work": dataclasses.asdict(work), "outcome": dataclasses.asdict(outcome)})
        self.backup_path(work).unlink(missing_ok=True)

    def plan_path(self, study: Study) -> Path:
        return self.folder / "plans" / f"{study.label}.json"

    def plan(self, study: Study, work: Sequence[Work], findings: Findings | None = None) -> None:
        """Note what a study consists of now: its description, what was found out, and the records that belong to it."""
        write(self.plan_path(study), to_json(Plan(study, tuple(key(each) for each in work), findings or Findings())))

    def plans(self) -> list[Plan]:
        """Return the `Plan` of every study found here."""
        found = (_whole(path, from_json) for path in sorted((self.folder / "plans").glob("*.json")))
        return [plan for plan in found if plan is not None]

    def record_paths(self, plan: Plan) -> list[Path]:
        """Return where the records of a plan are, whether they are finished or not, in the plan's order."""
        return [self.folder / "records" / plan.study.name / f"{name}.json" for name in plan.keys]

    def records(self, plan: Plan) -> list[Record]:
        """Return the finished records of a plan, each a `Record`, in the plan's order."""
        found = (_whole(path, record_of) for path in self.record_paths(plan))
        return [record for record in found if record is not None]

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run out of the folder. The lock goes with its process, however that ends."""
        from keras_amsgrad import journal  # imports Keras, which readers of records need not have

        left_behind = "records/*/*.json.*.part", "plans/*.json.*.part", "unfinished/*.npz.*.part"
        try:
            with journal.locked(self.folder, left_behind):
                yield
        except journal.Busy:
            raise StudyError(f"Another run is at work in {self.folder}. Wait for it, or name another --out.") from None


def _whole(path: Path, made: Callable[[dict[str, Any]], Made]) -> Made | None:
    """Return what is `made` of the content of a file of ours, or None where there is none.

    A file that is damaged, or of which nothing can be made, is set aside.
    """
    try:
        return made(read(path))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        warnings.warn(f"{path} is not whole ({error}): set aside as {aside.name}, to be made again", stacklevel=3)
        return None


def read(path: Path) -> dict[str, Any]:
    """Read a JSON file of ours, and check that it is whole; null stands for a number that is not finite."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["schema"] != SCHEMA:
        raise ValueError(f"its schema is {content['schema']}, not {SCHEMA}")
    if content.pop("checksum") != _checksum(content):
        raise ValueError("its checksum is wrong")
    return content


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file that is whole or absent, whatever happens, and on the disk when this returns."""
    from keras_amsgrad.durable import durable  # imports Keras, which readers of records need not have

    content = _finite({"schema": SCHEMA, **content})
    with durable(path) as file:
        file.write(json.dumps(content | {"checksum": _checksum(content)}).encode())


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
