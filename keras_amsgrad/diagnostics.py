"""What an optimizer does to each layer: effective step sizes, their change, gradient and update norms."""

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_amsgrad.checks import number
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.optimizers import RuleOptimizer
from keras_amsgrad.optimizers.settings import Numbers, at_step
from keras_amsgrad.rules import Tensor

Logs = dict[str, float]
Row = dict[str, Any]
QUANTILES = {"step_size_q05": 0.05, "step_size_q50": 0.5, "step_size_q95": 0.95}
QUANTITIES = (*QUANTILES, "negative_gamma", "gradient_norm", "update_norm")
ROOTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "velocity_max": np.sqrt,
    "velocity": np.sqrt,
    "norm": np.asarray,
    "variance": np.sqrt,
}


def inverse_step_size(v_root: np.ndarray, alpha: float, epsilon: float) -> np.ndarray:
    """Return `(sqrt(V) + epsilon) / alpha`, the inverse of the effective step size of each weight."""
    return (v_root + epsilon) / alpha


def gamma(inverse_before: np.ndarray, inverse_after: np.ndarray) -> np.ndarray:
    """Return `Gamma_t = sqrt(V_t) / alpha_t - sqrt(V_{t-1}) / alpha_{t-1}` (Reddi, Kale and Kumar 2018, section 3).

    Convergence proofs need it to be >= 0. It is for AMSGrad where the step size does not grow; Adam makes it negative
    whenever it forgets a large gradient.

    >>> gamma(np.array([1.0, 2.0]), np.array([1.5, 1.0]))
    array([ 0.5, -1. ])
    """
    return inverse_after - inverse_before


def regret(losses: ArrayLike, best: ArrayLike) -> np.ndarray:
    """Return the regret after every step, `R_T = sum of f_t(x_t) - sum of f_t(x*)`, of losses (steps,) each.

    >>> regret(np.array([3.0, 2.0, 1.0]), np.array([1.0, 1.0, 1.0]))
    array([2., 3., 3.])
    """
    return np.cumsum(np.asarray(losses) - np.asarray(best))


def gradient_of(m_before: np.ndarray, m_after: np.ndarray, beta_1: float) -> np.ndarray:
    """Return the gradient that moved `m <- beta_1 m + (1 - beta_1) g`."""
    return m_before + (m_after - m_before) / (1 - beta_1)


def tail_index(values: ArrayLike, share: float = 0.01) -> float:
    """Return Hill's estimate of the tail index of the absolute `values`, any shape, from the largest `share` of them.

    Where P(|x| > s) falls like s^-a for large s, this is a: the smaller, the heavier the tail. With the k + 1 largest
    values x_0 >= ... >= x_k it is k / sum of log(x_i / x_k). NaN where that share is less than one value, or all are 0.
    Source: Hill 1975, https://doi.org/10.1214/aos/1176343247.

    >>> heavy, light = (np.random.default_rng(0).standard_t(freedom, 100_000) for freedom in (2, 20))
    >>> round(tail_index(heavy), 1), round(tail_index(light), 1)
    (2.0, 7.7)
    """
    sizes = np.abs(np.asarray(values, "float64").ravel())
    k = int(share * len(sizes))
    if k < 1:
        return np.nan
    largest = np.partition(sizes, -k - 1)[-k - 1 :]
    excess = float(np.log(largest[1:] / largest[0]).sum()) if largest[0] > 0 else 0.0
    return k / excess if excess > 0 else np.nan


class Snapshot:
    """Weights, first moments and inverse step sizes of an optimizer, as NumPy arrays, after some update."""

    def __init__(self, optimizer: RuleOptimizer) -> None:
        slot = next(name for name in ROOTS if name in optimizer.slots)
        numbers = step_settings(optimizer)
        self.beta_1, self.t = number_of(numbers["beta_1"]), int(optimizer.iterations)
        self.weights = arrays(keras_internals.weights(optimizer))
        self.moments = arrays(slots_of(optimizer, "momentum"))
        roots = [ROOTS[slot](v) for v in arrays(slots_of(optimizer, slot))]
        epsilon = number_of(numbers["epsilon"])
        if "rectified" in numbers and not number_of(numbers["rectified"]):  # RAdam, whose first steps are not adaptive
            roots, epsilon = [np.ones_like(root) for root in roots], 0.0
        alphas = [number_of(optimizer.alpha_of(i, numbers)) for i in range(len(roots))]
        pairs = zip(roots, alphas, strict=True) if self.t else ()
        self.inverses = [inverse_step_size(root, alpha, epsilon) for root, alpha in pairs]


