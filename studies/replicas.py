"""All fits of a stage as replicas of one Keras model, trained together, and recorded chunk by chunk."""

import numpy as np

from keras_amsgrad.replicas import Replica, train
from keras_amsgrad.replicas.settings import check_optimizer
from studies.estimator import COLUMNS
from studies.machine import machine
from studies.parts import early_stopping_of, loss_of, network_of, optimizer_of
from studies.training import folds


def train_as_replicas(fits, study, data, journal, progress, together=None):
    """Train the fits that the journal lacks, all of one stage, and record them; leave those that replicas cannot do.

    At most `together` of them train as one chunk; None leaves that to the engine.
    """
    networks: dict[tuple, list] = {}
    left = []
    for fit in fits:
        if _replicas_can(fit, data):
            networks.setdefault((fit.model, fit.l2), []).append(fit)
        elif journal.find(fit) is None:
            left.append(fit.optimizer)
    if left:
        progress.note(f"{', '.join(dict.fromkeys(left))} will be trained one after another: not rules weight by weight")
    for of_network in networks.values():
        _train_network(of_network, study, data, journal, progress, together)


def _replicas_can(fit, data):
    try:
        check_optimizer(optimizer_of(fit, len(data.y_train)))
    except TypeError:
        return False
    return True


def _train_network(fits, study, data, journal, progress, together):
    """Train the fits of one network that the journal lacks.

    The engine is told of all fits, so that those that are missing after a break get the numbers they would have got.
    """
    finished = {i for i, fit in enumerate(fits) if journal.find(fit) is not None}
    if len(finished) == len(fits):
        return
    parts, first = _rows(study, data), fits[0]

    def record(positions, outcomes):
        for i, outcome in zip(positions, outcomes, strict=True):
            if i not in finished:
                journal.write(fits[i], _recorded(outcome))

    def told(positions, epoch, logs):
        progress.under_way([fits[i] for i in positions if i not in finished], epoch, first.epochs)

    train(
        network_of(first, data),
        [Replica(optimizer_of(fit, len(parts(fit)[0])), fit.seed, *parts(fit)) for fit in fits],
        np.concatenate([data.x_train, data.x_test]),
        np.concatenate([data.y_train, data.y_test]),
        loss=loss_of(first),
        batch_size=first.batch_size,
        fill_last_batch=first.fill_last_batch,
        epochs=first.epochs,
        early_stopping=early_stopping_of(first),
        on_epoch=told,
        on_chunk=record,
        backup=lambda positions: journal.backup_path([fits[i] for i in positions]),
        finished=finished,
        together=together,
    )


def _rows(study, data):
    """Return a function from a fit to its (training rows, validation rows), numbers in training set + test set."""
    every, test = np.arange(len(data.y_train)), len(data.y_train) + np.arange(len(data.y_test))
    fold_of = study.search and folds(study.search, data.y_train)

    def parts(fit):
        if fit.stage == "search":
            return every[fold_of != fit.fold], every[fold_of == fit.fold]
        return every, test

    return parts


def _recorded(outcome):
    """Return an `Outcome` of the engine as the journal keeps it."""
    return {
        "status": outcome.status,
        "history": {COLUMNS[name]: values for name, values in outcome.history.items()},
        "seconds": round(outcome.seconds, 3),
        **machine(),
    }
