"""Fits as replicas of one Keras model, trained together, and recorded chunk by chunk."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_amsgrad import replicas
from keras_amsgrad.replicas import Replica, UnsupportedError
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome as TrainedReplica
from keras_amsgrad.replicas.settings import check_optimizer
from keras_amsgrad.replicas.training import Workers
from studies.catalog.fit import Fit
from studies.catalog.lineup import DIGITS, FINAL
from studies.data.dataset import Dataset
from studies.data.folds import folds
from studies.data.inputs import fed
from studies.records.journal import Journal
from studies.records.outcome import Outcome
from studies.training.build import callbacks_of, loss_of, metrics_of, network_of, optimizer_of, targets_of
from studies.training.workspace import Workspace

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # numbers of the rows that train, validate and test


def train(
    fits: list[Fit],
    workspace: Workspace,
    together: int | None,
    workers_for: Callable[[list[Fit]], Workers | None] = lambda fits: None,
) -> None:
    """Train the fits, all of one stage, that the journal lacks and that can be replicas.

    At most `together` replicas train as one chunk; None leaves that to the library. `workers_for` returns the processes
    that train the chunks of fits of one network; None: this process.
    """
    networks: dict[tuple[str, float], list[Fit]] = {}
    left = []
    for fit in fits:
        if _can_be_replica(fit, workspace.data):
            networks.setdefault((fit.model, fit.l2), []).append(fit)
        else:
            left.append(fit)
    if names := dict.fromkeys(fit.optimizer for fit in workspace.missing(left)):
        words = "will be trained one after another: not rules weight by weight"
        workspace.progress.note(f"{', '.join(names)} {words}")
    for of_network in networks.values():
        _train_network(of_network, workspace, together, workers_for(of_network))


def _can_be_replica(fit: Fit, data: Dataset) -> bool:
    try:
        check_optimizer(optimizer_of(fit, len(data.y_train)))
    except UnsupportedError:
        return False
    return True


def _train_network(fits: list[Fit], workspace: Workspace, together: int | None, workers: Workers | None) -> None:
    """Train the fits of one network that the journal lacks.

    The library is told of all fits, so that those that are missing after a break get the numbers they would have got.
    """
    missing = set(workspace.missing(fits))
    if not missing:
        return

    def told(positions: list[int], epoch: int, logs: Any) -> None:
        workspace.progress.under_way([fits[i] for i in positions if fits[i] in missing], epoch, fits[0].epochs)

    def kept(positions: list[int]) -> Path:
        return workspace.journal.backup_path([fits[i] for i in positions])

    finished = {i for i, fit in enumerate(fits) if fit not in missing}
    how: dict[str, Any] = {
        "on_epoch": told,
        "backup": kept,
        "finished": finished,
        "together": together,
        "workers": workers,
    }
    try:
        train_alike(fits, workspace.data, workspace.journal, **how)
    except UnsupportedError as error:
        workspace.progress.note(
            f"All fits will be trained one after another, because they cannot be trained as replicas: {error}"
        )


def _outcome(fit: Fit, trained: TrainedReplica) -> Outcome:
    return Outcome.here(trained.status, trained.history, trained.seconds, DIGITS.get(fit.stage))


def train_alike(
    fits: list[Fit], data: Dataset, journal: Journal, programs: ProgramCache | None = None, **how: Any
) -> None:
    """Train fits of one network and record each.

    `programs` are those of earlier chunks of the same fits; `how` are further arguments of
    `keras_amsgrad.replicas.train`.
    """
    first, rows_of = fits[0], _rows(data)

    def record(positions: list[int], outcomes: list[TrainedReplica]) -> None:
        for i, outcome in zip(positions, outcomes, strict=True):
            if journal.find(fits[i]) is None:  # which a worker of a cluster has recorded, or an earlier run
                journal.write(fits[i], _outcome(fits[i], outcome))

    replicas.train(
        programs or network_of(first, data),
        [_replica(fit, data, *rows_of(fit)) for fit in fits],
        fed(np.concatenate([data.x_train, data.x_test])),
        targets_of(first, np.concatenate([data.y_train, data.y_test]), data.classes),
        loss=loss_of(first),
        metrics=metrics_of(first, data.y_train),
        batch_size=first.batch_size,
        fill_last_batch=first.fill_last_batch,
        epochs=first.epochs,
        callbacks=callbacks_of(first),
        on_chunk=record,
        **how,
    )


def _replica(fit: Fit, data: Dataset, training: np.ndarray, validation: np.ndarray, test: np.ndarray) -> Replica:
    weight = None
    if data.class_weight is not None:  # which acts in training only
        weight = np.ones(len(data.y_train) + len(data.y_test), "float32")
        weight[training] = np.asarray(data.class_weight)[data.y_train[training]]
    return Replica(optimizer_of(fit, len(training)), fit.seed, training, validation, sample_weight=weight, test=test)


def _rows(data: Dataset) -> Callable[[Fit], Rows]:
    """Return a function from a fit to its (training, validation, test rows), numbers in training set + test set."""
    every, test = np.arange(len(data.y_train)), len(data.y_train) + np.arange(len(data.y_test))
    fold_of = functools.cache(functools.partial(folds, data.y_train))

    def rows_of(fit: Fit) -> Rows:
        if fit.fold is not None:
            fold = fold_of(fit.folds, fit.fold_seed)
            return every[fold != fit.fold], every[fold == fit.fold], test if fit.stage == FINAL else test[:0]
        return every, test, test[:0]

    return rows_of