def slots_of(optimizer: RuleOptimizer, name: str) -> list[Tensor]:
    return optimizer._slots[optimizer.slots.index(name)]


def arrays(variables: Iterable[Tensor]) -> list[np.ndarray]:
    return [np.asarray(ops.convert_to_numpy(ops.cast(variable, "float32")), "float64") for variable in variables]


def number_of(x: Tensor) -> float:
    return float(ops.convert_to_numpy(x))


def step_settings(optimizer: RuleOptimizer) -> Numbers:
    """Return the numbers of the last update, with the correction in the step size."""
    step = optimizer.iterations - 1
    alpha = keras_internals.learning_rate(optimizer)
    is_schedule = isinstance(alpha, keras.optimizers.schedules.LearningRateSchedule)
    alpha = alpha(step) if is_schedule else optimizer.learning_rate
    beta_1, beta_2 = (at_step(beta, step) for beta in (optimizer._beta_1, optimizer._beta_2))
    c_1, c_2 = optimizer._beta_1_product.one_minus(), optimizer._beta_2_product.one_minus()
    t = ops.cast(optimizer.iterations, c_1.dtype)
    return optimizer.hyperparameters(
        alpha=alpha, beta_1=beta_1, beta_2=beta_2, epsilon=optimizer.epsilon, c_1=c_1, c_2=c_2, t=t
    )


def layers_of(optimizer: RuleOptimizer) -> dict[str, list[int]]:
    """Return {layer: indices of its weights}, by the weights' paths."""
    layers: dict[str, list[int]] = {}
    for i, variable in enumerate(keras_internals.weights(optimizer)):
        layers.setdefault(variable.path.rpartition("/")[0], []).append(i)
    return layers


def measure(before: Snapshot, after: Snapshot, indices: list[int]) -> dict[str, float]:
    """Return {quantity: value} of the weights `indices` over the one update between two snapshots."""
    inverse = joined(after.inverses, indices)
    gradients = [gradient_of(before.moments[i], after.moments[i], after.beta_1) for i in indices]
    change = np.nan
    if before.inverses:
        change = float(np.mean(gamma(joined(before.inverses, indices), inverse) < 0))
    steps = dict(zip(QUANTILES, np.quantile(1 / inverse, list(QUANTILES.values())), strict=True))
    return {
        **{name: float(value) for name, value in steps.items()},
        "negative_gamma": change,
        "gradient_norm": float(np.linalg.norm(joined(gradients, range(len(indices))))),
        "update_norm": float(np.linalg.norm(joined(after.weights, indices) - joined(before.weights, indices))),
    }


def joined(values: Sequence[np.ndarray], indices: Iterable[int]) -> np.ndarray:
    return np.concatenate([values[i].ravel() for i in indices])


