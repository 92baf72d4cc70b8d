"""Progress of a study, read from its journal: so it counts the fits of every process and every engine."""

import contextlib
import sys
import threading
import time

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from studies.catalog import Setting
from studies.journal import read


class Progress:
    """Show how many pieces of work are recorded, the time left, and the best fit so far: the lowest validation loss.

    A bar on a terminal, a few plain lines elsewhere; nothing where it is to be `quiet`.

    >>> from studies.journal import Journal
    >>> with Progress("nothing to do", Journal("no-such-folder"), []):
    ...     pass
    """

    SECONDS_BETWEEN_LOOKS = 0.5
    SECONDS_BETWEEN_LINES = 30

    def __init__(self, title, journal, work, quiet=False):
        self.title, self.journal = title, journal
        self.paths = [journal.path(each) for each in work]
        self.console = Console(file=sys.stderr, highlight=False, quiet=quiet)
        self.ended = threading.Event()
        self.shares, self.shares_at_start = {}, {}  # of each fit under way, by the path of its record
        self.lowest, self.best, self.seen = float("inf"), "", set()

    def __enter__(self):
        self.start, self.done_at_start = time.monotonic(), self.done()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()
        return self

    def __exit__(self, kind, error, traceback):
        self.ended.set()
        self.watcher.join()
        done, seconds = self.done(), time.monotonic() - self.start
        kept = f", {self.done_at_start} of them from before" if self.done_at_start else ""
        if self.paths:
            self.console.print(f"{self.title}: {done} of {len(self.paths)} done{kept}, {seconds:.0f} s", soft_wrap=True)

    def done(self):
        return sum(path.exists() for path in self.paths)

    def under_way(self, work, epoch, epochs):
        """Say that pieces of work have epoch `epoch`, from 0, of `epochs` behind them; any thread may, again and again.

        What came before the epoch that it is told of first was done by an earlier run, and kept in a backup.
        """
        for path in map(self.journal.path, work):
            self.shares_at_start.setdefault(path, epoch / epochs)
            self.shares[path] = (epoch + 1) / epochs

    def worth(self):
        """Return how many pieces' worth of work is done: all of what is recorded, and a share of what is under way."""
        return sum(1 if path.exists() else self.shares.get(path, 0) for path in self.paths)

    def left(self):
        """Return "about 3 min left", at the pace of this run; an empty text where nothing is done yet, or all."""
        worth, seconds = self.worth(), time.monotonic() - self.start
        new = worth - self.done_at_start - sum(self.shares_at_start.get(path, 0) for path in self.paths)
        left = (len(self.paths) - worth) * seconds / new if new > 0 else 0
        return f"about {_duration(left)} left" if left else ""

    def best_so_far(self):
        """Return "lowest validation loss 0.1234 (Adam, α = 0.01, β₂ = 0.99)"; nothing for work that has none."""
        for path in self.paths:
            if path not in self.seen and path.exists():
                self.seen.add(path)
                with contextlib.suppress(OSError, ValueError, KeyError):  # damaged: the run itself will say so
                    self._look_at(read(path))
        return self.best

    def _look_at(self, record):
        work, losses = record["work"], record["outcome"].get("history", {}).get("val_loss", [None])
        if losses[-1] is not None and losses[-1] < self.lowest:
            self.lowest, setting = losses[-1], Setting(work["learning_rate"], work["beta_2"])
            self.best = f"lowest validation loss {self.lowest:.4g} ({work['optimizer']}, {setting})"

    def note(self, text):
        self.console.print(f"{self.title}: {text}", soft_wrap=True)

    def _watch(self):
        if self.console.is_terminal:
            self._draw_bar()
        else:
            self._write_lines()

    def _draw_bar(self):
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

    def _shown(self):
        done = f"{self.done()} of {len(self.paths)}"
        return {"completed": self.worth(), "done": done, "left": self.left(), "best": self.best_so_far()}

    def _write_lines(self):
        while not self.ended.wait(self.SECONDS_BETWEEN_LINES):
            self.console.print(f"{self.title}: {self.state()}", soft_wrap=True)

    def state(self):
        """Return "12 of 75 done, about 3 min left, lowest validation loss ..."."""
        done = f"{self.done()} of {len(self.paths)} done"
        return ", ".join(filter(None, (done, self.left(), self.best_so_far())))


class _Bar(RichProgress):
    """A bar with the best so far on a line below it: a terminal of 80 columns has no room for both in one."""

    def get_renderables(self):
        yield from super().get_renderables()
        yield from (Text(task.fields["best"], no_wrap=True, overflow="ellipsis") for task in self.tasks)


def _duration(seconds):
    """Return a time in the unit that suits it.

    >>> _duration(8.3), _duration(200), _duration(9000)
    ('8 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
