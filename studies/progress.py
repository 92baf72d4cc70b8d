"""Progress of a study, read from its journal: so it counts the fits of every process and every engine."""

import sys
import threading
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Progress:
    """Show how many pieces of work are recorded, and the time left; a bar on a terminal, a few plain lines elsewhere.

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

    def note(self, text):
        self.console.print(f"{self.title}: {text}", soft_wrap=True)

    def _watch(self):
        if self.console.is_terminal:
            self._draw_bar()
        else:
            self._write_lines()

    def _draw_bar(self):
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        with RichProgress(*columns, *times, console=self.console, transient=True) as bar:
            task = bar.add_task(self.title, total=len(self.paths), completed=self.done_at_start)
            while not self.ended.wait(self.SECONDS_BETWEEN_LOOKS):
                bar.update(task, completed=self.done() + self.begun)

    def _write_lines(self):
        while not self.ended.wait(self.SECONDS_BETWEEN_LINES):
            self.console.print(f"{self.title}: {self.state()}", soft_wrap=True)

    def state(self):
        """Return "12 of 75 done, about 3 min left"."""
        done, seconds = self.done(), time.monotonic() - self.start
        new = done + self.begun - self.done_at_start
        text = f"{done} of {len(self.paths)} done"
        left = len(self.paths) - self.done_at_start - new
        return f"{text}, about {left * seconds / new / 60:.0f} min left" if new else text
