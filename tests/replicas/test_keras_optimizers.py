"""Keras's own optimizers, and Keras's settings of all optimizers, in replicas: their numbers are those of Keras."""

import keras
import numpy as np
import pytest
from keras import ops, optimizers

import keras_amsgrad
from keras_amsgrad.replicas import Replica, UnsupportedError, backends, layout, settings, train
from keras_amsgrad.replicas.updates import Update
from tests.fits import (
    BATCH,
    TRAINING,
    VALIDATION,
    assert_same_history,
    digits,
    feedforward,
    fit,
    logistic,
    trained,
)

STEPS = 200
SHAPES = [(3, 4), (5,)]
DECAY = optimizers.schedules.ExponentialDecay(0.01, 50, 0.5)

# Pairs of settings that share a program.
CASES = [
    (optimizers.SGD, {"learning_rate": 0.1}, {"learning_rate": 0.01}),
    (optimizers.SGD, {"learning_rate": 0.1, "momentum": 0.9}, {"momentum": 0.5}),
    (optimizers.SGD, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.99, "nesterov": True}),
    (optimizers.RMSprop, {"rho": 0.999}, {"rho": 0.5, "epsilon": 1e-2}),
    (optimizers.RMSprop, {"momentum": 0.9}, {"momentum": 0.5, "rho": 0.99}),
    (optimizers.RMSprop, {"centered": True}, {"centered": True, "rho": 0.99}),
    (optimizers.RMSprop, {"centered": True, "momentum": 0.9}, {"centered": True, "momentum": 0.1}),
    (optimizers.Adagrad, {"initial_accumulator_value": 0.5}, {"initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    (optimizers.Adadelta, {"learning_rate": 1.0}, {"learning_rate": 0.5, "rho": 0.999}),
    (optimizers.Adam, {"beta_2": 0.9999}, {"learning_rate": 0.01, "beta_1": 0.4}),
    (optimizers.Adam, {"amsgrad": True}, {"amsgrad": True, "beta_2": 0.9}),
    (optimizers.AdamW, {"weight_decay": 0.1}, {"amsgrad": False, "epsilon": 1e-3}),
    (optimizers.AdamW, {"amsgrad": True}, {"amsgrad": True, "learning_rate": 0.1}),
    (optimizers.Adamax, {"beta_1": 0.99}, {"beta_2": 0.9}),
    (optimizers.Nadam, {"beta_1": 0.99}, {"learning_rate": 0.01, "beta_2": 0.99}),
    (optimizers.Lion, {}, {"learning_rate": 0.01, "beta_2": 0.9}),
    (optimizers.SGD, {"learning_rate": DECAY}, {"learning_rate": optimizers.schedules.CosineDecay(0.1, 100)}),
    (optimizers.Adam, {"clipnorm": 0.5}, {"clipnorm": 2.0}),
    (optimizers.SGD, {"global_clipnorm": 0.5}, {"global_clipnorm": 3.0}),
    (optimizers.RMSprop, {"clipvalue": 0.1}, {"clipvalue": 1.0}),
    (optimizers.SGD, {"weight_decay": 0.1, "clipnorm": 1.0}, {"weight_decay": 0.5, "clipnorm": 0.1}),
    (optimizers.Adam, {"use_ema": True}, {"use_ema": True, "ema_momentum": 0.9}),
    (
        optimizers.Adam,
        {"use_ema": True, "ema_overwrite_frequency": 7},
        {"use_ema": True, "ema_overwrite_frequency": 7, "ema_momentum": 0.4},
    ),
    (keras_amsgrad.AMSGrad, {"clipnorm": 0.5, "weight_decay": 0.1}, {"clipnorm": 2.0, "weight_decay": 0.2}),
    (keras_amsgrad.Adam, {"use_ema": True, "clipvalue": 0.2}, {"use_ema": True, "clipvalue": 1.0}),
]


def name_of(case):
    return "-".join(map(str, (case[0].__module__.split(".")[0], case[0].__name__, *case[1], *case[1].values())))[:60]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_hundreds_of_updates_equal_those_of_keras(case):
    of, *both = case
    made = [of(**each) for each in both]
    assert settings.pure_form(made[0]).key == settings.pure_form(made[1]).key
    random = np.random.default_rng(1)
    start = [random.normal(size=shape).astype("float32") for shape in SHAPES]
    gradients = [
        [random.normal(0, random.choice([0.1, 1, 3]), (2, *shape)).astype("float32") for shape in SHAPES]
        for _ in range(STEPS)
    ]
    mine = updated(made, start, gradients)
    # On torch, Keras decays weights by a product with 1 - decay * learning_rate, rounded alike in every update.
    tolerance = 1e-5 if backends.BACKEND == "torch" and made[0].weight_decay else 1e-6
    for k, optimizer in enumerate(made):
        weights = [keras.Variable(weight, name=name) for weight, name in zip(start, "ab", strict=True)]
        apply(optimizer, weights, [[ops.convert_to_tensor(g[k]) for g in gradient] for gradient in gradients])
        optimizer.finalize_variable_values(weights)
        for one, other in zip(mine, weights, strict=True):
            np.testing.assert_allclose(one[k], other, rtol=tolerance, atol=tolerance * np.abs(other).max())


def apply(optimizer, weights, gradients):
    """Update weights by Keras: compiled, where that is possible."""
    optimizer.build(weights)
    if backends.BACKEND != "jax":
        step = backends.compiled(lambda *g: optimizer.apply(list(g)), xla=False)
        for gradient in gradients:
            step(*gradient)
        return
    step = backends.compiled(optimizer.stateless_apply, xla=False)
    state, values = [v.value for v in optimizer.variables], [w.value for w in weights]
    for gradient in gradients:
        values, state = step(state, gradient, values)
    for variable, value in zip([*weights, *optimizer.variables], [*values, *state], strict=True):
        variable.assign(value)


def updated(made, start, gradients):
    """Return the weights after all updates of optimizers that share a program, (replicas, *shape) each."""
    forms = [settings.pure_form(optimizer) for optimizer in made]
    update = Update(forms, [keras.Variable(weight) for weight in start])
    weights = [layout.pack(np.stack([weight] * len(made))) for weight in start]
    slots, numbers = update.initial_slots(weights), settings.columns(forms)
    weights, slots = keras.tree.map_structure(ops.convert_to_tensor, (weights, slots))
    step = backends.compiled(update, xla=False)
    for t, of_step in enumerate(gradients):
        packed = [ops.convert_to_tensor(layout.pack(g)) for g in of_step]
        weights, slots = step(weights, packed, slots, numbers, ops.convert_to_tensor(t, dtype="int32"))
    weights = update.final_weights(weights, slots)
    return [ops.convert_to_numpy(layout.unpack(w, s)) for w, s in zip(weights, SHAPES, strict=True)]


MIXED = [
    lambda: optimizers.SGD(0.1),
    lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda: optimizers.RMSprop(0.01, centered=True, momentum=0.5),
    lambda: optimizers.Adagrad(0.1),
    lambda: optimizers.Adadelta(1.0),
    lambda: optimizers.Adam(0.01, amsgrad=True, clipnorm=0.05),
    lambda: optimizers.Adam(0.001, amsgrad=True, clipnorm=0.01),
    lambda: optimizers.AdamW(0.01),
    lambda: optimizers.Adamax(0.01),
    lambda: optimizers.Nadam(DECAY, global_clipnorm=0.1),
    lambda: optimizers.Lion(0.001),
    lambda: optimizers.SGD(0.1, use_ema=True, clipvalue=0.01),
    lambda: optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=4),
    lambda: keras_amsgrad.Adam(0.01, use_ema=True, ema_momentum=0.9, global_clipnorm=0.1),
]


