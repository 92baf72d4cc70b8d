"""Progress of a study, read from its journal: so it counts the fits of every process and every engine."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from keras_amsgrad.progress import ProgressDisplay
from studies.catalog import Setting
from studies.records.journal import Journal, read
from studies.records.record import FitRecord, Record, Work, record_of

UNREADABLE = (OSError, ValueError, KeyError, TypeError)  # what reading a damaged record raises


class Progress(ProgressDisplay):
    """Show how many pieces of work are recorded, the time left, and the best fit so far: the lowest validation loss.

    A bar on a terminal, a few plain lines elsewhere; nothing where it is to be `quiet`.

    >>> from studies.records.journal import Journal
    >>> with Progress("nothing to do", Journal("no-such-folder"), []):
    ...     pass
    """

    def __init__(self, title: str, journal: Journal, work: Sequence[Work], quiet: bool = False) -> None:
        super().__init__(title, quiet)
        self.journal, self.paths = journal, [journal.path(each) for each in work]
        # Of each fit under way, by the path of its record.
        self.shares: dict[Path, float] = {}
        self.shares_at_start: dict[Path, float] = {}
        self.seen: set[Path] = set()
        self.lowest, self.best = float("inf"), ""

    def __enter__(self) -> Self:
        self.done_at_start = self.done()
        return super().__enter__()

    def summary(self) -> str:
        kept = f", {self.done_at_start} of them from before" if self.done_at_start else ""
        return f"{self.done()} of {self.total()} done{kept}, {self.seconds():.0f} s"

    def total(self) -> int:
        return len(self.paths)

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

    def worth_at_start(self) -> float:
        return self.done_at_start + sum(self.shares_at_start.get(path, 0) for path in self.paths)

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
