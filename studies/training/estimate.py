"""How long a comparison will take at most, from one timed step: said before anything trains."""

import math
import time

from keras_amsgrad.progress import duration
from studies.catalog import NetworkStudy
from studies.catalog.fit import fit_of
from studies.data.dataset import Dataset
from studies.training.build import loss_of, network_of, optimizer_of

WORTH_SAYING = 60  # seconds
FEWEST_JUDGED = 6  # repeated runs that can carry a verdict


def steps_of(study: NetworkStudy, rows: int) -> tuple[int, int]:
    """Return how many steps the search of a study and its repeated runs have, on so many training rows."""

    def steps(fits: int, epochs: int, rows: float) -> int:
        return fits * epochs * math.ceil(rows / study.batch_size)

    repeated = steps(len(study.arms) * study.seeds, study.epochs, rows)
    if study.search is None:
        return 0, repeated
    folds = study.search.folds
    fits = folds * sum(len(study.search.settings(arm)) for arm in study.arms)
    return steps(fits, study.search.epochs, rows * (folds - 1) / folds), repeated


def seconds_of_step(study: NetworkStudy, data: Dataset) -> float:
    """Return the seconds that Keras takes for a step of a study's first arm: the shortest of three, after tracing."""
    arm = study.arms[0]
    setting = study.search.settings(arm)[0] if study.search else None
    fit = fit_of(study, data, arm.at(setting) if setting else arm, "repeat", study.epochs)
    model = network_of(fit, data)()
    model.compile(optimizer_of(fit, len(data.y_train)), loss_of(fit))
    batch = data.x_train[: study.batch_size], data.y_train[: study.batch_size]
    model.train_on_batch(*batch)

    def once() -> float:
        started = time.perf_counter()
        model.train_on_batch(*batch)
        return time.perf_counter() - started

    return min(once() for _ in range(3))


def in_words(study: NetworkStudy, rows: int, step: float, jobs: int = 1) -> str:
    """Return how long a study takes whose steps take `step` seconds; empty where that is not worth saying.

    >>> from studies.catalog import STUDIES
    >>> in_words(STUDIES["digits"], rows=1437, step=0.05)
    'at most about 11 min, if its 12,960 steps took 50 ms each, one after another; with 6 seeds, ... a verdict, 8 min'
    """
    search, repeated = steps_of(study, rows)
    seconds = (search + repeated) * step / jobs
    if seconds < WORTH_SAYING:
        return ""
    text = f"at most about {duration(seconds)}, if its {search + repeated:,} steps took {step * 1000:.3g} ms each, "
    text += "one after another" if jobs == 1 else f"in {jobs} processes"
    if study.seeds <= FEWEST_JUDGED:
        return text
    fewer = (search + repeated * FEWEST_JUDGED / study.seeds) * step / jobs
    return f"{text}; with {FEWEST_JUDGED} seeds, the fewest that can carry a verdict, {duration(fewer)}"
