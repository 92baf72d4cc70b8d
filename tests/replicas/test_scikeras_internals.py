"""The private names of scikeras that the adapter uses: that they exist, and what depends on them."""

from pathlib import Path

import keras
import numpy as np
import pytest
from scikeras.wrappers import KerasClassifier

import keras_amsgrad
from keras_amsgrad import AMSGrad
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from tests.replicas.test_model_selection import classifier, digits
from tests.test_architecture import imports


def test_one_module_depends_on_scikeras_and_one_package_on_scikit_learn():
    library = Path(keras_amsgrad.__file__).parent
    users = {"scikeras": set(), "sklearn": set()}
    for path in library.rglob("*.py"):
        for name in {name.split(".")[0] for name in imports(path)} & set(users):
            users[name].add(path.relative_to(library).as_posix())
    assert users["scikeras"] == {"model_selection/__init__.py"}  # whether it is there; the adapter takes its estimators
    assert {path.split("/")[0] for path in users["sklearn"]} == {"model_selection"}


@pytest.fixture
def initialized():
    stopping = keras.callbacks.EarlyStopping("loss")
    estimator = classifier(optimizer__learning_rate=0.3, callbacks=[stopping])
    return estimator.initialize(*digits())


def test_the_optimizer_is_made_from_the_parameters(initialized):
    """Without `_get_compile_kwargs` a search would take scikeras for another package, and refuse it."""
    optimizer = initialized._get_compile_kwargs()["optimizer"]
    assert isinstance(optimizer, AMSGrad)
    assert float(optimizer.learning_rate) == pytest.approx(0.3)


def test_initializing_does_not_compile_and_ensuring_does(initialized):
    """The loss of replicas is that of the compiled model; its optimizer is taken from there if it was compiled."""
    assert not initialized.model_.compiled
    initialized._ensure_compiled_model()
    assert initialized.model_.compiled
    assert "sparse_categorical_crossentropy" in str(initialized.model_.loss)


def test_callbacks_are_collected(initialized):
    """The one `EarlyStopping` among them is applied to each replica, others are refused."""
    assert [type(callback).__name__ for callback in initialized._fit_callbacks] == ["EarlyStopping"]


def test_data_is_converted_as_in_fit(initialized):
    """Replicas train on what scikeras's `fit` would give to Keras."""
    x, y = initialized._validate_data(digits()[0][1:2], digits()[1][1:2])
    assert isinstance(y, np.ndarray)
    assert np.ravel(initialized.target_encoder_.transform(y)).tolist() == [1]
    assert initialized.feature_encoder_.transform(x) is not None


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_predictions_go_through_the_method_that_looks_outputs_up(initialized, method):
    """Scores come from outputs that the program has computed; else each fit would predict once more."""
    outputs = np.eye(10)[[3, 1]]
    initialized._predict_raw = lambda X, **_: outputs
    assert len(getattr(initialized, method)(digits()[0][:2])) == 2
    found = getattr(initialized, method)(digits()[0][:2])
    assert found.tolist() == (["d", "b"] if method == "predict" else outputs.tolist())


def test_a_search_predicts_nothing_that_is_known(monkeypatch):
    monkeypatch.setattr(KerasClassifier, "_predict_raw", lambda *_, **__: pytest.fail("predicts"))
    grid = {"optimizer__learning_rate": [0.1]}
    search = ReplicaGridSearchCV(classifier(epochs=1), grid, cv=2, refit=False, return_train_score=True)
    assert search.fit(*digits()).cv_results_["mean_train_score"] > 0
