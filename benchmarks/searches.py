"""Time searches as people write them, with scikit-learn's class and with ours: only the class differs.

    python benchmarks/searches.py [NAME ...] [--epochs 10]

Each program below is a function of the search classes that it would import. Both engines run in one process, ours
first, after a small search that loads what either needs. Prints a table with seconds, their ratio, the largest
difference of a mean score, and the reasons of `ReplicaWarning`s. Estimators do not shuffle, so
that scores can be compared.
"""

import argparse
import functools
import os
import statistics
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from scikeras.wrappers import KerasClassifier, KerasRegressor
from scipy.stats import loguniform
from sklearn import model_selection
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, make_classification
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_amsgrad import model_selection as replicas

FOLDS = StratifiedKFold(3)
EPOCHS = 10


@functools.cache
def patients():
    """Return 768 rows of eight numbers in two classes, in the size of the data set that most tutorials use."""
    return make_classification(768, 8, n_informative=5, class_sep=0.7, random_state=0)


def binary_network(units=12, activation="relu", init="glorot_uniform", dropout=0.0, norm=None):
    constraint = keras.constraints.MaxNorm(norm) if norm else None
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(units, activation=activation, kernel_initializer=init, kernel_constraint=constraint),
            layers.Dropout(dropout),
            layers.Dense(1, activation="sigmoid", kernel_initializer=init),
        ]
    )


def binary_classifier(model=binary_network, **settings):
    settings = {"loss": "binary_crossentropy", "optimizer": "adam", "epochs": EPOCHS, **settings}
    return KerasClassifier(model, shuffle=False, random_state=7, verbose=0, **settings)


