"""Repeated training: one setting for each optimizer, several seeds, validation on the test set."""

import dataclasses

from joblib import Parallel, delayed

from studies.estimator import classifier
from studies.journal import Fit


def fit_of(study, data, optimizer, stage, epochs, seed=0):
    """Return the study's `Fit` for one optimizer and stage, still without a setting and a fold."""
    return Fit(
        study=study.name,
        stage=stage,
        data=data.fingerprint,
        model=study.model,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=study.batch_size,
        loss=study.loss,
        seed=seed,
        bias_correction=None if optimizer == "AdaMax" else True,
        variant=study.variant,
    )


def repeat_fits(study, data, chosen):
    """Return every fit of the repeated training; `chosen` maps optimizers to settings."""
    return [
        dataclasses.replace(
            fit_of(study, data, optimizer, stage="repeat", epochs=study.epochs, seed=seed),
            learning_rate=setting.learning_rate,
            beta_2=setting.beta_2,
        )
        for optimizer, setting in chosen.items()
        for seed in range(study.seeds)
    ]


def repeat(fits, data, journal):
    """Train each fit on the training set and record it, with validation on the test set after every epoch."""
    Parallel()(delayed(_train)(fit, data, journal) for fit in fits)


def _train(fit, data, journal):
    classifier(fit, data, journal).fit(data.x_train, data.y_train, validation_data=(data.x_test, data.y_test))
