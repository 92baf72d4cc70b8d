"""Replicas and searches leave the random state of the process as they found it."""

import random

import keras
import numpy as np
import pytest

from keras_amsgrad import Adam
from keras_amsgrad.model_selection import ReplicaGridSearchCV
from keras_amsgrad.replicas import Replica, train
from tests.fits import BATCH, TRAINING, logistic
from tests.fits import digits as digits_of_fits
from tests.models import BACKEND
from tests.replicas.test_model_selection import classifier, digits


def draws():
    """Return numbers from every source of chance that `keras.utils.set_random_seed` seeds."""
    found = {
        "Python": random.random(),
        "NumPy": np.random.random(),  # noqa: NPY002 - this is the state that Keras seeds
        "keras.random": float(keras.random.uniform(())),
        "an initializer of Keras": float(keras.ops.sum(keras.initializers.RandomNormal()((3,)))),
    }
    if BACKEND == "torch":
        import torch

        found["torch"] = float(torch.rand(()))
    else:
        tf = pytest.importorskip("tensorflow")
        found["TensorFlow"] = float(tf.random.uniform(()))
    return found


def seeded():
    keras.utils.set_random_seed(7)
    draws()


def seeded_before_keras_forgot():
    """Keras has no generator of seeds any more, as in a process that has set no seed."""
    seeded()
    keras.utils.clear_session()


def a_search():
    ReplicaGridSearchCV(classifier(epochs=1), {"optimizer__learning_rate": [0.1, 0.01]}, cv=2).fit(*digits())


def replicas_of_a_network_that_draws():
    def network():
        draws()
        return logistic()

    train(network, [Replica(Adam(), seed, TRAINING) for seed in (0, 1)], *digits_of_fits(), batch_size=BATCH)


@pytest.mark.parametrize("before", [seeded, seeded_before_keras_forgot])
@pytest.mark.parametrize("action", [a_search, replicas_of_a_network_that_draws])
def test_what_is_drawn_afterwards_is_what_would_have_been_drawn(action, before):
    before()
    expected = draws()
    before()
    action()
    assert draws() == expected


def test_the_state_is_restored_after_an_error_too():
    seeded()
    expected = draws()
    seeded()
    with pytest.raises(ZeroDivisionError):
        train(lambda: 1 / 0, [Replica(Adam(), 1, TRAINING)], *digits_of_fits())
    assert draws() == expected


def test_searches_without_a_random_state_differ_and_repeat_with_numpy_s_seed():
    def scores():
        search = ReplicaGridSearchCV(classifier(random_state=None, epochs=1), {"batch_size": [50, 50]}, cv=2)
        return search.fit(*digits()).cv_results_["mean_test_score"].tolist()

    np.random.seed(0)  # noqa: NPY002
    first, second = scores(), scores()
    np.random.seed(0)  # noqa: NPY002
    assert scores() == first != second
    assert first[0] == first[1]
