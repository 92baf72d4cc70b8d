"""Finished fits of searches, kept in a folder: the same search again trains none of them twice."""

import contextlib
import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_amsgrad import journal
from keras_amsgrad.model_selection.fits import warn
from keras_amsgrad.replicas.chunks import Chunking
from keras_amsgrad.replicas.replica import Outcome

UNFINISHED_WRITING = ("*/*.npz.*.part",)


class ResumeError(RuntimeError):
    """A search cannot use the folder of its `resume`; the message says why, and what to do.

    >>> import tempfile
    >>> from scikeras.wrappers import KerasClassifier
    >>> from sklearn.model_selection import KFold
    >>> from keras_amsgrad.model_selection import ReplicaGridSearchCV
    >>> with tempfile.NamedTemporaryFile() as file:  # a file where a folder should be
    ...     search = ReplicaGridSearchCV(KerasClassifier(), {"epochs": [1, 2]}, cv=KFold(2), resume=file.name)
    ...     try:
    ...         search.fit([[0.0], [1.0]], [0, 1])
    ...     except ResumeError as error:
    ...         print(file.name in str(error))
    True
    """


@dataclasses.dataclass(frozen=True)
class Call:
    """Fits that train in one call of the engine, so that those which are missing get the same chunks as the first time.

    Attributes:
        names: The names of the fits, in their order.
        chunking: How they are divided.
        firsts: The numbers of the first chunk of each program.
    """

    names: tuple[str, ...]
    chunking: Chunking
    firsts: tuple[int, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class KeptFit:
    """A fit as it was kept: its outcome, the rows of the search for which it has outputs, and who trained it."""

    outcome: Outcome
    rows: np.ndarray
    is_own: bool


class KeptFits:
    """The fits below a folder.

    fits/NAME.npz         one finished fit: history, weights, outputs, seconds, status
    calls/NAME.npz        a `Call`
    unfinished/NAME.npz   the last saved epoch of a chunk that is under way
    seeds/NAME.npz        the seed that a search drew, because its estimator has none

    The files are `keras_amsgrad.journal` records, except those of `unfinished`; see `keras_amsgrad.replicas.backup`.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).absolute()
        self.checked: dict[str, bool] = {}  # names of fits, and whether there is a record of them that looks whole
        self.set_aside: list[Path] = []

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep other searches out of the folder; at the end, say in one warning which files were set aside.

        Raises:
            ResumeError: Another search is at work there, or the folder cannot be used.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(journal.locked(self.folder, UNFINISHED_WRITING))
            except journal.Busy:
                raise ResumeError(
                    f"Another search is at work in {self.folder}. Wait for it, or give `resume` another folder."
                ) from None
            except OSError as error:
                raise ResumeError(f"`resume` cannot be {self.folder}: {_words(error)}. Give another folder.") from error
            try:
                yield
            finally:
                if self.set_aside:
                    warn(
                        f"{len(self.set_aside)} files in {self.folder} are damaged or no records of fits. They were "
                        f"set aside with the suffix .damaged, and what they stood for is made again. (First: "
                        f"{self.set_aside[0].relative_to(self.folder)})"
                    )

    @contextlib.contextmanager
    def written(self) -> Iterator[None]:
        """Raise ResumeError where the block cannot write to the disk."""
        try:
            yield
        except OSError as error:
            raise ResumeError(
                f"Fits cannot be kept in {self.folder}: {_words(error)}. What has been kept stays: the same search "
                "goes on from there once there is room."
            ) from error

    def has(self, name: str) -> bool:
        """Return whether there is a record of a fit. One that ends too early is set aside; `read` checks the rest."""
        if name not in self.checked:
            path = self._path("fits", name)
            self.checked[name] = journal.looks_whole(path)
            if not self.checked[name] and path.exists():
                self._set_aside(path)
        return self.checked[name]

    @property
    def finished(self) -> int:
        """How many of the fits that this search has asked for are there."""
        return sum(self.checked.values())

    def write(self, name: str, outcome: Outcome, rows: np.ndarray, *, with_state: bool, is_own: bool = False) -> None:
        """Keep a fit; it is on the disk when this returns."""
        held = dataclasses.asdict(dataclasses.replace(outcome, state=outcome.state if with_state else None))
        arrays: list[np.ndarray] = []
        content = _packed({"name": name, "outcome": held, "rows": np.asarray(rows), "is_own": is_own}, arrays)
        with self.written():
            journal.write(self._path("fits", name), content, arrays)
        self.checked[name] = True

    def read(self, name: str) -> KeptFit | None:
        """Return a fit; None where its record is damaged or another fit's, which is then set aside."""

        def made(content: Any, arrays: list[np.ndarray]) -> KeptFit:
            found = _unpacked(content, arrays)
            if found["name"] != name:
                raise ValueError("it is the record of another fit")
            return KeptFit(Outcome(**found["outcome"]), found["rows"], found["is_own"])

        kept = self._read(self._path("fits", name), made)
        self.checked[name] = kept is not None
        return kept

    @functools.cached_property
    def calls(self) -> list[Call]:
        """The calls of the folder, in the order in which they were written."""

        def made(content: Any, arrays: Any) -> tuple[int, Call]:
            chunking = Chunking(tuple((tuple(part), size) for part, size in content["parts"]), content["steps"])
            return content["number"], Call(tuple(content["names"]), chunking, tuple(content["firsts"]))

        found = [self._read(path, made) for path in sorted((self.folder / "calls").glob("*.npz"))]
        return [call for _, call in sorted((each for each in found if each), key=lambda each: each[0])]

    def add_call(self, call: Call) -> None:
        """Keep a call, unless one of the same fits is there."""
        if all(each.names != call.names for each in self.calls):
            content = {"number": len(self.calls), "names": call.names, "firsts": call.firsts}
            content |= dataclasses.asdict(call.chunking)
            with self.written():
                journal.write(self._path("calls", _name_of(call.names)), content)
            self.calls.append(call)

    def backup_path(self, names: Sequence[str]) -> Path:
        """Return where a chunk of these fits saves its state."""
        return self._path("unfinished", _name_of(names))

    def seed(self, name: str, drawn: int) -> int:
        """Return the seed that is kept under a name; where there is none, keep and return `drawn`."""
        path = self._path("seeds", name)
        kept = self._read(path, lambda content, arrays: int(content["seed"]))
        if kept is None:
            with self.written():
                journal.write(path, {"seed": drawn})
        return drawn if kept is None else kept

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{name}.npz"

    def _read(self, path: Path, made: Any) -> Any:
        """Return what is `made` of a record, or None where there is none; one of which nothing can be is set aside."""
        try:
            return made(*journal.read(path))
        except FileNotFoundError:
            return None
        except journal.NOT_WHOLE:
            self._set_aside(path)
            return None
        except OSError as error:
            raise ResumeError(f"{path} cannot be read: {_words(error)}.") from error

    def _set_aside(self, path: Path) -> None:
        with self.written():
            self.set_aside.append(journal.set_aside(path))


def _name_of(names: Sequence[str]) -> str:
    return hashlib.blake2b("".join(names).encode(), digest_size=12).hexdigest()


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).rstrip(".")


def _packed(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return a structure as JSON holds it, with its arrays appended to `arrays`."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, dict):
        return {"dict": {name: _packed(each, arrays) for name, each in value.items()}}
    return [_packed(each, arrays) for each in value] if isinstance(value, (list, tuple)) else value


def _unpacked(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(each, arrays) for each in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    return {name: _unpacked(each, arrays) for name, each in value["dict"].items()}
