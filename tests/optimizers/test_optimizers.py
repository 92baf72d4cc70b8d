"""The Keras classes: the algorithm in float32, settings, and a model's life."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_amsgrad import AdaBelief, Adam, AdaMax, AMSGrad, InverseSqrtDecay, RAdam, Yogi
from tests import oracle
from tests.models import walk

CASES = [
    pytest.param(Adam, {}, id="adam"),
    pytest.param(Adam, {"bias_correction": False}, id="adam-uncorrected"),
    pytest.param(AMSGrad, {}, id="amsgrad"),
    pytest.param(AMSGrad, {"bias_correction": False}, id="amsgrad-uncorrected"),
    pytest.param(AdaMax, {}, id="adamax"),
    pytest.param(RAdam, {}, id="radam"),
    pytest.param(RAdam, {"beta_2": 0.9}, id="radam-90"),
    pytest.param(RAdam, {"beta_2": 0.6}, id="radam-never-adaptive"),
    pytest.param(AdaBelief, {"epsilon": 1e-16}, id="adabelief"),
    pytest.param(AdaBelief, {"epsilon": 1e-6}, id="adabelief-large-epsilon"),
    pytest.param(Yogi, {"epsilon": 1e-3, "bias_correction": False}, id="yogi"),
    pytest.param(Yogi, {"epsilon": 1e-3, "bias_correction": True}, id="yogi-corrected"),
]


def small_model(optimizer):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(3, "softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def small_data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(96, 8)).astype("float32"), rng.integers(0, 3, 96)


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_a_class_agrees_with_the_oracle(cls, settings):
    gs, start = oracle.gradients(200), np.linspace(-1, 1, 7)
    expected = oracle.path_of(cls.__name__, gs, start, **settings)
    steps = np.abs(np.diff(expected, axis=0)).max()  # RAdam's are as large as the gradients where it is not adaptive
    np.testing.assert_allclose(
        walk(cls(0.01, **settings), gs, start), expected, rtol=1e-4, atol=max(1e-5, 1e-6 * steps * len(gs))
    )


def test_the_new_rules_take_the_defaults_of_their_papers():
    assert (RAdam().beta_2, RAdam().epsilon) == (0.999, 1e-8)
    assert AdaBelief().epsilon == 1e-16
    assert (Yogi().epsilon, Yogi().bias_correction) == (1e-3, False)


def test_yogis_second_moment_forgets_a_large_gradient_slowly():
    gs = np.array([100.0] + [0.01] * 300)[:, None]
    settings = {"epsilon": 1e-8, "bias_correction": True}
    moved = {cls: np.abs(np.diff(walk(cls(0.01, **settings), gs, np.zeros(1))[:, 0]))[-1] for cls in (Adam, Yogi)}
    assert moved[Yogi] < 0.95 * moved[Adam]


def test_adabelief_takes_long_steps_where_gradients_are_as_predicted():
    gs = 1 + 0.01 * np.random.default_rng(0).normal(size=(100, 1))
    moved = {cls: -walk(cls(0.01), gs, np.zeros(1))[-1, 0] for cls in (Adam, AdaBelief)}
    assert moved[AdaBelief] > 3 * moved[Adam]


def test_radam_starts_without_adaptive_step_sizes():
    path = walk(RAdam(0.01, beta_1=0.0), np.array([[1.0, 100.0]] * 8), np.zeros(2))
    steps = -np.diff(path, axis=0, prepend=0)
    np.testing.assert_allclose(steps[:5, 1], 100 * steps[:5, 0], rtol=1e-5)
    np.testing.assert_allclose(steps[5:, 1], steps[5:, 0], rtol=2e-3)


def test_amsgrad_with_correction_is_the_one_of_keras():
    gs, start = oracle.gradients(200), np.linspace(-1, 1, 7)
    theirs = keras.optimizers.Adam(0.01, epsilon=1e-8, amsgrad=True)
    np.testing.assert_allclose(walk(AMSGrad(0.01), gs, start), walk(theirs, gs, start), rtol=2e-5, atol=1e-6)


def test_without_correction_the_first_step_is_large():
    step = 0.01 - walk(AMSGrad(0.01, bias_correction=False), np.ones((1, 1)), np.full(1, 0.01))[0]
    np.testing.assert_allclose(step, 0.01 * 0.1 / np.sqrt(0.001), rtol=1e-4)


def test_a_weight_without_gradients_stays_where_it_is():
    assert walk(AdaMax(0.1), np.zeros((3, 4)), np.ones(4)).tolist() == np.ones((3, 4)).tolist()


@pytest.mark.parametrize("cls", [Adam, AMSGrad, AdaMax])
def test_a_model_trains_saves_and_loads(cls, tmp_path):
    x, y = small_data()
    model = small_model(cls(0.01))
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is cls
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))
    for each in (model, loaded):
        each.fit(x, y, shuffle=False, verbose=0)
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


def test_settings_survive_the_config():
    optimizer = AMSGrad(InverseSqrtDecay(0.1, steps_per_epoch=5), 0.8, 0.99, 1e-6, bias_correction=False, clipnorm=1.0)
    again = AMSGrad.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert (again.beta_1, again.beta_2, again.bias_correction, again.clipnorm) == (0.8, 0.99, False, 1.0)


def test_setting_a_beta_reaches_a_compiled_model():
    x, y = small_data()
    plain, changed = small_model(AMSGrad(0.1)), small_model(AMSGrad(0.1))
    for model in (plain, changed):
        model.fit(x, y, shuffle=False, verbose=0)
    changed.optimizer.beta_1 = 0.0
    for model in (plain, changed):
        model.fit(x, y, shuffle=False, verbose=0)
    first, second = (ops.convert_to_numpy(model.weights[0]) for model in (plain, changed))
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"learning_rate": -0.1}, "`learning_rate` must be a number >= 0.*-0.1"),
        ({"learning_rate": "fast"}, "`learning_rate` must be .*'fast'"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be .*nan"),
        ({"learning_rate": None}, "`learning_rate` must be .*None"),
        ({"beta_1": 1.0}, r"`beta_1` must be a number in \[0, 1\).*1.0"),
        ({"beta_2": -0.1}, r"`beta_2` must be a number in \[0, 1\).*-0.1"),
        ({"beta_2": True}, "`beta_2` must be .*True"),
        ({"epsilon": 0}, "`epsilon` must be a number > 0.*0"),
    ],
)
@pytest.mark.parametrize("cls", [Adam, AMSGrad, AdaMax])
def test_bad_settings_are_refused(cls, settings, said):
    with pytest.raises(ValueError, match=said):
        cls(**settings)


def test_a_beta_out_of_range_is_refused_later_too():
    optimizer = AMSGrad()
    with pytest.raises(ValueError, match="`beta_2` must be"):
        optimizer.beta_2 = 1.5
    assert optimizer.beta_2 == 0.999


def test_inverse_sqrt_decay_reaches_the_update():
    start = np.zeros(1)
    path = walk(Adam(InverseSqrtDecay(0.1), beta_1=0.0, beta_2=0.0, epsilon=1e-12), np.ones((4, 1)), start)
    np.testing.assert_allclose(path[:, 0], -np.cumsum(0.1 / np.sqrt([1, 2, 3, 4])), rtol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("learning_rate", -1), ("steps_per_epoch", 0), ("steps_per_epoch", 1.5)])
def test_inverse_sqrt_decay_refuses_bad_settings(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .*{value}"):
        InverseSqrtDecay(**{"learning_rate": 0.1, name: value})
