"""A replica that continues an outcome with fewer epochs ends as if it had been trained from the beginning."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import callbacks, layers

from keras_amsgrad import AMSGrad, InverseSqrtDecay
from keras_amsgrad.replicas import Outcome, Replica, train
from keras_amsgrad.replicas.chunk_training import TrainingOptions
from tests.fits import BATCH, TRAINING, VALIDATION, digits, logistic, network


def of_chance():
    return network(layers.BatchNormalization(momentum=0.5), layers.Dropout(0.3))


def scheduled(alpha):
    return AMSGrad(InverseSqrtDecay(alpha), use_ema=True, ema_overwrite_frequency=3)


def replicas_of(optimizers, seeds=(0,), validation=()):
    return [Replica(each, seed, TRAINING, validation, VALIDATION[:20]) for seed in seeds for each in optimizers]


def trained(model, replicas, epochs, **how):
    return train(model, replicas, *digits(), batch_size=BATCH, epochs=epochs, **how)


def continuing(replicas, outcomes):
    return [dataclasses.replace(each, start=start) for each, start in zip(replicas, outcomes, strict=True)]


def assert_close(mine, theirs, tolerance=1e-6):
    for one, other in zip(mine, theirs, strict=True):
        assert one.status == other.status
        assert one.history.keys() == other.history.keys()
        pairs = [*zip(one.history.values(), other.history.values(), strict=True)]
        pairs += zip([*one.weights, one.outputs], [*other.weights, other.outputs], strict=True)
        for found, expected in pairs:
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_weights_slots_schedules_averages_dropout_and_order_go_on_to_the_bit(monkeypatch):
    seen, rows = [], TrainingOptions.rows
    monkeypatch.setattr(TrainingOptions, "rows", lambda *of: seen.append((of[1].seed, of[2])) or rows(*of))
    replicas = replicas_of([scheduled(0.001), scheduled(0.1)], seeds=(0, 1))
    first = trained(of_chance, replicas, 1, resumable=True)
    mine = trained(of_chance, continuing(replicas, first), 3)
    assert sorted(seen) == [(seed, epoch) for seed in (0, 1) for epoch in range(3)]
    assert_close(mine, trained(of_chance, replicas, 3), tolerance=0)


def test_replicas_continue_whatever_trained_beside_them_and_for_how_long():
    """Those of one program end after different epochs; then some continue in others, beside one that begins."""
    replicas = replicas_of([AMSGrad(alpha) for alpha in (0.001, 0.003, 0.01, 0.03)])
    ends = [dataclasses.replace(each, epochs=epochs) for each, epochs in zip(replicas, (1, 2, 2, 1), strict=True)]
    first = trained(of_chance, ends, 2, resumable=True)
    mine = trained(of_chance, [replicas[2], *continuing(replicas[:2], first[:2])], 3)
    assert_close(mine, trained(of_chance, [replicas[2], *replicas[:2]], 3))


def test_callbacks_go_on_with_what_they_have_seen():
    plateau = callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.1, min_delta=0.2)
    every = [plateau, callbacks.EarlyStopping("val_loss", patience=2, min_delta=0.1)]
    replicas = replicas_of([AMSGrad(alpha) for alpha in (1e-5, 0.03, 1e38)], validation=VALIDATION)
    theirs = trained(logistic, replicas, 5, callbacks=every)
    again = replicas
    for epochs in (2, 3, 5):
        mine = trained(logistic, again, epochs, callbacks=every, resumable=True)
        again = continuing(replicas, mine)
    assert_close(mine, theirs)
    # The first one stops in the second round, at a rate that was reduced, because of what callbacks saw in the first.
    # In the third round it shares a program with one that goes on.
    assert [(each.status, each.epochs) for each in theirs] == [("stopped", 3), ("ok", 5), ("diverged", 1)]
    assert theirs[0].history["learning_rate"][2] < 5e-6 < theirs[0].history["learning_rate"][1]


def test_an_outcome_keeps_its_state_only_where_it_is_asked_for_and_sufficient():
    best = keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True)
    for how in ({}, {"resumable": True, "callbacks": [best]}):
        assert trained(logistic, replicas_of([AMSGrad()], validation=VALIDATION), 1, **how)[0].state is None


@pytest.mark.parametrize(("state", "epochs", "message"), [(None, 3, "no state, 2"), ({"t": 0}, 1, "a state, 2")])
def test_a_start_without_a_state_or_with_too_many_epochs_is_refused(state, epochs, message):
    start = Outcome("ok", {"loss": [2.0, 1.0]}, [], None, 0.0, state)
    with pytest.raises(ValueError, match=rf"at most the epochs of its replica \({epochs}\).*{message} epochs"):
        trained(logistic, continuing(replicas_of([AMSGrad()]), [start]), epochs)