def test_a_mixed_grid_gives_the_history_weights_and_outputs_of_model_fit():
    for make, outcome in zip(MIXED, trained(feedforward, [make() for make in MIXED]), strict=True):
        history, network = fit(feedforward, make(), seed=3)
        assert_same_history(outcome, history)
        for mine, theirs in zip(outcome.weights, network.variables, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)
        outputs = network.predict(digits()[0][VALIDATION], verbose=0)
        np.testing.assert_allclose(outcome.outputs, outputs, atol=1e-4)


def test_weights_excluded_from_decay_by_name_do_not_decay():
    def excluding():
        optimizer = optimizers.AdamW(0.01, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=["kernel"])
        return optimizer

    (outcome, plain) = trained(logistic, [excluding(), optimizers.AdamW(0.01, weight_decay=0.5)], epochs=1)
    history, _ = fit(logistic, excluding(), 3, epochs=1)
    assert_same_history(outcome, history)
    assert outcome.history["loss"] != plain.history["loss"]


@pytest.mark.parametrize("of", [optimizers.AdamW, keras_amsgrad.Adam])
def test_weights_excluded_as_variables_of_another_model_are_refused(of):
    optimizer = of(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[logistic().trainable_variables[0]])
    with pytest.raises(UnsupportedError, match="must be given `var_names`"):
        settings.check_optimizer(optimizer)


