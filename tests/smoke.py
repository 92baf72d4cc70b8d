"""The smallest fits and runs there are: one or a few of the study `digits`."""

import dataclasses

from studies.catalog import STUDIES, Arm
from studies.catalog.fit import fit_of
from studies.training.repeats import train as train_one

SMOKE = ["digits", "--scale", "smoke", "--seeds", "1"]


def a_fit(data, epochs=4, **settings):
    fit = fit_of(STUDIES["digits"].smoke(), data, Arm("AMSGrad"), stage="repeat", epochs=epochs)
    return dataclasses.replace(fit, **{"learning_rate": 0.01, "beta_2": 0.99, **settings})


def train(fit, data, journal):
    train_one(fit, data, journal)
    return journal.find(fit).history


def last_line(text):
    return text.strip().splitlines()[-1]
