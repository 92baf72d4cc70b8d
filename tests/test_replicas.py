"""Replicas give the numbers that `model.fit` gives, fit by fit."""

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_digits

from keras_amsgrad import SWATS, Adam, AdaMax, AMSGrad, InverseSqrtDecay, Nadam, NDAdam
from keras_amsgrad.order import epoch_order
from keras_amsgrad.replicas import Replica, backends, train
from keras_amsgrad.replicas.settings import program_key

TRAINING, VALIDATION = np.arange(300), np.arange(300, 500)
BATCH = 64  # 300 rows: the last batch of an epoch has 44
EPOCHS = 3


@functools.cache
def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y.astype("int32")


def network(*hidden):
    return keras.Sequential([keras.Input((64,)), *hidden, layers.Dense(10, activation="softmax")])


def logistic():
    return network()


def feedforward():
    return network(layers.Dense(20, activation="relu"))


def normalized():
    # A bias before the normalization has no gradient but rounding, which Adam would blow up.
    return network(layers.Dense(20, use_bias=False), layers.BatchNormalization(momentum=0.5), layers.ReLU())


def with_dropout():
    return network(layers.Dense(20, activation="relu"), layers.Dropout(0.5), layers.Dense(10, kernel_regularizer="l2"))


def convolutional():
    return network(layers.Reshape((8, 8, 1)), layers.RandomFlip("horizontal"), layers.Conv2D(4, 3), layers.Flatten())


class Batches(keras.utils.PyDataset):
    """Batches for `model.fit` in the order that replicas use."""

    def __init__(self, seed):
        super().__init__()
        self.seed, self.epoch = seed, 0

    def __len__(self):
        return -(-len(TRAINING) // BATCH)

    def __getitem__(self, i):
        x, y = digits()
        rows = TRAINING[epoch_order(self.seed, self.epoch, len(TRAINING))][i * BATCH : (i + 1) * BATCH]
        return x[rows], y[rows]


def fit(model, optimizer, seed, callbacks=(), epochs=EPOCHS):
    """Return the history that `model.fit` gives."""
    keras.utils.set_random_seed(seed)
    network, batches = model(), Batches(seed)
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    clock = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch))
    x, y = digits()
    history = network.fit(
        batches,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        validation_data=(x[VALIDATION], y[VALIDATION]),
        callbacks=[clock, *callbacks],
    )
    return history.history, network


def replicas(optimizers, seed=3):
    return [Replica(optimizer, seed, TRAINING, VALIDATION, VALIDATION) for optimizer in optimizers]


def trained(model, optimizers, seed=3, **arguments):
    return train(model, replicas(optimizers, seed), *digits(), batch_size=BATCH, **{"epochs": EPOCHS, **arguments})


def assert_same_history(outcome, history, tolerance=1e-4):
    assert set(outcome.history) == set(history)
    for name, values in history.items():
        np.testing.assert_allclose(outcome.history[name], values, rtol=tolerance, err_msg=name)