def batch_sizes_and_epochs(search):
    grid = {"batch_size": [20, 40, 80], "epochs": [EPOCHS // 2, EPOCHS]}
    return search.GridSearchCV(binary_classifier(), grid, cv=FOLDS).fit(*patients())


def optimizers_by_name(search):
    grid = {"optimizer": ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"]}
    return search.GridSearchCV(binary_classifier(batch_size=40), grid, cv=FOLDS).fit(*patients())


def learning_rate_and_momentum(search):
    grid = {"optimizer__learning_rate": [0.001, 0.01, 0.1], "optimizer__momentum": [0.0, 0.4, 0.8]}
    return search.GridSearchCV(binary_classifier(optimizer="SGD"), grid, cv=FOLDS).fit(*patients())


def initializers(search):
    grid = {"model__init": ["uniform", "lecun_uniform", "normal", "zeros", "glorot_normal", "he_uniform"]}
    return search.GridSearchCV(binary_classifier(), grid, cv=FOLDS).fit(*patients())


def activations(search):
    grid = {"model__activation": ["softmax", "softplus", "softsign", "relu", "tanh", "sigmoid"]}
    return search.GridSearchCV(binary_classifier(), grid, cv=FOLDS).fit(*patients())


def constraints(search):
    grid = {"model__norm": [1.0, 3.0, 5.0], "optimizer__learning_rate": [0.001, 0.01]}
    return search.GridSearchCV(binary_classifier(), grid, cv=FOLDS).fit(*patients())


def widths(search):
    grid = {"model__units": [1, 5, 10, 20]}
    return search.GridSearchCV(binary_classifier(metrics=["accuracy"]), grid, cv=FOLDS).fit(*patients())


def compiled_inside(search):
    def network(learning_rate=0.001, beta_2=0.999):
        model = binary_network()
        model.compile(keras.optimizers.Adam(learning_rate, beta_2=beta_2), "binary_crossentropy", metrics=["accuracy"])
        return model

    grid = {"model__learning_rate": [0.0001, 0.001, 0.01, 0.1], "model__beta_2": [0.9, 0.99, 0.999]}
    estimator = binary_classifier(network, model__learning_rate=0.001, model__beta_2=0.999, loss=None)
    return search.GridSearchCV(estimator, grid, cv=FOLDS).fit(*patients())


def pipeline_with_scaler(search):
    pipeline = Pipeline([("scale", StandardScaler()), ("net", binary_classifier(cancer_network))])
    grid = {"net__optimizer__learning_rate": [0.001, 0.003, 0.01], "net__batch_size": [32, 64]}
    return search.GridSearchCV(pipeline, grid, cv=FOLDS).fit(*load_breast_cancer(return_X_y=True))


def cancer_network():
    return keras.Sequential([keras.Input((30,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])


def regression(search):
    def network(units):
        return keras.Sequential([keras.Input((10,)), layers.Dense(units, "relu"), layers.Dense(1)])

    regressor = KerasRegressor(
        network, model__units=10, loss="mse", metrics=["mae"], epochs=EPOCHS, shuffle=False, random_state=0, verbose=0
    )
    pipeline = make_pipeline(StandardScaler(), regressor)
    grid = {"kerasregressor__optimizer": ["adam", "rmsprop"], "kerasregressor__optimizer__learning_rate": [0.01, 0.1]}
    scoring = "neg_mean_squared_error"
    return search.GridSearchCV(pipeline, grid, cv=KFold(3), scoring=scoring).fit(*load_diabetes(return_X_y=True))


def early_stopping_and_metrics(search):
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    estimator = binary_classifier(
        metrics=["accuracy", keras.metrics.AUC(name="auc")], callbacks=[stopping], validation_split=0.2
    )
    grid = {"optimizer__learning_rate": [0.001, 0.01, 0.1]}
    return search.GridSearchCV(estimator, grid, cv=FOLDS).fit(*patients())


def class_weights(search):
    x, y = make_classification(600, 8, weights=[0.9], random_state=1)
    grid = {"class_weight": [None, "balanced"], "optimizer__learning_rate": [0.001, 0.01]}
    return search.GridSearchCV(binary_classifier(), grid, cv=FOLDS).fit(x, y)


def random_search(search):
    def network():
        return keras.Sequential([keras.Input((64,)), layers.Dense(32, "relu"), layers.Dense(10, "softmax")])

    estimator = binary_classifier(network, loss="sparse_categorical_crossentropy")
    settings = {"optimizer__learning_rate": loguniform(1e-4, 1e-1), "optimizer__beta_1": [0.8, 0.9, 0.95]}
    x, y = load_digits(return_X_y=True)
    return search.RandomizedSearchCV(estimator, settings, n_iter=8, cv=FOLDS, random_state=0).fit(x / 16, y)


def own_wrappers(search):
    def network(X, y, alpha):
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [keras.Input(X.shape[1:]), layers.Dense(8, "relu"), layers.Dense(y.shape[1], "softmax")]
        )
        model.compile(keras.optimizers.Adam(alpha), "categorical_crossentropy")
        return model

    fit = {"epochs": EPOCHS, "shuffle": False, "verbose": 0}
    grid = {"model_kwargs": [{"alpha": alpha} for alpha in (0.001, 0.01, 0.1)], "fit_kwargs": [fit]}
    estimator = keras.wrappers.SKLearnClassifier(network)
    return search.GridSearchCV(estimator, grid, cv=FOLDS).fit(*load_iris(return_X_y=True))


def convolutions(search):
    def network(filters):
        return keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                layers.Conv2D(filters, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(10, "softmax"),
            ]
        )

    x, y = load_digits(return_X_y=True)
    estimator = binary_classifier(network, loss="sparse_categorical_crossentropy", model__filters=4)
    grid = {"model__filters": [4, 8], "optimizer__learning_rate": [0.001, 0.01]}
    return search.GridSearchCV(estimator, grid, cv=FOLDS).fit(x.reshape(-1, 8, 8, 1) / 16, y)


PROGRAMS = [
    batch_sizes_and_epochs,
    optimizers_by_name,
    learning_rate_and_momentum,
    initializers,
    activations,
    constraints,
    widths,
    compiled_inside,
    pipeline_with_scaler,
    regression,
    early_stopping_and_metrics,
    class_weights,
    random_search,
    own_wrappers,
    convolutions,
]


class Ours:
    """Our classes under scikit-learn's names."""

    GridSearchCV = replicas.ReplicaGridSearchCV
    RandomizedSearchCV = replicas.ReplicaRandomizedSearchCV


def timed(program, search):
    """Return (the fitted search, seconds, the messages of our warnings)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.perf_counter()
        fitted = program(search)
        seconds = time.perf_counter() - started
    return fitted, seconds, [str(w.message) for w in caught if issubclass(w.category, replicas.ReplicaWarning)]


def main(names, epochs):
    global EPOCHS
    EPOCHS = epochs
    timed(widths, Ours)
    timed(widths, model_selection)
    ratios = []
    print(f"{'program':28} {'fits':>5} {'ours':>8} {'theirs':>8} {'ratio':>6}  difference of scores")
    for program in PROGRAMS:
        if names and program.__name__ not in names:
            continue
        mine, ours, messages = timed(program, Ours)
        reference, theirs, _ = timed(program, model_selection)
        scores = [search.cv_results_["mean_test_score"] for search in (mine, reference)]
        ratios.append(theirs / ours)
        fits = len(scores[0]) * mine.n_splits_ + 1
        difference = np.max(np.abs(scores[0] - scores[1]))
        print(
            f"{program.__name__:28} {fits:5} {ours:7.1f}s {theirs:7.1f}s {ratios[-1]:6.2f}  {difference:.1e}",
            flush=True,
        )
        for message in messages:
            print(f"    {message}")
    print(f"geometric mean of the ratios: {statistics.geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    main(**vars(parser.parse_args()))
