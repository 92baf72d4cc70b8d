"""Measure how the memory of one process grows while it trains many small fits, as a search does.

    python benchmarks/memory.py [--fits 300]

Prints one JSON line: the resident memory in MiB after 10 fits and after the last, and the growth for each fit; and the
same growth for plain scikeras classifiers, a fifth as many.
"""

import argparse
import dataclasses
import functools
import json
import tempfile

import keras
import psutil
from scikeras.wrappers import KerasClassifier

from keras_amsgrad import AMSGrad
from studies.catalog import STUDIES, Arm
from studies.catalog.fit import fit_of
from studies.data import official
from studies.networks.published import network
from studies.records.journal import Journal
from studies.training import repeats


def resident():
    """Return the resident memory of this process in MiB."""
    return psutil.Process().memory_info().rss / 2**20


def study_fits(number):
    """Train `number` fits of the digits study, each with another seed and setting; return the memory after each."""
    study = STUDIES["digits"].smoke()
    data = official.load("digits").prepared(study)
    fit = fit_of(study, data, Arm("AMSGrad"), stage="repeat", epochs=1)
    memory = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(number):
            setting = {"learning_rate": 0.001 + seed * 1e-5, "beta_2": 0.99}
            repeats.train(dataclasses.replace(fit, seed=seed, **setting), data, Journal(folder))
            memory.append(resident())
    return memory


def plain_fits(number):
    """Train `number` plain scikeras classifiers; return the memory after each."""
    data = official.load("digits").prepared(STUDIES["digits"].smoke())
    memory = []
    for _ in range(number):
        loss = "sparse_categorical_crossentropy"
        model = functools.partial(network, "feedforward", (8, 8), 10)
        each = KerasClassifier(model, optimizer=AMSGrad, loss=loss, epochs=1, verbose=0)
        each.fit(data.x_train, data.y_train)
        memory.append(resident())
    return memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=300)
    options = parser.parse_args()
    ours, plain = study_fits(options.fits), plain_fits(max(20, options.fits // 5))
    print(
        json.dumps(
            {
                "fits": options.fits,
                "after_10": round(ours[9]),
                "after_last": round(ours[-1]),
                "growth_per_fit": round((ours[-1] - ours[9]) / (len(ours) - 10), 2),
                "growth_per_plain_fit": round((plain[-1] - plain[9]) / (len(plain) - 10), 2),
                "backend": keras.backend.backend(),
            }
        )
    )


if __name__ == "__main__":
    main()
