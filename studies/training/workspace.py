"""What an engine needs besides fits."""

from collections.abc import Iterable
from dataclasses import dataclass

from studies.catalog.fit import Fit
from studies.data.dataset import Dataset
from studies.records.journal import Journal
from studies.training.progress import Progress


@dataclass(frozen=True, eq=False)
class Workspace:
    """What the fits of a stage share: prepared data, the journal that keeps their outcomes, the progress shown."""

    data: Dataset
    journal: Journal
    progress: Progress

    def missing(self, fits: Iterable[Fit]) -> list[Fit]:
        """Return the fits that have no outcome yet."""
        return [fit for fit in fits if self.journal.find(fit) is None]
