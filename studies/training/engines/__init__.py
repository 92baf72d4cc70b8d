"""Engines: what trains the fits of a study. One is made from the options of a run, before anything heavy is imported.

After `engine.train(fits, workspace)` the journal of the `Workspace` has an outcome for each of the fits, which are all
of one stage. Fits that have one already are not trained again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from studies.catalog.fit import Fit
from studies.errors import StudyError

if TYPE_CHECKING:
    from studies.training.workspace import Workspace


@dataclass(frozen=True)
class Replicas:
    """Trains fits as replicas of one Keras model, as one program; what cannot be a replica, one after another."""

    together: int | None = None  # replicas in a chunk at most; None leaves that to `keras_amsgrad.replicas`
    name: ClassVar[str] = "replicas"

    def train(self, fits: list[Fit], workspace: "Workspace") -> None:
        from studies.training.engines import processes, replicas

        replicas.train(fits, workspace, self.together)
        processes.train(fits, workspace, jobs=1)


@dataclass(frozen=True)
class Processes:
    """Trains fits one after another by Keras's `fit`, in each of `jobs` processes."""

    jobs: int = 1
    name: ClassVar[str] = "gridsearch"

    def train(self, fits: list[Fit], workspace: "Workspace") -> None:
        from studies.training.engines.processes import train

        train(fits, workspace, self.jobs)


@dataclass(frozen=True)
class Dask:
    """Trains fits on a Dask cluster whose workers see the data files and the results folder.

    What travels is a chunk of replicas, or with the name "gridsearch" a single fit by Keras's `fit`.
    """

    address: str  # of the scheduler, as tcp://host:8786
    name: str = Replicas.name
    together: int | None = None

    def train(self, fits: list[Fit], workspace: "Workspace") -> None:
        from studies.training.engines.dask import train

        train(fits, workspace, self)


Engine = Replicas | Processes | Dask


def engine_of(
    name: str | None = None,
    *,
    jobs: int | None = None,
    dask: str | None = None,
    together: int | None = None,
    option: str = "{}",
) -> Engine:
    """Return the engine that options choose; raise StudyError where they exclude each other.

    Args:
        name: "replicas" or "gridsearch"; None is gridsearch where there are `jobs`, else replicas.
        jobs: Processes on this machine.
        dask: The address of a Dask scheduler.
        together: Replicas in a chunk at most.
        option: How a message writes the name of an option, as "--{}".

    >>> engine_of(), engine_of(jobs=2), engine_of("gridsearch")
    (Replicas(together=None), Processes(jobs=2), Processes(jobs=1))
    """
    if name not in (None, Replicas.name, Processes.name):
        raise StudyError(f"{option.format('engine')} must be replicas or gridsearch, not {name!r}.")
    if name == Replicas.name and (jobs or 1) > 1:
        raise StudyError(
            f"{option.format('engine')} replicas is one program that keeps all cores busy; leave out "
            f"{option.format('jobs')}."
        )
    name = name or (Processes.name if jobs else Replicas.name)
    if together and name != Replicas.name:
        raise StudyError(f"{option.format('together')} is for replicas; without them fits train one after another.")
    if dask:
        return Dask(dask, name, together)
    return Replicas(together) if name == Replicas.name else Processes(jobs or 1)
