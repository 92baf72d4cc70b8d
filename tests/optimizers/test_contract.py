"""What every public optimizer must do. The table is discovered: a new optimizer is in it from its first day."""

import inspect
import pickle

import keras
import numpy as np
import pytest
from keras import ops

from tests.models import BACKEND, OPTIMIZERS, arrays, assert_same, dense_model, fit, state

pytestmark = pytest.mark.parametrize("cls", OPTIMIZERS)


def test_it_is_documented(cls):
    assert cls.__doc__


def test_it_minimises(cls):
    losses = fit(dense_model(cls(0.01)), epochs=30)
    assert losses[-1] < 0.7 * losses[0]


def test_it_registers_under_our_package(cls):
    assert keras.saving.get_registered_name(cls) == f"keras_amsgrad>{cls.__name__}"
    optimizer = cls(0.02, beta_1=0.8, beta_2=0.9, epsilon=1e-6, name="mine", clipnorm=2.0)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is cls
    assert again.get_config() == optimizer.get_config()


def test_the_config_holds_every_argument_of_the_constructor(cls):
    named = set(inspect.signature(cls.__init__).parameters) - {"self", "keras_arguments"}
    assert named <= set(cls().get_config())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_it_keeps_the_types_of_the_weights(cls, dtype):
    weights = [keras.Variable(np.ones((3, 2)), dtype=dtype, name="kernel"), keras.Variable(np.ones(2), dtype=dtype)]
    optimizer = cls(0.1)
    optimizer.apply([ops.cast(ops.ones(w.shape), dtype) for w in weights], weights)
    assert {w.dtype for w in weights} == {dtype}
    assert {slot.dtype for slots in optimizer._slots for slot in slots} == {"float32"}


def test_float64_weights_have_float64_slots(cls):
    if BACKEND == "jax":
        pytest.skip("JAX has no float64 unless asked for it globally")
    weights = keras.Variable(np.ones((3, 2)), dtype="float64", name="kernel")
    optimizer = cls(0.1)
    optimizer.apply([ops.ones((3, 2), dtype="float64")], [weights])
    assert {slot.dtype for slots in optimizer._slots for slot in slots} == {"float64"}


def test_it_traces_once(cls, monkeypatch):
    if BACKEND == "torch":
        pytest.skip("torch does not trace")
    calls = []
    original = cls._next

    def counted(self, *args):
        calls.append(1)
        return original(self, *args)

    monkeypatch.setattr(cls, "_next", counted)
    fit(dense_model(cls(0.01)), epochs=3)
    assert 1 <= len(calls) <= 2


def test_it_pickles_with_its_state(cls):
    model = dense_model(cls(0.01))
    fit(model)
    again = pickle.loads(pickle.dumps(model.optimizer))
    again.build(model.trainable_variables)
    assert again.get_config() == model.optimizer.get_config()
    assert_same(state(again), state(model.optimizer))


def test_its_config_makes_a_fresh_optimizer(cls):
    model = dense_model(cls(0.01))
    fit(model)
    copy = keras.models.clone_model(model)
    copy.compile(cls.from_config(model.optimizer.get_config()), model.loss)
    assert int(copy.optimizer.iterations) == 0
    fit(copy)
    assert int(model.optimizer.iterations) == int(copy.optimizer.iterations) == 4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"learning_rate": -1}, "`learning_rate` must be"),
        ({"beta_1": 1.0}, "`beta_1` must be"),
        ({"beta_2": -0.1}, "`beta_2` must be"),
        ({"epsilon": 0.0}, "`epsilon` must be"),
        ({"weight_decay": -1e-3}, "`weight_decay` must be a number >= 0.*-0.001"),
        ({"clipnorm": -1.0}, "`clipnorm` must be a number > 0.*-1.0"),
        ({"clipvalue": 0.0}, "`clipvalue` must be a number > 0.*0.0"),
        ({"global_clipnorm": "1"}, "`global_clipnorm` must be a number > 0.*'1'"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of `clipnorm`, `clipvalue`"),
        ({"loss_scale_factor": 0}, "`loss_scale_factor` must be a number > 0.*0"),
        ({"gradient_accumulation_steps": 2.5}, "`gradient_accumulation_steps` must be an integer >= 2.*2.5"),
        ({"gradient_accumulation_steps": 1}, "`gradient_accumulation_steps` must be an integer >= 2.*1"),
        ({"use_ema": True, "ema_momentum": 1.5}, "`ema_momentum` must be"),
        ({"amsgrad": True}, "Argument.*not recognized.*amsgrad"),
    ],
)
def test_it_refuses_bad_arguments(cls, settings, said):
    with pytest.raises(ValueError, match=said):
        cls(**settings)


def test_zero_gradients_neither_move_nor_poison_a_weight(cls):
    start = np.full((3, 2), 0.5)
    for dtype in ("float32", "bfloat16", "float16"):
        weights = keras.Variable(start, dtype=dtype)
        optimizer = cls(0.1)
        for _ in range(3):
            optimizer.apply([ops.zeros((3, 2), dtype=dtype)], [weights])
        np.testing.assert_array_equal(arrays([weights])[0], start)
