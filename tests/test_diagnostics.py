"""The monitor sees on a real model what the theory says on paper."""

import csv

import keras
import numpy as np
import pytest

from keras_amsgrad import Adam, AdaMax, AMSGrad, OptimizerMonitor
from tests.models import OPTIMIZERS, arrays, classes, dense_model

X, Y = classes()


def monitored(optimizer, epochs=3, monitor=None, **arguments):
    """Train with batches that differ a thousandfold in scale, and return the monitor and the history."""
    monitor = monitor or OptimizerMonitor(every=1)
    model = dense_model(optimizer)
    scales = np.repeat([100.0, 1.0, 0.1, 0.1], 16)[:, None]
    history = model.fit(
        X * scales, Y, batch_size=16, epochs=epochs, shuffle=False, verbose=0, callbacks=[monitor], **arguments
    )
    return monitor, history.history


def test_adams_inverse_step_size_shrinks_and_amsgrads_never():
    shares = {}
    for cls in (Adam, AMSGrad):
        monitor, _ = monitored(cls(0.01, bias_correction=False))
        shares[cls] = [row["negative_gamma"] for row in monitor.rows if row["update"] > 1]
    assert len(shares[Adam]) == 22
    assert np.mean(shares[Adam]) > 0.1
    assert max(shares[AMSGrad]) == 0


def test_the_quantities_are_those_of_the_update():
    """One update by hand: with betas of 0, V is the squared gradient, and every weight moves by alpha."""
    model, monitor = dense_model(Adam(0.01, beta_1=0.0, beta_2=0.0, epsilon=1e-12)), OptimizerMonitor()
    before = arrays(model.weights)
    model.fit(X, Y, batch_size=64, verbose=0, callbacks=[monitor])
    moved = [after - start for after, start in zip(arrays(model.weights), before, strict=True)]
    for row, change in zip(monitor.rows, (moved[:2], moved[2:]), strict=True):
        assert row["update_norm"] == pytest.approx(np.sqrt(sum((w**2).sum() for w in change)), rel=1e-4)
        assert row["update_norm"] == pytest.approx(0.01 * np.sqrt(sum(w.size for w in change)), rel=1e-3)
    slots = [np.sqrt(v).ravel() for v in arrays(model.optimizer._slots[1])]
    inverse = np.concatenate(slots[:2]) / 0.01
    assert monitor.rows[0]["step_size_q50"] == pytest.approx(np.median(1 / inverse), rel=1e-4)
    assert monitor.rows[0]["gradient_norm"] == pytest.approx(0.01 * np.linalg.norm(inverse), rel=1e-4)
    assert np.isnan(monitor.rows[0]["negative_gamma"])


def test_the_gradient_norm_is_the_gradients():
    norms, model = [], dense_model(AMSGrad(0.01))
    original = AMSGrad._settings

    def noted(self, grads, *arguments):
        norms.append([float(np.sqrt(sum((g**2).sum() for g in arrays(grads[i : i + 2])))) for i in (0, 2)])
        return original(self, grads, *arguments)

    model.compile(AMSGrad(0.01), model.loss, run_eagerly=True)
    monitor = OptimizerMonitor(every=1)
    if keras.backend.backend() == "jax":
        pytest.skip("gradients cannot be seen outside of JAX's step; the other backends check the same code")
    AMSGrad._settings = noted
    try:
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[monitor])
    finally:
        AMSGrad._settings = original
    seen = np.array([row["gradient_norm"] for row in monitor.rows]).reshape(-1, 2)
    np.testing.assert_allclose(seen, norms, rtol=1e-4)


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_every_optimizer_can_be_watched(cls):
    monitor, history = monitored(cls(0.01), monitor=OptimizerMonitor())
    assert [row["epoch"] for row in monitor.rows] == [0, 0, 1, 1, 2, 2]
    assert [row["update"] for row in monitor.rows] == [4, 4, 8, 8, 12, 12]
    for row in monitor.rows:
        assert 0 < row["step_size_q05"] <= row["step_size_q50"] <= row["step_size_q95"]
        assert row["gradient_norm"] > 0
        assert row["update_norm"] > 0
        name = f"{row['layer']}/negative_gamma"
        assert history[name][row["epoch"]] == row["negative_gamma"]


def test_a_csv_file_holds_the_rows(tmp_path):
    monitor, _ = monitored(AMSGrad(0.01), monitor=OptimizerMonitor(every=2, csv=tmp_path / "rows.csv"))
    with open(tmp_path / "rows.csv") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["update"]) for row in rows] == [2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12]
    assert [float(row["update_norm"]) for row in rows] == [row["update_norm"] for row in monitor.rows]


def test_tensorboard_scalars_are_written(tmp_path):
    pytest.importorskip("tensorflow")
    monitored(AMSGrad(0.01), monitor=OptimizerMonitor(tensorboard=tmp_path))
    (events,) = tmp_path.iterdir()
    assert b"negative_gamma" in events.read_bytes()


@pytest.mark.parametrize(
    ("optimizer", "arguments", "said"),
    [
        (keras.optimizers.Adam(), {}, r"reads optimizers of keras_amsgrad\. Received: Adam"),
        (AMSGrad(gradient_accumulation_steps=2), {}, "one update per batch"),
        (AdaMax(), {"steps_per_execution": 2}, r"one update per batch|must be 1 with the PyTorch"),
    ],
)
def test_what_cannot_be_watched_is_refused(optimizer, arguments, said):
    with pytest.raises(ValueError, match=said):
        dense_model(optimizer, **arguments).fit(X, Y, verbose=0, callbacks=[OptimizerMonitor()])


def test_every_must_be_a_whole_number():
    with pytest.raises(ValueError, match=r"`every` must be an integer >= 1.*0\.5"):
        OptimizerMonitor(every=0.5)
