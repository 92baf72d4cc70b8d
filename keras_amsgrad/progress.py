"""Progress of many fits, in a thread of its own: a bar on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text


class ProgressDisplay:
    """Shows how much is done of what there is to do, the time left, and the best so far, on the standard error.

    A subclass gives `total`, `done`, `worth`, `worth_at_start` and `best_so_far`. Any thread may change what they
    return.

    Args:
        title: The first word of every line.
        quiet: Whether to show nothing.
    """

    SECONDS_BETWEEN_LOOKS = 0.5
    SECONDS_BETWEEN_LINES = 30

    def __init__(self, title: str, quiet: bool = False) -> None:
        self.title, self.start = title, time.monotonic()
        # As text in a notebook too: what a thread displays there may end up below another cell.
        self.console = Console(file=sys.stderr, highlight=False, quiet=quiet, force_jupyter=False)
        self.ended = threading.Event()

    def total(self) -> int:
        """Return the number of fits, as far as it is known."""
        raise NotImplementedError

    def done(self) -> int:
        """Return how many fits are done."""
        raise NotImplementedError

    def worth(self) -> float:
        """Return how many fits' worth of work is done: all of what is done, and a share of what is under way."""
        raise NotImplementedError

    def worth_at_start(self) -> float:
        """Return how much of `worth` an earlier run did, which says nothing of the pace of this one."""
        raise NotImplementedError

    def best_so_far(self) -> str:
        """Return "best score 0.91", say; an empty text where nothing is known yet."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start = time.monotonic()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        if not self.console.quiet:
            self.watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        if not self.console.quiet:
            self.watcher.join()
        if self.total():
            self.console.print(f"{self.title}: {self.summary()}", soft_wrap=True)

    def seconds(self) -> float:
        """Return how long it has been going on."""
        return time.monotonic() - self.start

    def left(self) -> str:
        """Return "about 3 min left", at the pace of this run; an empty text where nothing is done yet, or all."""
        worth = self.worth()
        new = worth - self.worth_at_start()
        left = (self.total() - worth) * self.seconds() / new if new > 0 else 0
        return f"about {duration(left)} left" if left else ""

    def summary(self) -> str:
        """Return the line with which it ends."""
        return f"{self.done()} of {self.total()} done, {self.seconds():.0f} s"

    def state(self) -> str:
        """Return "12 of 75 done, about 3 min left, best score 0.91"."""
        return ", ".join(filter(None, (f"{self.done()} of {self.total()} done", self.left(), self.best_so_far())))

    def note(self, text: str) -> None:
        """Write a line that is no progress."""
        self.console.print(f"{self.title}: {text}", soft_wrap=True)

    def _watch(self) -> None:
        if self.console.is_terminal:
            self._draw_bar()
        else:
            while not self.ended.wait(self.SECONDS_BETWEEN_LINES):
                self.console.print(f"{self.title}: {self.state()}", soft_wrap=True)

    def _draw_bar(self) -> None:
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeElapsedColumn(),
        ]
        with _Bar(*columns, TextColumn("{task.fields[left]}"), console=self.console, transient=True) as bar:
            task = bar.add_task(self.title, **self._shown())
            while not self.ended.wait(self.SECONDS_BETWEEN_LOOKS):
                bar.update(task, **self._shown())

    def _shown(self) -> dict[str, Any]:
        done = f"{self.done()} of {self.total()}"
        below = {"left": self.left(), "best": self.best_so_far()}
        return {"total": self.total(), "completed": self.worth(), "done": done, **below}


class _Bar(Progress):
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
