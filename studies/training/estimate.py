"""How long a comparison will take at most, from one timed step: said before anything trains."""

import math
import time
from typing import NamedTuple

from keras_amsgrad.progress import duration
from studies.catalog import NetworkStudy
from studies.catalog.fit import fit_of
from studies.data.dataset import Dataset
from studies.data.inputs import fed
from studies.training.build import loss_of, network_of, optimizer_of, targets_of

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


class Speed(NamedTuple):
    """Seconds that Keras takes for a step, and for the first one, which compiles the program."""

    step: float
    first: float


def speed_of(study: NetworkStudy, data: Dataset) -> Speed:
    """Return the `Speed` of a study's first arm; its step is the shortest of three."""
    arm = study.arms[0]
    setting = study.search.settings(arm)[0] if study.search else None
    fit = fit_of(study, data, arm.at(setting) if setting else arm, "repeat", study.epochs)
    model = network_of(fit, data)()
    model.compile(optimizer_of(fit, len(data.y_train)), loss_of(fit))
    y = targets_of(fit, data.y_train[: study.batch_size], data.classes)
    batch = fed(data.x_train[: study.batch_size]), y

    def once() -> float:
        started = time.perf_counter()
        model.train_on_batch(*batch)
        return time.perf_counter() - started

    first = once()
    return Speed(min(once() for _ in range(3)), first)


def in_words(study: NetworkStudy, rows: int, speed: Speed, jobs: int = 1) -> str:
    """Return how long a study takes with such a `Speed`; empty where that is not worth saying.

    Each optimizer is compiled for the search and again for the repeated runs.

    >>> from studies.catalog import STUDIES
    >>> in_words(STUDIES["digits"], rows=1437, speed=Speed(0.05, 2))
    'at most about 11 min, if its 12,960 steps took 50 ms each, ...; with 6 seeds, ... a verdict, 9 min'
    """
    search, repeated = steps_of(study, rows)
    programs = len(study.arms) * (1 + (study.search is not None))

    def seconds(steps: float) -> float:
        return steps * speed.step / jobs + programs * speed.first

    if seconds(search + repeated) < WORTH_SAYING:
        return ""
    together = "one after another" if jobs == 1 else f"in {jobs} processes"
    text = (
        f"at most about {duration(seconds(search + repeated))}, if its {search + repeated:,} steps took "
        f"{speed.step * 1000:.3g} ms each, {together}, and its {programs} programs {speed.first:.2g} s each to compile"
    )
    if study.seeds <= FEWEST_JUDGED:
        return text
    fewer = seconds(search + repeated * FEWEST_JUDGED / study.seeds)
    return f"{text}; with {FEWEST_JUDGED} seeds, the fewest that can carry a verdict, {duration(fewer)}"
