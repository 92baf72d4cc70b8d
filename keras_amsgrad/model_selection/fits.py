"""The fits of a search: each is trained once, as a replica or by the estimator itself, and found again."""

import dataclasses
import hashlib
import sys
import warnings
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import numpy as np
from sklearn.utils import _safe_indexing

Split = tuple[np.ndarray, np.ndarray]  # training rows, test rows
SIMPLE = (int, float, str, bytes, np.generic, type(None))  # found again by value; bool is an int


class ReplicaWarning(UserWarning):
    """Some fits of a search train one after another, by the estimator's own `fit`, or its splits may surprise.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", ReplicaWarning)  # in this block, a fit that trains by itself is an error
    """


def warn(message: str) -> None:
    """Give a `ReplicaWarning` at the line of the user's program that called the search."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in ("keras_amsgrad", "sklearn", "joblib"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, ReplicaWarning, stacklevel=level)


class Candidate(dict[str, Any]):
    """The parameters of a candidate. scikit-learn does not copy them, so that an object in them can be recognized."""

    def __sklearn_clone__(self) -> "Candidate":
        return self


def key(candidate: dict[str, Any]) -> Hashable:
    """Return what two candidates share if they have equal parameters: equal numbers and strings, the same objects.

    >>> key({"alpha": 0.1, "beta": 0.9}) == key({"beta": 0.9, "alpha": 0.1})
    True
    >>> sizes, others = [8], [8]
    >>> key({"sizes": sizes}) == key({"sizes": sizes}), key({"sizes": sizes}) == key({"sizes": others})
    (True, False)
    """
    values = ((type(value), value) if isinstance(value, SIMPLE) else id(value) for value in candidate.values())
    return frozenset(zip(candidate, values, strict=True))


def fingerprint(rows: np.ndarray) -> bytes:
    """Return a short digest of row numbers in their order.

    >>> fingerprint(np.array([1, 2])) == fingerprint(np.array([1, 2])) != fingerprint(np.array([2, 1]))
    True
    """
    return hashlib.blake2b(np.asarray(rows, "int64").tobytes(), digest_size=16).digest()


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """One fit of a search: a candidate, its training rows, and the rows for which outputs will be asked."""

    candidate: Candidate
    training: np.ndarray
    outputs_for: np.ndarray


class TrainedReplica(Protocol):
    """A fit that has been trained."""

    @property
    def seconds(self) -> float:
        """Its share of the time that its chunk of replicas took."""

    def fitted(self) -> Any:
        """Return the estimator as its own `fit` would have left it."""

    def scored(self) -> Any:
        """Return that estimator for scoring: what it predicts for a `Rows` of the search may be known already."""


@dataclasses.dataclass
class OwnFit:
    """A fit that the estimator's own `fit` trains, when scikit-learn asks for it.

    Attributes:
        reason: Why it is no replica, as the end of a sentence. None where its own `fit` will say what is wrong.
        if_it_succeeds: The reason where its own `fit` should have failed and has not.
        seconds: The time that it took.
        name: The name under which to keep it; None where it is not kept.
    """

    reason: str | None = None
    if_it_succeeds: str | None = None
    seconds: float = 0.0
    name: str | None = None


@dataclasses.dataclass(eq=False)
class StoredFit:
    """A fit that an earlier search trained and kept; it is read when scikit-learn asks for it.

    Attributes:
        name: The name under which it is kept.
        batch: The fits of its batch.
        index: Its place among them.
        seconds: The time that it took, once it has been read.
    """

    name: str
    batch: Sequence[Fit]
    index: int
    seconds: float = 0.0


@dataclasses.dataclass(eq=False)
class RebuiltFit:
    """A fit by the estimator's own `fit`, made again from what was kept of it: the fitted estimator, and its time."""

    estimator: Any
    seconds: float


class Trainer(Protocol):
    """Trains fits of one estimator on X, y as replicas: the adapter of a wrapper of Keras models."""

    def train(self, fits: Sequence[Fit]) -> Sequence[TrainedReplica | OwnFit | StoredFit]:
        """Train the fits that can be replicas; return what became of each."""

    def read(self, stored: StoredFit) -> TrainedReplica | OwnFit | RebuiltFit:
        """Return a fit that was kept."""

    def ended(self, own: OwnFit) -> None:
        """Note that the estimator's own `fit` has ended, whether it succeeded or not."""

    def keep(self, own: OwnFit, fitted: Any) -> None:
        """Keep what the estimator's own `fit` has trained."""

    def scored(self, results: dict[str, Any]) -> None:
        """Note the results so far of scikit-learn's search; raise the error with which a fit could not be kept."""


