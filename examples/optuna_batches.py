"""Search with Optuna in batches: the trials of a batch are asked for together, train as one program, are told together.

`pip install optuna` installs Optuna. A trial is a learning rate and a beta_2 of AMSGrad. The trials of a batch start
from the same weights, see the rows in the same order, and have the results that `model.fit` gives for each alone.
Optuna draws the first batch at random, and proposes each later batch from the results of all earlier ones. Every batch
compiles its program again, so that few large batches take less time than many small ones. Trials with different
networks need one call of `train` for each network.

Run: python examples/optuna_batches.py [BATCHES]
"""

import sys

import keras
import numpy as np
import optuna
from optuna.trial import TrialState
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from keras_amsgrad import AMSGrad
from keras_amsgrad.replicas import Replica, train

TRIALS = 8  # in a batch


def network():
    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")])


def optimizer(trial):
    """Return the optimizer that Optuna suggests; 1 - beta_2 is on a logarithmic scale."""
    learning_rate = trial.suggest_float("learning_rate", 1e-4, 1.0, log=True)
    return AMSGrad(learning_rate, beta_2=1 - trial.suggest_float("1 - beta_2", 1e-4, 0.1, log=True))


def main(batches=3):
    x, y = load_digits(return_X_y=True)
    training, validation = train_test_split(np.arange(len(y)), test_size=0.25, stratify=y, random_state=0)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # `constant_liar` keeps the trials of a batch apart: those that are asked for but not told yet count as bad ones.
    sampler = optuna.samplers.TPESampler(n_startup_trials=TRIALS, constant_liar=True, seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)

    for batch in range(batches):
        trials = [study.ask() for _ in range(TRIALS)]
        replicas = [Replica(optimizer(trial), seed=0, training=training, validation=validation) for trial in trials]
        outcomes = train(network, replicas, x / 16, y, batch_size=64, epochs=5)
        for trial, outcome in zip(trials, outcomes, strict=True):
            if outcome.status == "diverged":
                study.tell(trial, state=TrialState.FAIL)
            else:
                study.tell(trial, outcome.history["val_accuracy"][-1])
        print(f"batch {batch + 1}: best validation accuracy {study.best_value:.3f} with {study.best_params}")
    finished = study.get_trials(states=[TrialState.COMPLETE])
    print(f"finished trials: {len(finished)} of {len(study.trials)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
