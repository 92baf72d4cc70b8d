"""A problem of the line-up made a study: its rows divided and scaled, its network identified."""

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from studies.catalog import STUDIES
from studies.catalog.lineup import NAME, LineupStudy, lineup_of
from studies.catalog.problems import Problem
from studies.catalog.variant import Variant
from studies.data.dataset import Dataset
from studies.data.folds import folds
from studies.data.inputs import first_rows
from studies.errors import StudyError


def register(problem: Problem) -> LineupStudy:
    """Add a problem to the line-up of this process, or replace the one of its name; return the line-up of it alone.

    `studies.run.run(register(problem), "results")` runs it, and the report shows it beside the others of the folder.

    >>> from studies.catalog.problems import PROBLEMS
    >>> register(PROBLEMS[0]).title
    'Breast cancer: 30 measurements, 2 classes, feed-forward'
    """
    known = STUDIES[NAME]
    assert isinstance(known, LineupStudy)
    STUDIES[NAME] = every = lineup_of(tuple((known.problems | {problem.name: problem}).values()))
    return every.as_variant(problem.name)


def data_of(problem: Problem, study: LineupStudy) -> Dataset:
    """Return the rows of a problem: training and validation rows together, and test rows.

    Which of the training rows validate, `studies.data.folds` says: those of fold 0. Inputs are standardized by the
    others, so that neither validation nor test rows have a part in it.
    """
    from studies.data import own

    assert study.search is not None
    x, y = _function(problem.data)()
    data, _ = own.dataset(problem.name, x, y, folds=study.search.folds)
    rows = (study.train_rows, study.train_rows, study.test_rows, study.test_rows)
    parts = (data.x_train, data.y_train, data.x_test, data.y_test)
    x_train, y_train, x_test, y_test = (part[:count] for part, count in zip(parts, rows, strict=True))
    if problem.standardize:
        trains = folds(y_train, study.search.folds, study.search.fold_seed) != 0
        mean, spread = x_train[trains].mean(0), x_train[trains].std(0)
        scale = np.where(spread > 0, spread, 1)
        x_train, x_test = ((each - mean) / scale for each in (x_train, x_test))
    return dataclasses.replace(data, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def study_of(problem: Problem, study: LineupStudy) -> tuple[LineupStudy, Dataset]:
    """Return the study of one problem, with its network's identity, and its data.

    Seeds, scale, arms and search are those of the line-up `study`, and its epochs, where it has any. At the smoke scale
    a problem has one arm, the next one another.

    Raises:
        StudyError: The problem's network does not suit its data or its loss.
    """
    from studies.networks import own
    from studies.networks.parts import parts_of
    from studies.networks.targets import loss_for

    data = data_of(problem, study)
    function, rows = own.named(problem.network), first_rows(data.x_train)
    network = own.built(function, rows)
    loss, parts = loss_for(function, network, data, parts_of(network), from_logits=data.task == "classification")
    if loss != problem.loss:
        raise StudyError(f"The loss of {problem.name} must be {loss}, for such data and outputs, not {problem.loss}.")
    one = study if study.variant else study.as_variant(problem.name)
    epochs = study.epochs or problem.epochs
    place = list(STUDIES[NAME].variants).index(problem.name) if problem.name in STUDIES[NAME].variants else 0
    arms = (study.arms[place % len(study.arms)],) if study.scale == "smoke" else study.arms
    return dataclasses.replace(
        one,
        variant=Variant((problem.name,)),
        data=problem.name,
        model=own.identified(function, rows, parts),
        arms=arms,
        search=study.search and dataclasses.replace(study.search, epochs=epochs),
        epochs=epochs,
        problems={},
    ), data


def _function(name: str | Callable[[], Any]) -> Callable[[], Any]:
    if not isinstance(name, str):
        return name
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(module), function)
    assert callable(found)
    return found
