"""Progress of a search: what scikit-learn's `verbose=1` shows beside its own first line."""

import threading
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from keras_amsgrad.progress import ProgressDisplay


class SearchProgress(ProgressDisplay):
    """Shows how many fits of a search are done, the epochs under way, the time left, and the best score so far.

    Fits are known by objects that stand for them. A search that proposes candidates in rounds does not know of the
    fits of later rounds. Scores are known when scikit-learn has scored a round.

    >>> with SearchProgress("a search", quiet=True) as progress:
    ...     progress.add(2)
    ...     progress.under_way(["one fit", "another"], epoch=0, epochs=4)
    ...     progress.finish(["one fit"])
    ...     progress.worth(), progress.epoch_under_way()
    (1.25, 'epoch 1 of 4')
    """

    def __init__(self, title: str, quiet: bool = False) -> None:
        super().__init__(title, quiet)
        self.lock = threading.Lock()  # chunks train in threads of their own
        self.fits = 0
        self.kept: set[Hashable] = set()
        self.finished: set[Hashable] = set()
        self.epochs: dict[Hashable, tuple[int, int]] = {}  # done and in all, of each fit under way
        self.shares_at_start: dict[Hashable, float] = {}
        self.best: float | None = None

    def add(self, fits: int, kept: Iterable[Hashable] = ()) -> None:
        """Say that there are more fits, some of which an earlier search has trained."""
        self.fits += fits
        with self.lock:
            self.kept |= set(kept)
            self.finished |= set(kept)

    def under_way(self, fits: Iterable[Hashable], epoch: int, epochs: int) -> None:
        """Say that fits have epoch `epoch`, from 0, of `epochs` behind them."""
        with self.lock:
            for fit in fits:
                self.shares_at_start.setdefault(fit, epoch / epochs)
                self.epochs[fit] = epoch + 1, epochs

    def finish(self, fits: Iterable[Hashable]) -> None:
        """Say that fits are done."""
        with self.lock:
            self.finished |= set(fits)

    def score(self, scores: Sequence[float]) -> None:
        """Say which mean scores are known; larger is better, and NaN is of a fit that failed."""
        known = [float(score) for score in scores if score == score]
        self.best = max(known, default=None)

    def added_to(self, hooks: dict[str, Any], fits: Sequence[Hashable], epochs: Sequence[int]) -> dict[str, Any]:
        """Return the arguments `hooks` of `replicas.train` with those that tell of these fits."""
        keep = hooks.get("on_chunk", lambda positions, outcomes: None)

        def on_epoch(positions: list[int], epoch: int, logs: Any) -> None:
            for i in positions:
                self.under_way([fits[i]], epoch, epochs[i])

        def on_chunk(positions: list[int], outcomes: Any) -> None:
            keep(positions, outcomes)
            self.finish(fits[i] for i in positions)

        return {**hooks, "on_epoch": on_epoch, "on_chunk": on_chunk}

    def total(self) -> int:
        return max(self.fits, len(self.finished))

    def done(self) -> int:
        return len(self.finished)

    def worth(self) -> float:
        with self.lock:
            shares = [done / of for fit, (done, of) in self.epochs.items() if fit not in self.finished]
            return len(self.finished) + sum(shares)

    def worth_at_start(self) -> float:
        with self.lock:
            return len(self.kept) + sum(share for fit, share in self.shares_at_start.items() if fit not in self.kept)

    def epoch_under_way(self) -> str:
        """Return "epochs 3 to 5 of 20", of the fits under way."""
        with self.lock:
            epochs = [each for fit, each in self.epochs.items() if fit not in self.finished]
        if not epochs:
            return ""
        first, last, of = min(epochs)[0], max(epochs)[0], max(of for _, of in epochs)
        return f"epoch {last} of {of}" if first == last else f"epochs {first} to {last} of {of}"

    def best_so_far(self) -> str:
        return "" if self.best is None else f"best score {self.best:.4g}"

    def summary(self) -> str:
        before = f", {len(self.kept)} of them before" if self.kept else ""
        return f"{self.done()} of {self.total()} fits done{before}, {self.seconds():.0f} s"

    def state(self) -> str:
        done = f"{self.done()} of {self.total()} fits done"
        return ", ".join(filter(None, (done, self.epoch_under_way(), self.left(), self.best_so_far())))

    def _shown(self) -> dict[str, Any]:
        below = ", ".join(filter(None, (self.epoch_under_way(), self.best_so_far())))
        return {**super()._shown(), "done": f"{self.done()} of {self.total()} fits", "best": below}
