"""The state in files: training goes on to the bit, and what does not fit is refused whole."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import Adam, AdaMax, AMSGrad, NDAdam
from tests.models import OPTIMIZERS, arrays, assert_same, dense_model, fit, state

EVERYTHING = {"weight_decay": 0.01, "use_ema": True, "clipnorm": 1.0}


def everything(model):
    return arrays(model.weights) + state(model.optimizer)


@pytest.mark.parametrize("settings", [{}, EVERYTHING, {"gradient_accumulation_steps": 3}])
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_model_file_continues_to_the_bit(cls, settings, tmp_path):
    model = dense_model(cls(0.01, **settings))
    fit(model)
    model.save(tmp_path / "model.keras")
    fit(model, epochs=2)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    fit(loaded, epochs=2)
    assert_same(everything(model), everything(loaded))


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_weights_file_continues_to_the_bit(cls, built, tmp_path):
    model = dense_model(cls(0.01))
    fit(model)
    model.save_weights(tmp_path / "model.weights.h5")
    fit(model, epochs=2)
    loaded = dense_model(cls(0.01))
    if built:
        loaded.optimizer.build(loaded.trainable_variables)
    loaded.load_weights(tmp_path / "model.weights.h5")
    fit(loaded, epochs=2)
    assert_same(everything(model), everything(loaded))


def test_a_beta_that_was_set_and_a_learning_rate_come_back(tmp_path):
    model = dense_model(AMSGrad(0.01))
    fit(model)
    model.optimizer.beta_2, model.optimizer.learning_rate = 0.9, 0.002
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.beta_2 == 0.9
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.002)
    for each in (model, loaded):
        fit(each)
    assert_same(everything(model), everything(loaded))


class Store(dict):
    """What an optimizer is given to store itself in."""


def saved(optimizer):
    store = Store()
    optimizer.save_own_variables(store)
    return store


def stepped(optimizer, shapes=((2, 3), (3,))):
    weights = [keras.Variable(np.ones(shape, "float32"), name=f"w{i}") for i, shape in enumerate(shapes)]
    optimizer.apply([ops.ones(shape) for shape in shapes], weights)
    return optimizer


def test_values_have_names():
    assert {"header", "iteration", "learning_rate", "beta_1", "beta_2", "momentum.0.w0", "velocity_max.1.w1"} <= set(
        saved(stepped(AMSGrad()))
    )


CASES = [
    pytest.param(Adam(), "it belongs to AMSGrad, this is Adam", id="another optimizer"),
    pytest.param(AMSGrad(bias_correction=False), "bias_correction=True there and False here", id="correction"),
    pytest.param(AMSGrad(epsilon=1e-4), "epsilon=1e-08 there and 0.0001 here", id="epsilon"),
    pytest.param(AMSGrad(beta_2=0.9), "beta_2=0.999 there and 0.9 here", id="beta"),
    pytest.param(AMSGrad(use_ema=True), "use_ema=False there and True here", id="ema"),
    pytest.param(AMSGrad(gradient_accumulation_steps=2), "gradient_accumulation_steps=None there", id="accumulation"),
    pytest.param(AMSGrad(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9)), "learning_rate", id="schedule"),
]


@pytest.mark.parametrize(("other", "said"), CASES)
def test_the_state_of_other_settings_is_refused_and_nothing_loaded(other, said):
    store = saved(stepped(AMSGrad()))
    if other._pending_state is None and not other.built:
        stepped(other)
    before = state(other)
    with pytest.raises(ValueError, match=f"does not fit.*nothing was loaded.*{said}"):
        other.load_own_variables(store)
    assert_same(state(other), before)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [(((2, 3),), "unknown here"), (((2, 3), (3,), (1,)), "missing there"), (((2, 3), (4,)), r"shape \(3,\) there")],
)
def test_the_state_of_another_model_is_refused_and_nothing_loaded(shapes, said):
    store, other = saved(stepped(AMSGrad())), stepped(AMSGrad(), shapes)
    before = state(other)
    with pytest.raises(ValueError, match=f"nothing was loaded.*{said}"):
        other.load_own_variables(store)
    assert_same(state(other), before)
    late = AMSGrad()
    late.load_own_variables(store)
    with pytest.raises(ValueError, match=f"nothing was loaded.*{said}"):
        stepped(late, shapes)


def test_vectors_along_other_axes_are_refused():
    store = saved(stepped(NDAdam(vector_axes={"w0": [0]})))
    with pytest.raises(ValueError, match="vector_axes"):
        stepped(NDAdam(vector_axes={"w0": [1]})).load_own_variables(store)


def test_the_state_of_kerass_optimizer_is_refused(tmp_path):
    theirs = dense_model(keras.optimizers.Adam(0.01, amsgrad=True))
    fit(theirs)
    theirs.save_weights(tmp_path / "model.weights.h5")
    ours = dense_model(AMSGrad(0.01))
    fit(ours)
    before = state(ours.optimizer)
    with pytest.raises(ValueError, match="not written by keras_amsgrad"):
        ours.load_weights(tmp_path / "model.weights.h5")
    assert_same(state(ours.optimizer), before)


def test_another_version_of_the_format_is_refused():
    store, other = saved(stepped(AdaMax())), stepped(AdaMax())
    store["header"] = np.frombuffer(store["header"].tobytes().replace(b'"version": 1', b'"version": 2'), "uint8")
    with pytest.raises(ValueError, match="version 2, this package reads version 1"):
        other.load_own_variables(store)


def test_weights_saved_before_training_start_again(tmp_path):
    model = dense_model(AMSGrad(0.01))
    model.save_weights(tmp_path / "start.weights.h5")
    first = fit(model, epochs=2)
    model.load_weights(tmp_path / "start.weights.h5")
    assert int(model.optimizer.iterations) == 0
    assert fit(model, epochs=2) == first


def test_a_file_without_an_optimizer_leaves_it_as_it_is(tmp_path):
    dense_model().save_weights(tmp_path / "plain.weights.h5")
    model = dense_model(AMSGrad(0.01))
    fit(model)
    before = state(model.optimizer)
    with pytest.warns(UserWarning, match="holds no state for optimizer"):
        model.load_weights(tmp_path / "plain.weights.h5")
    assert_same(state(model.optimizer), before)
