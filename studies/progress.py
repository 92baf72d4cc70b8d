"""Progress of a study, read from its journal: so it counts the fits of every process and every engine."""

import contextlib
import sys
import threading
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from studies.catalog import Setting
from studies.journal import read


class Progress:
    """Show how many pieces of work are recorded, the time left, and the best fit so far: the lowest validation loss.

    A bar on a terminal, a few plain lines elsewhere.

    >>> from studies.journal import Journal
    >>> with Progress("nothing to do", Journal("no-such-folder"), []):
    ...     pass
    """

    SECONDS_BETWEEN_LOOKS = 0.5
    SECONDS_BETWEEN_LINES = 30

    def __init__(self, title, journal, work):
        self.title = title
        self.paths = [journal.path(each) for each in work]
        self.console = Console(file=sys.stderr, highlight=False)
        self.ended = threading.Event()
        self.begun = 0.0
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

    def under_way(self, fits):
        """Say how many fits' worth of work is done but not recorded yet, for the time left."""
        self.begun = fits

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
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[best]}"))
        with RichProgress(*columns, *times, console=self.console, transient=True) as bar:
            task = bar.add_task(self.title, total=len(self.paths), completed=self.done_at_start, best="")
            while not self.ended.wait(self.SECONDS_BETWEEN_LOOKS):
                bar.update(task, completed=self.done() + self.begun, best=self.best_so_far())

    def _write_lines(self):
        while not self.ended.wait(self.SECONDS_BETWEEN_LINES):
            self.console.print(f"{self.title}: {self.state()}", soft_wrap=True)

    def state(self):
        """Return "12 of 75 done, about 3 min left, lowest validation loss ..."."""
        done, seconds = self.done(), time.monotonic() - self.start
        new = done + self.begun - self.done_at_start
        text = f"{done} of {len(self.paths)} done"
        left = len(self.paths) - self.done_at_start - new
        text += f", about {left * seconds / new / 60:.0f} min left" if new else ""
        return ", ".join(filter(None, (text, self.best_so_far())))