SMALL_GRID = [
    lambda: Adam(0.001, beta_2=0.99),
    lambda: Adam(0.05),
    lambda: AMSGrad(0.01, weight_decay=0.1),
    lambda: AMSGrad(0.01, bias_correction=False),
    lambda: AMSGrad(InverseSqrtDecay(0.02), epsilon=1e-3),
    lambda: AdaMax(0.01, beta_1=0.5),
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
    monkeypatch.setattr("keras_amsgrad.replicas.program.STEPS_WORTH_XLA", 0)
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


def test_a_diverged_replica_leaves_the_others_unchanged_to_the_bit():
    wild = Adam(1e38)
    calm = trained(feedforward, [Adam(0.001), Adam(0.01), Adam(0.002)])
    beside = trained(feedforward, [Adam(0.001), wild, Adam(0.002)])
    assert [outcome.status for outcome in beside] == ["ok", "diverged", "ok"]
    assert not np.isfinite(beside[1].history["loss"][-1])
    assert len(beside[1].history["loss"]) < EPOCHS
    for i in (0, 2):
        assert beside[i].history == calm[i].history
        for mine, theirs in zip(beside[i].weights, calm[i].weights, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_little_memory_means_smaller_chunks_and_the_same_numbers():
    finished, epochs = [], []
    alphas = [0.001, 0.01, 0.02]
    outcomes = trained(
        logistic,
        [Adam(alpha) for alpha in alphas],
        memory=1,
        on_chunk=lambda positions, outcomes: finished.append(positions),
        on_epoch=lambda positions, epoch, logs: epochs.append((positions, epoch, sorted(logs[0]))),
    )
    assert sorted(finished) == [[0], [1], [2]]
    assert max(epochs) == ([2], EPOCHS - 1, ["accuracy", "loss", "val_accuracy", "val_loss"])
    together = trained(logistic, [Adam(alpha) for alpha in alphas])
    for one, other in zip(outcomes, together, strict=True):
        assert_same_history(one, other.history)


def test_a_last_chunk_that_is_not_full_gives_the_same_numbers(monkeypatch):
    optimizers = [Adam(0.001), Adam(0.01), Adam(0.02)]
    together = trained(logistic, optimizers)
    monkeypatch.setattr("keras_amsgrad.replicas.chunks.largest_chunk", lambda *_: 2)
    seen = []
    split = trained(logistic, optimizers, on_epoch=lambda positions, epoch, logs: seen.append(positions))
    assert sorted(seen) == [[0, 1]] * EPOCHS + [[2]] * EPOCHS
    for one, other in zip(split, together, strict=True):
        assert_same_history(one, other.history)


@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
def test_convolutions_can_be_stacked_as_well():
    optimizers, finished = [AMSGrad(0.001), AMSGrad(0.01)], []
    alone = trained(convolutional, optimizers)
    told = {"on_chunk": lambda positions, outcomes: finished.append(positions)}
    for one, other in zip(trained(convolutional, optimizers, together=2, **told), alone, strict=True):
        assert_same_history(one, other.history, tolerance=1e-3)
    assert finished == [[0, 1]]


@pytest.mark.skipif(backends.BACKEND != "jax", reason="only on JAX are groups mapped over one program")
@pytest.mark.parametrize("model", [feedforward, with_dropout, convolutional])
def test_seeds_and_folds_side_by_side_in_one_program_give_the_same_numbers(model, monkeypatch):
    halves = [(TRAINING, VALIDATION, VALIDATION), (TRAINING + 200, TRAINING[:200], TRAINING[:200])]
    grid = [
        Replica(Adam(alpha), seed, *rows)
        for seed, rows in itertools.product((0, 1), halves)
        for alpha in (0.001, 0.01, 0.02)
    ]
    apart = train(model, grid, *digits(), batch_size=BATCH, epochs=2, together=2)
    monkeypatch.setattr(backends, "can_map_lanes", lambda: True)
    finished, told = [], {"on_chunk": lambda positions, outcomes: finished.append(positions)}
    joined = train(model, grid, *digits(), batch_size=BATCH, epochs=2, together=6, **told)
    assert sorted(map(len, finished)) == [6, 6]
    for one, other in zip(joined, apart, strict=True):
        assert_same_history(one, other.history, tolerance=1e-3)
        np.testing.assert_allclose(one.outputs, other.outputs, atol=1e-3)
        for mine, theirs in zip(one.weights, other.weights, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0.02, atol=2e-4)


def test_outputs_are_those_of_the_final_weights():
    (outcome, _) = trained(with_dropout, [Adam(0.01), Adam(0.1)], epochs=1)
    network = with_dropout()
    for variable, value in zip(network.variables, outcome.weights, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(outcome.outputs, network.predict(digits()[0][VALIDATION], verbose=0), atol=1e-5)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        pytest.param(keras.optimizers.Adam(), "must be one of keras_amsgrad", id="another optimizer"),
        pytest.param(NDAdam(), "Received: NDAdam", id="ND-Adam"),
        pytest.param(Nadam(), "Received: Nadam", id="Nadam with a momentum that rises"),
        pytest.param(SWATS(), "Received: SWATS", id="SWATS"),
        pytest.param(Adam(clipnorm=1.0), "`clipnorm` of Adam must be None", id="clipping"),
        pytest.param(Adam(use_ema=True), "`use_ema` of Adam must be False", id="averaged weights"),
        pytest.param(Adam(lambda: 0.1), "`learning_rate` of Adam must be a number or", id="a callable"),
    ],
)
def test_what_replicas_cannot_do_is_refused_by_name(optimizer, message):
    with pytest.raises((TypeError, ValueError), match=message):
        trained(logistic, [optimizer])


def test_early_stopping_needs_what_is_measured():
    with pytest.raises(ValueError, match="`monitor` of EarlyStopping must be one of loss, accuracy, val_loss"):
        trained(logistic, [Adam()], early_stopping=keras.callbacks.EarlyStopping("val_auc"))


def test_constrained_weights_are_refused():
    with pytest.raises(ValueError, match="no constraint"):
        trained(lambda: network(layers.Dense(3, kernel_constraint="non_neg")), [Adam()])


def test_every_number_of_an_optimizer_may_differ_within_a_program():
    optimizers = [
        AMSGrad(0.01, beta_1=0.8, bias_correction=False, weight_decay=0.01),
        AMSGrad(0.001, beta_2=0.99, epsilon=1e-3, weight_decay=0.1),
    ]
    assert program_key(optimizers[0]) == program_key(optimizers[1])
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


@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
def test_a_grid_shares_one_product_with_the_batch(monkeypatch):
    """The replicas of a group are mapped together, not looped over."""
    counts = []
    over_replicas = backends.over_replicas
    monkeypatch.setattr(backends, "over_replicas", lambda *a: counts.append(a[-1]) or over_replicas(*a))
    trained(logistic, [Adam(0.001), Adam(0.01), AMSGrad(0.1)], epochs=1)
    assert set(counts) == {2, 1}