def test_restored_weights_are_those_of_the_best_epoch_and_not_their_average():
    def stopping():
        return keras.callbacks.EarlyStopping("val_loss", mode="max", patience=0, restore_best_weights=True)

    def make():
        return optimizers.SGD(0.1, use_ema=True)

    (outcome,) = trained(logistic, [make()], epochs=5, early_stopping=stopping())
    history, network = fit(logistic, make(), 3, [stopping()], epochs=5)
    assert outcome.status == "stopped"
    assert_same_history(outcome, history)
    np.testing.assert_allclose(outcome.weights[0], network.variables[0], rtol=1e-3, atol=1e-5)


@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm"])
def test_the_norm_of_a_diverging_replica_reaches_no_other(clip):
    made = [optimizers.SGD(0.1, **{clip: 1.0}) for _ in range(2)]
    start = [np.ones(shape, "float32") for shape in SHAPES]
    gradients = [[np.stack([np.full(shape, size, "float32") for size in (1, np.inf)]) for shape in SHAPES]]
    for weight in updated(made, start, gradients):
        assert np.isfinite(weight[0]).all()
        assert not np.isfinite(weight[1]).any()


@pytest.mark.skipif(backends.BACKEND != "jax", reason="only on JAX are groups mapped over one program")
def test_groups_side_by_side_clip_and_average_each_replica_by_itself(monkeypatch):
    grid = [
        Replica(optimizers.Nadam(alpha, clipnorm=0.1, use_ema=True), seed, TRAINING, VALIDATION)
        for seed in (0, 1)
        for alpha in (0.001, 0.01)
    ]
    apart = train(logistic, grid, *digits(), batch_size=BATCH)
    monkeypatch.setattr(backends, "can_map_groups", lambda: True)
    joined = train(logistic, grid, *digits(), batch_size=BATCH, together=4)
    for one, other in zip(joined, apart, strict=True):
        assert_same_history(one, other.history)
        np.testing.assert_allclose(one.weights[0], other.weights[0], rtol=1e-4, atol=1e-5)


def test_a_subclass_of_an_optimizer_of_keras_is_refused_for_its_update_may_be_another():
    class Reversed(optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(-gradient, variable, learning_rate)

    with pytest.raises(UnsupportedError, match="Received: Reversed"):
        settings.check_optimizer(Reversed())


def test_numbers_share_a_program_and_what_changes_the_rule_does_not():
    def key(*arguments, of=optimizers.SGD, **named):
        return settings.pure_form(of(*arguments, **named)).key

    assert key(0.1, momentum=0.9, clipnorm=1.0) == key(0.2, momentum=0.5, clipnorm=2.0)
    different = [
        key(),
        key(momentum=0.9),
        key(momentum=0.9, nesterov=True),
        key(weight_decay=0.1),
        key(clipnorm=1.0),
        key(clipvalue=1.0),
        key(use_ema=True),
        key(use_ema=True, ema_overwrite_frequency=3),
        key(DECAY),
        key(of=optimizers.RMSprop),
        key(of=optimizers.RMSprop, centered=True),
        key(of=optimizers.Adagrad),
        key(of=optimizers.Adagrad, initial_accumulator_value=1.0),
        key(of=optimizers.Adam),
        key(of=optimizers.Adam, amsgrad=True),
        key(of=keras_amsgrad.Adam),
    ]
    assert len(set(different)) == len(different)
