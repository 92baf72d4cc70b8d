"""All fits of a stage as replicas of one Keras model, trained together, and recorded chunk by chunk."""

import functools

import numpy as np

import keras_amsgrad
from keras_amsgrad.replicas import Replica, train
from studies.estimator import COLUMNS
from studies.machine import machine
from studies.models import MODELS
from studies.training import folds


def train_as_replicas(fits, study, data, journal, progress):
    """Train the fits that the journal lacks, all of one stage, and record them.

    The engine is told of all fits, so that those that are missing after a break get the numbers they would have got.
    """
    finished = {i for i, fit in enumerate(fits) if journal.find(fit) is not None}
    if len(finished) == len(fits):
        return
    parts = _rows(study, data)

    def record(positions, outcomes):
        for i, outcome in zip(positions, outcomes, strict=True):
            if i not in finished:
                journal.write(fits[i], _recorded(outcome))
        progress.under_way(0)

    train(
        functools.partial(MODELS[study.model], input_shape=data.x_train.shape[1:], classes=data.classes),
        [Replica(_optimizer(fit), fit.seed, *parts(fit)) for fit in fits],
        np.concatenate([data.x_train, data.x_test]),
        np.concatenate([data.y_train, data.y_test]),
        loss=fits[0].loss,
        batch_size=fits[0].batch_size,
        epochs=fits[0].epochs,
        on_epoch=lambda positions, epoch, logs: progress.under_way(len(positions) * (epoch + 1) / fits[0].epochs),
        on_chunk=record,
        backup=lambda positions: journal.backup_path([fits[i] for i in positions]),
        finished=finished,
    )


def _rows(study, data):
    """Return a function from a fit to its (training rows, validation rows), numbers in training set + test set."""
    every, test = np.arange(len(data.y_train)), len(data.y_train) + np.arange(len(data.y_test))
    fold_of = folds(study.search, data.y_train)

    def parts(fit):
        if fit.stage == "search":
            return every[fold_of != fit.fold], every[fold_of == fit.fold]
        return every, test

    return parts


def _optimizer(fit):
    correction = {} if fit.bias_correction is None else {"bias_correction": fit.bias_correction}
    return getattr(keras_amsgrad, fit.optimizer)(fit.learning_rate, beta_2=fit.beta_2, **correction)


def _recorded(outcome):
    """Return an `Outcome` of the engine as the journal keeps it."""
    return {
        "status": outcome.status,
        "history": {COLUMNS[name]: values for name, values in outcome.history.items()},
        "seconds": round(outcome.seconds, 3),
        **machine(),
    }
