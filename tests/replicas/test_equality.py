"""On real images: a grid trained as replicas gives the numbers of its fits one by one, epoch by epoch."""

import dataclasses

import keras
import numpy as np
import pandas as pd
import pytest
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from keras_amsgrad import Adam, AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from studies.catalog import STUDIES, Search
from studies.data import official
from studies.networks.published import network
from studies.records import tables
from studies.run import run
from studies.training.engines import Processes, Replicas

pytestmark = [pytest.mark.needs_data, pytest.mark.slow]

RATES, BETAS = (1e-4, 1e-3, 1e-2), (0.99, 0.999)
ROWS = 1951  # 1,300 or 1,301 training rows in a fold: ten batches of 128, and a short one


def small(name):
    return dataclasses.replace(
        STUDIES[name], search=Search(RATES, BETAS, epochs=3), epochs=1, seeds=1, train_rows=ROWS, test_rows=500
    )


@pytest.mark.parametrize("name", ["mcgill-logistic", "mcgill-feedforward"])
def test_every_loss_of_every_epoch_is_that_of_the_fit_alone(name, data_dir, tmp_path):
    for engine in (Replicas(), Processes()):
        run(small(name), tmp_path / engine.name, data_dir=data_dir, engine=engine)
    mine, theirs = (tables.curves(tables.records(tmp_path / kind.name)) for kind in (Replicas, Processes))
    assert len(theirs) == 2 * len(RATES) * len(BETAS) * 3 * 3 + 2
    pd.testing.assert_frame_equal(mine[tables.KEY], theirs[tables.KEY])
    for rate in ("train_loss", "val_loss"):
        np.testing.assert_allclose(mine[rate], theirs[rate], rtol=1e-4)


@pytest.mark.parametrize("name", ["logistic", "feedforward"])
def test_grid_search_ranks_the_same_candidates_alike(name, data_dir):
    data = official.load("mnist", data_dir)
    x, y = data.x_train[:ROWS].astype("float32") / 255, data.y_train[:ROWS]
    classifier = KerasClassifier(
        lambda: network(name, (28, 28), 10),
        loss="sparse_categorical_crossentropy",
        batch_size=128,
        epochs=3,
        shuffle=False,
        random_state=0,
        verbose=0,
    )
    grid = {"optimizer": [Adam, AMSGrad], "optimizer__learning_rate": RATES, "optimizer__beta_2": BETAS}
    settings = {"cv": StratifiedKFold(3), "refit": False, "scoring": minus_cross_entropy}
    mine, theirs = (kind(classifier, grid, **settings).fit(x, y) for kind in (ReplicaGridSearchCV, GridSearchCV))
    assert mine.cv_results_["params"] == theirs.cv_results_["params"]
    for part in ("split0", "split1", "split2", "mean"):
        np.testing.assert_allclose(
            mine.cv_results_[f"{part}_test_score"], theirs.cv_results_[f"{part}_test_score"], rtol=1e-4
        )
    np.testing.assert_array_equal(mine.cv_results_["rank_test_score"], theirs.cv_results_["rank_test_score"])


def minus_cross_entropy(estimator, X, y):
    losses = keras.losses.sparse_categorical_crossentropy(y, estimator.predict_proba(X))
    return -float(keras.ops.mean(losses))
