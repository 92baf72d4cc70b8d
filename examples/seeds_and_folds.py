"""Train one model with 5 seeds on 3 folds in one call: what scikit-learn's `cross_validate` does for one seed.

A seed determines initial weights and the order of the rows; a fold determines which rows train and which validate. All
15 fits use one compiled program. The table has the validation accuracy of each fit after the last epoch. Mean and
standard deviation of a row are over seeds: they show how much chance in training matters. Those of a column are over
folds: they show how much the choice of rows matters.

Run: python examples/seeds_and_folds.py
"""

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

from keras_amsgrad import AMSGrad
from keras_amsgrad.replicas import Replica, train

SEEDS, FOLDS = range(5), 3


def network():
    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")])


def main():
    x, y = load_digits(return_X_y=True)
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, y))
    replicas = [
        Replica(AMSGrad(0.01), seed, training=training, validation=validation)
        for training, validation in folds
        for seed in SEEDS
    ]
    outcomes = train(network, replicas, x / 16, y, batch_size=64, epochs=10)
    accuracies = np.reshape([outcome.history["val_accuracy"][-1] for outcome in outcomes], (FOLDS, len(SEEDS)))

    print("        " + "".join(f"seed {seed}  " for seed in SEEDS) + "mean ± standard deviation")
    for fold, row in enumerate(accuracies):
        print(f"fold {fold}  {line(row)}{spread(row)}")
    print(f"mean    {line(accuracies.mean(axis=0))}")
    print(f"std     {line(accuracies.std(axis=0, ddof=1))}")
    print(f"all {accuracies.size} fits: {spread(accuracies)}")


def line(values):
    return "".join(f" {value:.3f}  " for value in values)


def spread(values):
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


if __name__ == "__main__":
    main()
