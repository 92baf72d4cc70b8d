"""What real programs pass to a search acts on replicas as it acts on the estimator's own fit."""

import keras
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_amsgrad import AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.program import Program
from tests.replicas.comparison import LOG_LOSS
from tests.replicas.test_own_fits import FOLDS, NAMES, X, Y, assert_same, classifier

pytestmark = pytest.mark.usefixtures("no_fit_of_its_own")

GRID = {"optimizer__learning_rate": [0.01, 0.1]}


def both(estimator, grid, y=NAMES, params=None, **settings):
    settings = {"cv": FOLDS, "scoring": LOG_LOSS, **settings}
    kinds = ReplicaGridSearchCV, GridSearchCV
    searches = [kind(estimator, grid, **settings).fit(X, y, **params or {}) for kind in kinds]
    assert_same(*searches)
    return searches


def assert_same_history(mine, theirs):
    mine, theirs = (search.best_estimator_.history_ for search in (mine, theirs))
    assert set(mine) == set(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(mine[name], values, rtol=1e-3, err_msg=name)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="no metrics"),
        pytest.param({"metrics": ["accuracy", "mse"], "validation_split": 0.2}, id="several metrics"),
        pytest.param({"class_weight": "balanced"}, id="balanced classes"),
        pytest.param({"class_weight": {"setosa": 0.0, "versicolor": 1.0, "virginica": 3.0}}, id="a class of weight 0"),
        pytest.param({"callbacks": [keras.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=9)]}, id="plateau"),
        pytest.param({"callbacks": keras.callbacks.TerminateOnNaN, "fit__batch_size": 7}, id="routed"),
        pytest.param({"batch_size": -1}, id="one batch"),
    ],
)
def test_settings_of_fit_act_as_in_scikit_learns_search(settings):
    assert_same_history(*both(classifier(epochs=3, **settings), GRID))


def test_weights_of_rows_reach_every_fit_through_a_pipeline_too():
    weight = np.where(Y == 1, 4.0, 1.0)
    both(classifier(), GRID, params={"sample_weight": weight})
    pipeline = make_pipeline(StandardScaler(), classifier())
    grid = {f"kerasclassifier__{name}": values for name, values in GRID.items()}
    both(pipeline, grid, params={"kerasclassifier__sample_weight": weight})


@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
def test_candidates_with_other_epochs_share_a_program(monkeypatch):
    programs, made = [], Program.__init__
    monkeypatch.setattr(Program, "__init__", lambda self, *of: programs.append(self) or made(self, *of))
    grid = {"epochs": [3, 1, 2], **GRID}
    assert_same_history(*both(classifier(), grid))
    assert [program.count for program in programs] == [6]


def test_class_weights_are_candidates():
    mine, _ = both(classifier(), {"class_weight": [None, "balanced"]}, y=np.where(Y == 0, "a", "b"), cv=FOLDS)
    assert len(set(mine.cv_results_["mean_test_score"])) == 2


def test_functions_with_the_same_name_are_other_networks():
    def network(scale):
        layers = [keras.Input((4,)), keras.layers.Lambda(lambda x: x * scale), keras.layers.Dense(3, "softmax")]
        return keras.Sequential(layers)

    estimator = classifier(model__scale=1.0).set_params(model=network)
    mine, _ = both(estimator, {"model__scale": [1.0, 3.0]})
    assert len(set(mine.cv_results_["mean_test_score"])) == 2


def test_losses_with_the_same_name_are_other_losses():
    def loss_of(power):
        def loss(y_true, y_pred):
            chosen = keras.ops.take_along_axis(y_pred, keras.ops.cast(keras.ops.reshape(y_true, (-1, 1)), "int32"), 1)
            return keras.ops.power(1 - chosen[:, 0], power)

        return loss

    def network(power):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
        model.compile(AMSGrad(0.1), loss_of(power))
        return model

    estimator = classifier(model__power=1.0).set_params(model=network, loss=None)
    mine, _ = both(estimator, {"model__power": [1.0, 2.0]})
    assert len(set(mine.cv_results_["mean_test_score"])) == 2
