"""The monitor sees on a real model what the theory says on paper."""

import csv
import importlib.util

import keras
import numpy as np
import pytest

from keras_amsgrad import Adam, AdaMax, AMSGrad, OptimizerMonitor
from keras_amsgrad.diagnostics import QUANTITIES
from tests.models import OPTIMIZERS, arrays, classes, dense_model

X, Y = classes()


def monitored(optimizer, monitor=None):
    """Train with batches that differ a thousandfold in scale, and return the monitor and the history."""
    monitor = monitor or OptimizerMonitor(every=1)
    model = dense_model(optimizer)
    scales = np.repeat([100.0, 1.0, 0.1, 0.1], 16)[:, None]
    history = model.fit(X * scales, Y, batch_size=16, epochs=3, shuffle=False, verbose=0, callbacks=[monitor])
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
    original = AMSGrad._next

    def noted(self, grads, *arguments):
        norms.append([float(np.sqrt(sum((g**2).sum() for g in arrays(grads[i : i + 2])))) for i in (0, 2)])
        return original(self, grads, *arguments)

    model.compile(AMSGrad(0.01), model.loss, run_eagerly=True)
    monitor = OptimizerMonitor(every=1)
    if keras.backend.backend() == "jax":
        pytest.skip("gradients cannot be seen outside of JAX's step; the other backends check the same code")
    AMSGrad._next = noted
    try:
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[monitor])
    finally:
        AMSGrad._next = original
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


def test_rows_can_be_read_while_training_goes_on(tmp_path):
    path, seen = tmp_path / "rows.csv", []
    reader = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(len(path.read_text().splitlines()))
    )
    monitor = OptimizerMonitor(every=1, csv=path)
    dense_model(AMSGrad(0.01)).fit(X, Y, batch_size=32, verbose=0, callbacks=[monitor, reader])
    assert seen == [1 + 2, 1 + 4]


def scalars(folder):
    """Return what TensorBoard shows of the event files in a folder: {(tag, step): value}."""
    tf = pytest.importorskip("tensorflow")
    found = {}
    for record in tf.data.TFRecordDataset([str(path) for path in folder.glob("events.*")]):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "scalars":
                found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_tensorboard_shows_every_quantity_over_the_updates(tmp_path):
    pytest.importorskip("tensorflow")
    monitor, _ = monitored(AMSGrad(0.01), monitor=OptimizerMonitor(every=2, tensorboard=tmp_path))
    shown = scalars(tmp_path)
    assert {step for _, step in shown} == {2, 4, 6, 8, 10, 12}
    expected = {(f"{row['layer']}/{name}", row["update"]): row[name] for row in monitor.rows for name in QUANTITIES}
    assert shown == pytest.approx(expected, rel=1e-6)


def test_kerass_tensorboard_shows_what_a_monitor_before_it_logs(tmp_path, monkeypatch):
    summary = pytest.importorskip("tensorflow.summary")
    if importlib.util.find_spec("tensorboard") is None:  # from which its `scalar` comes
        monkeypatch.setattr(summary, "scalar", written)
    monitor, board = OptimizerMonitor(), keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    dense_model(AMSGrad(0.01)).fit(X, Y, epochs=2, verbose=0, callbacks=[monitor, board])
    shown = scalars(tmp_path / "train")
    assert len(monitor.rows) == 4
    for row in monitor.rows:
        for name in QUANTITIES:
            assert shown[f"epoch_{row['layer']}/{name}", row["epoch"]] == pytest.approx(row[name], rel=1e-6)
    assert ("epoch_loss", 1) in shown


def written(tag, value, step):
    import tensorflow as tf

    scalar = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
    scalar.plugin_data.plugin_name = "scalars"
    tf.summary.write(tag, np.float32(value), step, metadata=scalar)


@pytest.mark.parametrize("logs", [True, False])
def test_the_progress_bar_and_history_show_the_numbers_only_where_they_are_logged(logs, capsys):
    model, monitor = dense_model(AMSGrad(0.01)), OptimizerMonitor(logs=logs)
    history = model.fit(X, Y, verbose=2, callbacks=[monitor]).history
    assert ("update_norm" in capsys.readouterr().out) == logs
    assert any("update_norm" in name for name in history) == logs
    assert len(monitor.rows) == 2


@pytest.mark.parametrize(
    ("optimizer", "arguments", "said"),
    [
        (keras.optimizers.Adam(), {}, r"reads optimizers of keras_amsgrad\. Received: Adam\. Compile the model with"),
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
