"""Replicas give the numbers that `model.fit` gives, fit by fit, and refuse by name what they cannot do."""

import keras
import numpy as np
import pytest

from keras_amsgrad import SWATS, AdaBelief, Adam, AdaMax, AMSGrad, InverseSqrtDecay, Nadam, NDAdam, RAdam, Yogi
from keras_amsgrad.replicas import Replica, backends, train
from keras_amsgrad.replicas.settings import pure_form
from tests.fits import (
    BATCH,
    TRAINING,
    VALIDATION,
    assert_same_history,
    convolutional,
    digits,
    feedforward,
    fit,
    logistic,
    normalized,
    trained,
    with_dropout,
)

SMALL_GRID = [
    lambda: Adam(0.001, beta_2=0.99),
    lambda: Adam(0.05),
    lambda: AMSGrad(0.01, weight_decay=0.1),
    lambda: AMSGrad(0.01, bias_correction=False),
    lambda: AMSGrad(InverseSqrtDecay(0.02), epsilon=1e-3),
    lambda: AdaMax(0.01, beta_1=0.5),
    lambda: RAdam(0.01),
    lambda: AdaBelief(0.001),
    lambda: Yogi(0.01),
    lambda: Yogi(0.01, bias_correction=True),
]


@pytest.mark.parametrize("model", [logistic, feedforward])
def test_every_fit_of_a_grid_has_the_history_of_model_fit(model):
    outcomes = trained(model, [make() for make in SMALL_GRID])
    for make, outcome in zip(SMALL_GRID, outcomes, strict=True):
        assert_same_history(outcome, fit(model, make(), seed=3)[0])


@pytest.mark.parametrize("model", [normalized, with_dropout, convolutional])
def test_networks_with_state_and_chance_train_alike(model):
    outcomes = trained(model, [AMSGrad(0.001), AMSGrad(0.01)])
    for alpha, outcome in zip([0.001, 0.01], outcomes, strict=True):
        history, network = fit(model, AMSGrad(alpha), seed=3)
        assert_same_history(outcome, history, tolerance=1e-3)
        for name, mine, theirs in zip(network.variables, outcome.weights, network.variables, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0.02, atol=2e-4, err_msg=name.path)


def test_xla_gives_the_same_numbers(monkeypatch):
    plain = trained(feedforward, [AMSGrad(0.001), AMSGrad(0.01)])
    monkeypatch.setattr("keras_amsgrad.replicas.program.WORTH_XLA", 0)
    for compiled, outcome in zip(trained(feedforward, [AMSGrad(0.001), AMSGrad(0.01)]), plain, strict=True):
        assert_same_history(compiled, outcome.history)


def test_each_seed_has_its_own_start_and_order():
    first, second, again = train(
        logistic,
        [Replica(Adam(0.01), seed, TRAINING, VALIDATION) for seed in (0, 1, 0)],
        *digits(),
        batch_size=BATCH,
        epochs=2,
    )
    assert_same_history(again, first.history)
    assert first.history["loss"] != second.history["loss"]
    np.testing.assert_allclose(second.history["loss"], fit(logistic, Adam(0.01), 1, epochs=2)[0]["loss"], rtol=1e-4)


@pytest.mark.parametrize("restore", [True, False])
def test_each_replica_stops_at_the_epoch_at_which_its_own_fit_stops(restore):
    alphas = [0.001, 0.3, 3.0]

    def stopping():
        return keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=restore)

    outcomes = trained(feedforward, [Adam(alpha) for alpha in alphas], epochs=6, early_stopping=stopping())
    assert {len(outcome.history["loss"]) for outcome in outcomes} != {6}
    for alpha, outcome in zip(alphas, outcomes, strict=True):
        history, network = fit(feedforward, Adam(alpha), 3, [stopping()], epochs=6)
        assert len(outcome.history["loss"]) == len(history["loss"])
        assert outcome.status == ("ok" if len(history["loss"]) == 6 else "stopped")
        if alpha < 1:  # at 3.0 rounding grows into other weights
            np.testing.assert_allclose(outcome.weights[0], network.variables[0], atol=1e-3)


def test_outputs_are_those_of_the_final_weights():
    (outcome, _) = trained(with_dropout, [Adam(0.01), Adam(0.1)], epochs=1)
    network = with_dropout()
    for variable, value in zip(network.variables, outcome.weights, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(outcome.outputs, network.predict(digits()[0][VALIDATION], verbose=0), atol=1e-5)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        pytest.param(keras.optimizers.Lamb(), "must be one of keras_amsgrad", id="another optimizer"),
        pytest.param(NDAdam(), "Received: NDAdam", id="ND-Adam"),
        pytest.param(Nadam(), "Received: Nadam", id="Nadam with a momentum that rises"),
        pytest.param(SWATS(), "Received: SWATS", id="SWATS"),
        pytest.param(Adam(loss_scale_factor=2.0), "`loss_scale_factor` of Adam must be None", id="loss scaling"),
        pytest.param(keras.optimizers.SGD(float("inf")), "`learning_rate` of SGD must be .* finite", id="not finite"),
        pytest.param(Adam(lambda: 0.1), "`learning_rate` of Adam must be a number or", id="a callable"),
    ],
)
def test_what_replicas_cannot_do_is_refused_by_name(optimizer, message):
    with pytest.raises((TypeError, ValueError), match=message):
        trained(logistic, [optimizer])


def test_early_stopping_needs_what_is_measured():
    with pytest.raises(ValueError, match="`monitor` of EarlyStopping must be one of loss, accuracy, val_loss"):
        trained(logistic, [Adam()], early_stopping=keras.callbacks.EarlyStopping("val_auc"))


def test_every_number_of_an_optimizer_may_differ_within_a_program():
    optimizers = [
        AMSGrad(0.01, beta_1=0.8, bias_correction=False, weight_decay=0.01),
        AMSGrad(0.001, beta_2=0.99, epsilon=1e-3, weight_decay=0.1),
    ]
    assert pure_form(optimizers[0]).key == pure_form(optimizers[1]).key
    for optimizer, outcome in zip(optimizers, trained(feedforward, optimizers), strict=True):
        assert_same_history(outcome, fit(feedforward, optimizer, 3)[0])


def test_nadam_with_a_constant_momentum_trains_as_replicas():
    optimizers = [Nadam(alpha, momentum_decay=None) for alpha in (0.001, 0.01)]
    for optimizer, outcome in zip(optimizers, trained(feedforward, optimizers), strict=True):
        assert_same_history(outcome, fit(feedforward, optimizer, 3)[0])


@pytest.mark.skipif(backends.BACKEND != "jax" or backends.has_gpu(), reason="only XLA on a CPU needs that")
def test_convolutions_are_in_no_loop_where_that_makes_them_slow(monkeypatch):
    monkeypatch.setattr(keras.ops, "fori_loop", lambda *_: pytest.fail("a loop"))
    trained(convolutional, [AMSGrad()], epochs=1)
    with pytest.raises(pytest.fail.Exception, match="a loop"):
        trained(logistic, [AMSGrad()], epochs=1)


@pytest.mark.parametrize("optimizer", [Nadam(), NDAdam(), SWATS()], ids=lambda optimizer: type(optimizer).__name__)
def test_an_optimizer_without_a_pure_step_says_so(optimizer):
    g = np.ones(3, "float32")
    with pytest.raises(NotImplementedError, match=f"{type(optimizer).__name__} has no pure step"):
        optimizer.step(g, g, g, alpha=0.1, t=1, beta_1=0.9, beta_2=0.99, epsilon=1e-8)
