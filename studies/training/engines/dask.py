"""Fits on a Dask cluster: chunks of replicas, and single fits by Keras's `fit`."""

import contextlib
import dataclasses
import uuid
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from distributed import Client, Future, KilledWorker, as_completed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from keras_amsgrad.dask import in_own_process, pickled
from keras_amsgrad.replicas.chunks import Chunking
from keras_amsgrad.replicas.program_cache import ProgramCache
from studies.catalog.fit import Fit
from studies.data import official
from studies.data.dataset import Dataset, Preparation
from studies.errors import StudyError
from studies.records.journal import Journal
from studies.startup import import_keras
from studies.training import engines
from studies.training.engines import Replicas
from studies.training.workspace import Workspace


def train(fits: list[Fit], workspace: Workspace, engine: engines.Dask) -> None:
    """Train the fits that the journal lacks on the cluster of a scheduler.

    Each worker reads the data itself, and records what it has trained. A chunk of replicas is what travels; that of a
    killed worker goes to another one, and goes on from its backup. Chunks are divided here, so that the numbers are
    those of this process.
    """
    from studies.training.engines import replicas

    data = workspace.data
    if data.preparation is None:
        raise StudyError(f"The workers of a cluster cannot read {data.name}; train on this machine, without Dask.")
    preparation = data.preparation
    with _client(engine.address) as client:
        try:
            if engine.name == Replicas.name:
                here = client, preparation, workspace.journal
                replicas.train(fits, workspace, engine.together, lambda alike: ChunkWorkers(*here, alike))
            singles = [
                _submitted(client, _train_fit, fit, preparation, workspace.journal) for fit in workspace.missing(fits)
            ]
            client.gather(singles)
        except (KilledWorker, TerminatedWorkerError) as error:
            raise StudyError(
                "Fits took down Dask workers, perhaps for want of memory. Finished fits are kept: run the command "
                "again to continue, with more memory or fewer threads for each worker if it happens again."
            ) from error


@dataclasses.dataclass(frozen=True, eq=False)
class ChunkWorkers:
    """The workers of a cluster, as `keras_amsgrad.replicas.train` uses them for fits of one network.

    `name` tells these fits from those of other calls: a worker keeps the programs of one call from chunk to chunk.
    """

    client: Client
    preparation: Preparation
    journal: Journal
    fits: Sequence[Fit]
    name: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def count(self) -> int:
        return sum(self.client.ncores().values())

    def train(self, chunking: Chunking, backups: Sequence[Path | None]) -> Iterator[tuple[int, list[Any]]]:
        """Train chunks, which the workers record; yield the number of each, without outcomes, as they finish."""
        numbers = {}
        for number, ((part, size), backup) in enumerate(zip(chunking.parts, backups, strict=True)):
            alone = Chunking(((tuple(range(len(part))), size),), chunking.steps)
            chunk = self.name, [self.fits[i] for i in part], self.preparation, self.journal, alone, backup
            numbers[_submitted(self.client, _train_chunk, *chunk)] = number
        for future in as_completed(numbers):
            future.result()  # which raises what the worker raised
            yield numbers[future], [None] * len(chunking.parts[numbers[future]][0])


@contextlib.contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise StudyError(f"No Dask scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise StudyError(f"The Dask scheduler at {address} has no workers. Start some: dask worker {address}")
        yield client


def _submitted(client: Client, *call: Any) -> Future:
    function, *arguments = call
    return client.submit(in_own_process, pickled((function, arguments)), pure=False)


def _train_chunk(
    call: str, fits: list[Fit], preparation: Preparation, journal: Journal, chunking: Chunking, backup: Path | None
) -> None:
    """Train a chunk in this process, and record its fits."""
    data = _data(fits[0], preparation)
    from studies.training.build import network_of
    from studies.training.engines.replicas import train_alike

    if call not in _programs:
        _programs.clear()
        _programs[call] = ProgramCache(network_of(fits[0], data))
    train_alike(fits, data, journal, _programs[call], chunking=chunking, backup=lambda positions: backup)


_programs: dict[str, ProgramCache] = {}  # of this process, by the name of the call: those of one call


def _train_fit(fit: Fit, preparation: Preparation, journal: Journal) -> None:
    """Train a fit by Keras's `fit` in this process, and record it."""
    data = _data(fit, preparation)
    from studies.training import repeats

    repeats.train(fit, data, journal)


def _data(fit: Fit, preparation: Preparation) -> Dataset:
    import_keras()
    data = _prepared(preparation)
    if data.fingerprint != fit.data:
        raise StudyError(f"A Dask worker sees other {data.name} data than this machine. Give both the same files.")
    return data


_prepared = cache(official.prepare)
