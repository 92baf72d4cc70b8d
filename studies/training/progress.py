"""Progress of a study, read from its journal: so it counts the fits of every process and every engine."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from studies.catalog import Setting
from studies.records.journal import Journal, read
from studies.records.record import FitRecord, Record, Work, record_of

UNREADABLE = (OSError, ValueError, KeyError, TypeError)  # what reading a damaged record raises


class Progress:
    """Show how many pieces of work are recorded, the time left, and the best fit so far: the lowest validation loss.

    A bar on a terminal, a few plain lines elsewhere; nothing where it is to be `quiet`.

    >>> from studies.records.journal import Journal
    >>> with Progress("nothing to do", Journal("no-such-folder"), []):
    ...     pass
    """

    SECONDS_BETWEEN_LOOKS = 0.5
    SECONDS_BETWEEN_LINES = 30

    def __init__(self, title: str, journal: Journal, work: Sequence[Work], quiet: bool = False) -> None:
        self.title, self.journal = title, journal
        self.paths = [journal.path(each) for each in work]
        self.console = Console(file=sys.stderr, highlight=False, quiet=quiet)
        self.ended = threading.Event()
        # Of each fit under way, by the path of its record.
        self.shares: dict[Path, float] = {}
        self.shares_at_start: dict[Path, float] = {}
        self.seen: set[Path] = set()
        self.lowest, self.best = float("inf"), ""

    def __enter__(self) -> Self:
        self.start, self.done_at_start = time.monotonic(), self.done()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.watcher.join()
        done, seconds = self.done(), time.monotonic() - self.start
        kept = f", {self.done_at_start} of them from before" if self.done_at_start else ""
        if self.paths:
            self.console.print(f"{self.title}: {done} of {len(self.paths)} done{kept}, {seconds:.0f} s", soft_wrap=True)

    def done(self) -> int:
        return sum(path.exists() for path in self.paths)

    def under_way(self, work: Iterable[Work], epoch: int, epochs: int) -> None:
        """Say that pieces of work have epoch `epoch`, from 0, of `epochs` behind them; any thread may, again and again.

        What came before the epoch that it is told of first was done by an earlier run, and kept in a backup.
        """
        for path in map(self.journal.path, work):
            self.shares_at_start.setdefault(path, epoch / epochs)
            self.shares[path] = (epoch + 1) / epochs

    def worth(self) -> float:
        """Return how many pieces' worth of work is done: all of what is recorded, and a share of what is under way."""
        return sum(1 if path.exists() else self.shares.get(path, 0) for path in self.paths)

    def left(self) -> str:
        """Return "about 3 min left", at the pace of this run; an empty text where nothing is done yet, or all."""
        worth, seconds = self.worth(), time.monotonic() - self.start
        new = worth - self.done_at_start - sum(self.shares_at_start.get(path, 0) for path in self.paths)
        left = (len(self.paths) - worth) * seconds / new if new > 0 else 0
        return f"about {duration(left)} left" if left else ""

    def best_so_far(self) -> str:
        """Return "lowest validation loss 0.1234 (Adam, α = 0.01, β₂ = 0.99)"; nothing for work that has none."""
        for path in self.paths:
            if path not in self.seen and path.exists():
                self.seen.add(path)
                with contextlib.suppress(*UNREADABLE):  # the run itself will say so
                    self._look_at(record_of(read(path)))
        return self.best

    def _look_at(self, record: Record) -> None:
        if not isinstance(record, FitRecord) or record.work.learning_rate is None:
            return
        if (loss := record.outcome.history["val_loss"][-1]) < self.lowest:
            self.lowest, work = loss, record.work
            setting = Setting(record.work.learning_rate, work.beta_2, work.options)
            self.best = f"lowest validation loss {loss:.4g} ({record.work.optimizer}, {setting})"

    def note(self, text: str) -> None:
        self.console.print(f"{self.title}: {text}", soft_wrap=True)

    def _watch(self) -> None:
        if self.console.is_terminal:
            self._draw_bar()
        else:
            self._write_lines()

    def _draw_bar(self) -> None:
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeElapsedColumn(),
        ]
        with _Bar(*columns, TextColumn("{task.fields[left]}"), console=self.console, transient=True) as bar:
            task = bar.add_task(self.title, total=len(self.paths), **self._shown())
            while not self.ended.wait(self.SECONDS_BETWEEN_LOOKS):
                bar.update(task, **self._shown())

    def _shown(self) -> dict[str, Any]:
        done = f"{self.done()} of {len(self.paths)}"
        return {"completed": self.worth(), "done": done, "left": self.left(), "best": self.best_so_far()}

    def _write_lines(self) -> None:
        while not self.ended.wait(self.SECONDS_BETWEEN_LINES):
            self.console.print(f"{self.title}: {self.state()}", soft_wrap=True)

    def state(self) -> str:
        """Return "12 of 75 done, about 3 min left, lowest validation loss ..."."""
        done = f"{self.done()} of {len(self.paths)} done"
        return ", ".join(filter(None, (done, self.left(), self.best_so_far())))


class _Bar(RichProgress):
    """A bar with the best so far on a line below it: a terminal of 80 columns has no room for both in one."""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        yield from (Text(task.fields["best"], no_wrap=True, overflow="ellipsis") for task in self.tasks)


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> duration(8.3), duration(200), duration(9000)
    ('8 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
