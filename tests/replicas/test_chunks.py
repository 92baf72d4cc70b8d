"""Chunks: replicas give the same numbers whichever of them train together, and share what they can."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers

from keras_amsgrad import Adam, AMSGrad
from keras_amsgrad.replicas import Replica, backends, train
from keras_amsgrad.replicas.chunks import largest_chunk
from keras_amsgrad.replicas.threads import at_once
from tests.fits import (
    BATCH,
    EPOCHS,
    TRAINING,
    VALIDATION,
    assert_same_history,
    convolutional,
    digits,
    feedforward,
    logistic,
    trained,
    with_dropout,
)


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
    monkeypatch.setattr(backends, "can_map_groups", lambda: True)
    finished, told = [], {"on_chunk": lambda positions, outcomes: finished.append(positions)}
    joined = train(model, grid, *digits(), batch_size=BATCH, epochs=2, together=6, **told)
    assert sorted(map(len, finished)) == [6, 6]
    for one, other in zip(joined, apart, strict=True):
        assert_same_history(one, other.history, tolerance=1e-3)
        np.testing.assert_allclose(one.outputs, other.outputs, atol=1e-3)
        for mine, theirs in zip(one.weights, other.weights, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0.02, atol=2e-4)


@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
def test_a_grid_shares_one_product_with_the_batch(monkeypatch):
    """The replicas of a group are mapped together, not looped over."""
    counts = []
    over_replicas = backends.over_replicas
    monkeypatch.setattr(backends, "over_replicas", lambda *a: counts.append(a[-1]) or over_replicas(*a))
    trained(logistic, [Adam(0.001), Adam(0.01), AMSGrad(0.1)], epochs=1)
    assert set(counts) == {2, 1}


@pytest.mark.skipif(not backends.CAN_STACK, reason="this backend trains one after another")
def test_the_size_of_a_chunk_is_estimated_for_open_shapes_and_layers_that_are_shared():
    """20 weights with two slots, gradients and copies; 4 numbers in and 8 out of a layer that is called twice."""
    shared, first = layers.Dense(4), keras.Input((None, 4))
    model = keras.Model(first, shared(shared(first)))
    of_a_replica = 4 * (20 * 2 * (2 + 2) + 3 * (4 + 8) * 1000)
    for fit in (1, 3):
        memory = fit * of_a_replica * at_once(model)
        shared = {"slots": 2, "batch_size": 32, "replicas": 10, "at_once": at_once(model)}
        assert largest_chunk(model, memory=memory, **shared) == fit
        assert largest_chunk(model, memory=memory - 1, **shared) == max(1, fit - 1)


@pytest.mark.skipif(backends.BACKEND != "tensorflow", reason="only TensorFlow warns")
@pytest.mark.parametrize("xla", [True, False])
def test_many_programs_are_not_taken_for_one_that_is_traced_again_and_again(xla, caplog):
    import tensorflow as tf

    def adding(k):
        return lambda x: x + k

    tf.get_logger().addHandler(caplog.handler)
    try:
        for k in range(6):
            program = backends.compiled(adding(k), xla)
            assert [float(program(np.float32(x))) for x in (1, 2)] == [1 + k, 2 + k]
    finally:
        tf.get_logger().removeHandler(caplog.handler)
    assert not caplog.records