class SearchedFits:
    """The fits of one search, found by their candidate and their training rows in their order."""

    def __init__(self, estimator: Any, X: Any, y: Any, trainer: Trainer, with_training_outputs: bool) -> None:
        self.estimator, self.X, self.y = estimator, X, y
        self.trainer, self.with_training_outputs = trainer, with_training_outputs
        self.found: dict[Hashable, Any] = {}  # of `TrainedReplica`, `OwnFit` and `StoredFit`
        self.reasons: set[str] = set()  # that were said in a warning
        self.candidates: list[Candidate] = []  # kept, because `key` may hold the `id` of an object in them
        self.evaluated: list[list[tuple[Hashable, bytes]]] = []  # places in `found`, of each candidate so far

    def train(self, candidates: Sequence[Candidate], splits: Sequence[Split]) -> None:
        """Train what has not been trained yet of a batch of candidates, together."""
        missing: dict[Hashable, Fit] = {}
        for candidate in candidates:
            places = [(key(candidate), fingerprint(training)) for training, _ in splits]
            self.evaluated.append(places)
            for place, (training, test) in zip(places, splits, strict=True):
                if place not in self.found:
                    outputs_for = np.union1d(training, test) if self.with_training_outputs else np.asarray(test)
                    missing[place] = Fit(candidate, np.asarray(training), outputs_for)
        self._train(missing)

    def find(self, candidate: Candidate, rows: np.ndarray) -> TrainedReplica | OwnFit | RebuiltFit:
        """Return the fit of a candidate on some rows; train it now if it was in no batch."""
        place = key(candidate), fingerprint(rows)
        if place not in self.found:
            self._train({place: Fit(candidate, rows, rows[:0])})
        found = self.found[place]
        if not isinstance(found, StoredFit):
            return found
        read = self.trainer.read(found)
        found.seconds = read.seconds
        if isinstance(read, OwnFit):  # it could not be read after all; its seconds come with its `fit`
            self.found[place] = read
        return read

    def succeeded(self, found: OwnFit, candidate: Candidate, fitted: Any) -> None:
        """Keep what an estimator's own `fit` has trained; warn where no success was expected."""
        self.trainer.keep(found, fitted)
        if found.if_it_succeeds and found.if_it_succeeds not in self.reasons:
            self._warn(found.if_it_succeeds, candidate, "Fits are")

    def _train(self, missing: dict[Hashable, Fit]) -> None:
        if missing:
            self.candidates += [fit.candidate for fit in missing.values()]
            trained = self.trainer.train(list(missing.values()))
            self.found |= zip(missing, trained, strict=True)
            self._warn_of(list(missing.values()), trained)

    def _warn_of(self, fits: Sequence[Fit], trained: Sequence[TrainedReplica | OwnFit | StoredFit]) -> None:
        """Warn of each reason for which fits are no replicas, once in a search."""
        reasons: dict[str, list[Candidate]] = {}
        for fit, found in zip(fits, trained, strict=True):
            if isinstance(found, OwnFit) and found.reason and found.reason not in self.reasons:
                reasons.setdefault(found.reason, []).append(fit.candidate)
        for reason, candidates in reasons.items():
            many = f"{len(candidates)} of {len(fits)} fits are" if len(fits) > 1 else "A fit is"
            self._warn(reason, candidates[0], many)

    def _warn(self, reason: str, candidate: Candidate, subject: str) -> None:
        self.reasons.add(reason)
        first = {name: str(value) if len(str(value)) < 60 else "..." for name, value in candidate.items()}
        warn(f"{subject} trained by the estimator's own `fit`, one after another: {reason}. (First: {first})")

    def seconds(self) -> np.ndarray:
        """Return the seconds of each candidate that was in a batch, on each split."""
        return np.array([[self.found[place].seconds for place in places] for places in self.evaluated])


class Rows:
    """Some rows of X by their numbers. scikit-learn splits X for every fit; nothing is copied until it is read."""

    def __init__(self, X: Any, rows: np.ndarray) -> None:
        self.X, self.rows, self.shape = X, rows, (len(rows), *np.shape(X)[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            key, *columns = key
            if any(each is not Ellipsis and each != slice(None) for each in columns):
                return np.asarray(self)[(key, *columns)]
        return Rows(self.X, self.rows[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.X)[self.rows].astype(dtype or np.asarray(self.X).dtype)

    def data(self) -> Any:
        """Return these rows of X in the type of X."""
        return _safe_indexing(self.X, self.rows)


def read(value: Any) -> Any:
    """Return the data of a `Rows`, and every other value as it is."""
    return value.data() if isinstance(value, Rows) else value
