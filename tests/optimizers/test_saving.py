"""The state in files: training goes on to the bit, and what does not fit is refused whole."""

import pickle
import subprocess
import sys
from pathlib import Path

import h5py
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
    store["header"] = np.frombuffer(store["header"].tobytes().replace(b'"version": 2', b'"version": 3'), "uint8")
    with pytest.raises(ValueError, match="version 3, this package reads versions 1 and 2"):
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


def of_version_1(optimizer):
    """Return the state as version 1 stored it: weights numbered among all, and no rests of the products."""
    store, version_2 = Store(), saved(optimizer)
    for name, value in version_2.items():
        slot, _, rest = name.partition(".")
        if rest:
            number, leaf = rest.split(".")
            name = f"{slot}.{WITH_SLOTS[int(number)] if number.isdigit() else WITHOUT[int(number[12:])]}.{leaf}"
        if not name.endswith("_rest"):
            store[name] = value
    store["header"] = np.frombuffer(version_2["header"].tobytes().replace(b'"version": 2', b'"version": 1'), "uint8")
    return store


WITH_SLOTS, WITHOUT = (0, 2, 4), (1, 3)


def mixed(optimizer, order=(0, 1, 2, 3, 4)):
    """Return an optimizer after an update of three weights and two that are overwritten with their gradients."""
    weights = [keras.Variable(np.ones(2, "float32"), name=f"w{i}") for i in range(5)]
    for i in WITHOUT:
        weights[i].overwrite_with_gradient = True
    optimizer.apply([ops.full((2,), float(i + 1)) for i in order], [weights[i] for i in order])
    return optimizer


@pytest.mark.parametrize("settings", [{}, {"use_ema": True}, {"gradient_accumulation_steps": 2}])
def test_weights_that_are_overwritten_may_stand_elsewhere_in_the_model_that_is_loaded(settings):
    first, other = mixed(AMSGrad(**settings)), mixed(AMSGrad(**settings), order=(1, 3, 0, 2, 4))
    for slots in other._slots:
        for slot in slots:
            if slot is not None:
                slot.assign(ops.zeros(2))
    other.load_own_variables(saved(first))
    for ours, theirs in zip(first._slots, other._slots, strict=True):
        assert_same(arrays(ours[i] for i in WITH_SLOTS), arrays(theirs[2:]))


@pytest.mark.parametrize("settings", [{}, {"use_ema": True}, {"gradient_accumulation_steps": 2}])
@pytest.mark.parametrize("built", [True, False])
def test_files_of_version_1_still_load(settings, built):
    optimizer = mixed(AMSGrad(**settings))
    store = of_version_1(optimizer)
    assert "momentum.4.w4" in store
    assert not any(name.endswith("_rest") for name in store)
    again = AMSGrad(**settings)
    if built:
        mixed(again)
    again.load_own_variables(store)
    if not built:
        again.build(optimizer._trainable_variables)
    assert_same(state(again), state(optimizer))


def test_the_values_of_version_1_can_be_set():
    optimizer = stepped(AMSGrad())
    values = [value for v, value in zip(optimizer.variables, state(optimizer), strict=True) if "_rest" not in v.name]
    again = stepped(AMSGrad(0.5))
    again.set_weights(values)
    assert_same(state(again), state(optimizer))
    with pytest.raises(ValueError, match="must hold the 14 values"):
        again.set_weights(values[:3])


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_float8_model_is_loaded_and_unpickled(cls, tmp_path):
    model = dense_model()
    for layer in model.layers:
        layer.quantize("float8")
    model.compile(cls(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = pickle.loads(pickle.dumps(model.optimizer))
    again.build(loaded.trainable_variables)
    for optimizer in (loaded.optimizer, again):
        theirs = saved(optimizer)
        assert {name: value.tolist() for name, value in saved(model.optimizer).items()} == {
            name: value.tolist() for name, value in theirs.items()
        }
    for each in (model, loaded):
        fit(each)
    assert_same(sorted_arrays(model), sorted_arrays(loaded))


def sorted_arrays(model):
    return arrays(sorted(model.weights, key=lambda w: w.path))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_an_h5_file_holds_the_state(cls, dtype, tmp_path):
    """Keras builds the optimizer of such a file for no weights, its own optimizers too: the state is set by hand."""
    model = dense_model(cls(0.01), dtype=dtype)
    fit(model)
    model.save(tmp_path / "model.h5")
    loaded = keras.saving.load_model(tmp_path / "model.h5", custom_objects={cls.__name__: cls}, compile=False)
    loaded.compile(cls(0.01), model.loss)
    loaded.optimizer.build(loaded.trainable_variables)
    with h5py.File(tmp_path / "model.h5") as file:
        group = file["optimizer_weights"]
        loaded.optimizer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    for each in (model, loaded):
        fit(each)
    assert_same(everything(model), everything(loaded))


def test_what_keras_says_of_our_names_is_what_the_docs_say(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "optimizers.md").read_text()
    model = dense_model(AMSGrad(0.01))
    model.save(tmp_path / "model.keras")
    program = "import keras, sys; keras.saving.load_model(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model.keras")], capture_output=True, text=True, check=False
    )
    for said in ("Could not locate class 'AMSGrad'", "Could not interpret optimizer identifier"):
        assert said in page
    assert "Could not locate class 'AMSGrad'" in done.stderr
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
        keras.optimizers.get("AMSGrad")
    assert type(keras.optimizers.get("Adam")) is not Adam
