"""Which fits of a search are finished, which train together, and how those that finish are kept."""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_amsgrad.model_selection.adapter import Adapter
from keras_amsgrad.model_selection.fingerprints import FitNames
from keras_amsgrad.model_selection.fits import Fit, OwnFit, StoredFit, warn
from keras_amsgrad.model_selection.kept_fits import Call, KeptFit, KeptFits, ResumeError
from keras_amsgrad.replicas.chunks import Chunking
from keras_amsgrad.replicas.replica import Outcome


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Fits of a batch to train together as far as their plans allow.

    Attributes:
        positions: Their positions in the batch.
        chunking: How to divide them, as in the call that was interrupted; None where they are new.
    """

    positions: list[int]
    chunking: Chunking | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Batch:
    """What is known of the fits of a batch.

    Attributes:
        fits: The fits.
        names: Their names; None for one that is not kept.
        stored: Those that are finished, by position.
        parts: What to train. Finished fits are among them where their chunk lacks others.
    """

    fits: Sequence[Fit]
    names: list[str | None]
    stored: dict[int, StoredFit]
    parts: list[Part]


class NothingKept:
    """A search without a folder: all fits are new."""

    def batch(self, fits: Sequence[Fit]) -> Batch:
        return Batch(fits, [None] * len(fits), {}, [Part(list(range(len(fits))))])

    def starts(self, batch: Batch) -> list[tuple[Fit, Outcome]]:
        return []

    def finished_calls(self) -> list[tuple[Call, list[Fit]]]:
        return []

    def read(self, stored: StoredFit) -> KeptFit | None:
        return None

    def keep_own(self, own: OwnFit, outcome: Outcome | None) -> None:
        """Keep nothing."""

    def hooks(self, names: Sequence[str | None], rows: Sequence[np.ndarray], finished: Collection[int]) -> Any:
        return {}

    def check(self) -> None:
        """Do nothing: nothing is written."""


class Resumption:
    """The fits of a search in a folder: those that are there, and those that finish.

    Args:
        kept: The folder.
        adapter: The adapter of the search. A seed that it draws is kept, and used again.
        continues: Whether fits of a round continue in the next one, so that their states are kept.
    """

    def __init__(self, kept: KeptFits, adapter: Adapter, continues: bool) -> None:
        self.kept, self.continues = kept, continues
        self.names, draw = FitNames(adapter), adapter.draw_seed
        adapter.draw_seed = lambda: kept.seed(self.names.whole, draw())
        self.names.add_network()
        self.fits: dict[str, Fit] = {}  # of all batches, by name
        self.finished: list[Call] = []  # whose programs no call has needed yet
        self.round: dict[str, StoredFit] = {}  # the finished fits of the last batch, by lineage
        self.round_before: dict[str, StoredFit] = {}
        self.failure: ResumeError | None = None
        self.said: set[str] = set()

    def batch(self, fits: Sequence[Fit]) -> Batch:
        """Return which fits are finished, and which to train in which calls."""
        names = [self.names.name(fit) for fit in fits]
        self._warn_of_unknown(sum(name is None for name in names), len(names))
        places = {name: i for i, name in enumerate(names) if name is not None}
        self.fits |= {name: fits[i] for name, i in places.items()}
        stored = {
            i: StoredFit(name, fits, i) for i, name in enumerate(names) if name is not None and self.kept.has(name)
        }
        self.round_before, self.round = self.round, {}
        if self.continues:
            self.round = {str(self.names.lineage(fits[i])): each for i, each in stored.items()}
        parts: list[Part] = []
        covered = set(stored)
        for call in self.kept.calls:
            if places.keys() >= set(call.names):
                positions = [places[name] for name in call.names]
                if all(i in stored for i in positions):
                    self.finished.append(call)
                elif not covered >= set(positions):  # a call may have made again what is missing of another
                    parts.append(_missing(call, positions, stored))
                    covered |= set(parts[-1].positions)
        new = [i for i in range(len(fits)) if i not in covered]
        parts += [Part([i for i in new if names[i] is not None]), Part([i for i in new if names[i] is None])]
        return Batch(fits, names, stored, [part for part in parts if part.positions])

    def starts(self, batch: Batch) -> Iterator[tuple[Fit, Outcome]]:
        """Yield (fit, outcome) of each finished fit of the batch before from which one of this batch continues."""
        for i in (i for part in batch.parts for i in part.positions):
            before = self.round_before.get(str(self.names.lineage(batch.fits[i]))) if self.round_before else None
            kept = before and self.kept.read(before.name)
            if before and kept and kept.outcome.state is not None:
                yield before.batch[before.index], kept.outcome

    def finished_calls(self) -> list[tuple[Call, list[Fit]]]:
        """Return each finished call, with its fits, that has not been returned before."""
        finished, self.finished = self.finished, []
        return [(call, [self.fits[name] for name in call.names]) for call in finished]

    def read(self, stored: StoredFit) -> KeptFit | None:
        """Return a fit that was kept, or None where its record is damaged."""
        return self.kept.read(stored.name)

    def keep_own(self, own: OwnFit, outcome: Outcome | None) -> None:
        """Keep a fit by the estimator's own `fit`. scikit-learn would take an error for the fit's: see `check`."""
        if own.name is None or self.failure is not None:
            return
        if outcome is None:
            self._warn_once("own", "Fits by the estimator's own `fit` are not kept: each search trains them again.")
            return
        try:
            nothing, outcome = np.empty(0, int), dataclasses.replace(outcome, seconds=own.seconds)
            self.kept.write(own.name, outcome, nothing, with_state=False, is_own=True)
        except ResumeError as error:
            self.failure = error

    def check(self) -> None:
        """Raise the error with which a fit could not be kept."""
        if self.failure is not None:
            raise self.failure

    def hooks(self, names: Sequence[str | None], rows: Sequence[np.ndarray], finished: Collection[int]) -> Any:
        """Return the arguments of `replicas.train` that keep what finishes.

        `names` and `rows` are the names of the fits of a call, and the rows that their outputs are for; `finished` are
        the positions of those that are kept already.
        """
        known = [name for name in names if name is not None]
        if len(known) < len(names):
            return {}

        def started(chunking: Chunking, firsts: list[int]) -> None:
            self.kept.add_call(Call(tuple(known), chunking, tuple(firsts)))

        def done(positions: list[int], outcomes: list[Outcome]) -> None:
            for i, outcome in zip(positions, outcomes, strict=True):
                if i not in finished:
                    self.kept.write(known[i], outcome, rows[i], with_state=self.continues)

        def backup(positions: list[int]) -> Path:
            return self.kept.backup_path([known[i] for i in positions])

        return {"on_start": started, "on_chunk": done, "backup": backup}

    def _warn_of_unknown(self, count: int, of: int) -> None:
        if count:
            reason = next(iter(self.names.unknown), "their description is not complete")
            self._warn_once(reason, f"{count} of {of} fits are not kept, and each search trains them again: {reason}.")

    def _warn_once(self, reason: str, message: str) -> None:
        if reason not in self.said:
            self.said.add(reason)
            warn(message)


def _missing(call: Call, positions: list[int], stored: Collection[int]) -> Part:
    """Return the chunks of a call in which fits are missing; `positions` are those of its fits in the batch."""
    parts: list[tuple[tuple[int, ...], int]] = []
    members: list[int] = []
    for part, size in call.chunking.parts:
        if any(positions[i] not in stored for i in part):
            parts.append((tuple(range(len(members), len(members) + len(part))), size))
            members += [positions[i] for i in part]
    return Part(members, Chunking(tuple(parts), call.chunking.steps))