class OptimizerMonitor(keras.callbacks.Callback):
    """Record what the optimizer does to each layer, once per epoch or every few updates.

    For every layer: quantiles of the effective step size `alpha / (sqrt(V) + epsilon)`, the share of weights whose
    inverse step size shrank in this update (`negative_gamma`, see `gamma`; NaN at the first update), and the norms of
    the gradient, as the optimizer took it after clipping, and of the update. `rows` holds one dictionary per layer and
    record; the last record of an epoch also goes to `history`, the progress bar and callbacks that come later, as
    `keras.callbacks.TensorBoard`: six numbers for each layer, called `layer/quantity`.

    Bias correction makes alpha itself grow at first: compare rules with `bias_correction=False`.

    Args:
        every: Record every so many updates, an integer >= 1; None for once per epoch, at its last update (its first
            where Keras cannot know how many there are).
        csv: Path of a CSV file to write the rows to, or None.
        tensorboard: Folder for TensorBoard scalars over the updates, or None; below that of Keras's `TensorBoard` they
            are a run of their own. Needs TensorFlow, on any backend.
        logs: Whether the last record of an epoch goes to `history`, the progress bar and callbacks that come later.

    Raises:
        ValueError: `every` is out of range, or the model's training cannot be observed update by update.

    >>> import keras_amsgrad
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(keras_amsgrad.AMSGrad(bias_correction=False), "mse")
    >>> monitor = OptimizerMonitor()
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), batch_size=2, epochs=2, verbose=0, callbacks=[monitor])
    >>> [row["negative_gamma"] for row in monitor.rows]
    [0.0, 0.0]
    """

    def __init__(
        self,
        every: int | None = None,
        csv: str | os.PathLike[str] | None = None,
        tensorboard: str | os.PathLike[str] | None = None,
        logs: bool = True,
    ) -> None:
        super().__init__()
        if every is not None:
            number("every", every, "an integer >= 1 or None", lambda x: x >= 1 and x == int(x))
        self.every, self.csv, self.tensorboard, self.logs = every, csv, tensorboard, logs
        self.rows: list[Row] = []
        self._epoch, self._last = 0, Logs()
        self._before: Snapshot | None = None

    def _optimizer(self) -> RuleOptimizer:
        return getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        optimizer = self._optimizer()
        if not isinstance(optimizer, RuleOptimizer):
            raise ValueError(
                f"OptimizerMonitor reads optimizers of keras_amsgrad. Received: {type(optimizer).__name__}. Compile "
                "the model with a class of this package, `keras_amsgrad.Adam(epsilon=1e-7)` for Keras's `Adam()` "
                "(docs/optimizers.md says which is which)."
            )
        if self.model.steps_per_execution != 1 or optimizer.gradient_accumulation_steps:
            raise ValueError(
                "OptimizerMonitor needs one update per batch: `steps_per_execution=1` and no gradient accumulation."
            )
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        self._close_files: list[Callable[[], object]] = []
        self._write_row, self._write_scalars = self._open_csv(), self._open_tensorboard()

    def on_train_end(self, logs: Logs | None = None) -> None:
        for close in self._close_files:
            close()

    def _open_csv(self) -> Callable[[Row], object]:
        if self.csv is None:
            return lambda row: None
        # Open as long as training lasts; each row can be read at once, also where training breaks off.
        file = open(self.csv, "w", newline="", buffering=1)  # noqa: SIM115
        self._close_files.append(file.close)
        writer = csv.DictWriter(file, ["epoch", "update", "layer", *QUANTITIES])
        writer.writeheader()
        return writer.writerow

    def _open_tensorboard(self) -> Callable[[Row], object]:
        if self.tensorboard is None:
            return lambda row: None
        import tensorflow as tf

        writer = tf.summary.create_file_writer(str(self.tensorboard))
        self._close_files.append(writer.close)
        # As `tf.summary.scalar` does, which needs TensorBoard itself to be installed here only to write for it.
        scalars = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
        scalars.plugin_data.plugin_name = "scalars"

        def write(row: Row) -> None:
            with writer.as_default(step=row["update"]):
                for name in QUANTITIES:
                    tf.summary.write(f"{row['layer']}/{name}", np.float32(row[name]), metadata=scalars)

        return write

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch, self._last = epoch, {}

    def _due(self, batch: int) -> bool:
        if self.every is not None:
            return (int(self._optimizer().iterations) + 1) % self.every == 0
        steps = self.params.get("steps")
        return batch == (steps - 1 if steps else 0)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._before = None
        if self._due(batch):
            self._before = Snapshot(self._optimizer())

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._before is None:
            return
        after = Snapshot(self._optimizer())
        for layer, indices in layers_of(self._optimizer()).items():
            values = measure(self._before, after, indices)
            row = {"epoch": self._epoch, "update": after.t, "layer": layer, **values}
            self.rows.append(row)
            self._write_row(row)
            self._write_scalars(row)
            self._last.update({f"{layer}/{name}": value for name, value in values.items()})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.logs and logs is not None:
            logs.update(self._last)
