"""Loss and metrics of replicas, as Keras's `fit` measures them."""

import copy
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.rules import Tensor

MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")  # reductions, alike where rows have no weights
Sums = Any  # what was measured of some rows: a structure of tensors with the replicas on their first axis


class RowMeasures:
    """The loss and at most the accuracy, as sums over rows: the fast form.

    Args:
        loss: A loss that `is_by_row`.
        names: ("loss",), or ("loss", name of the accuracy).
    """

    variables: tuple[np.ndarray, ...] = ()
    evaluation_rows: int | None = 1000  # rows in one step of an evaluation; None: as many as Keras takes

    def __init__(self, loss: keras.losses.Loss, names: tuple[str, ...]) -> None:
        self.loss, self.names = loss, names

    def start(self, count: int) -> Sums:
        """Return what is measured of no rows by `count` replicas."""
        return {name: ops.zeros(count) for name in self.names}

    def state(self, sums: Sums) -> list[Tensor]:
        """Return the parts of `sums` that `of_one` needs."""
        return []

    def of_one(
        self, outputs: Tensor, y: Tensor, w: Tensor | None, penalty: Tensor, state: list[Tensor], training: bool
    ) -> Any:
        """Return what a batch gives for one replica with these outputs and this penalty of its weights."""
        return {"losses": _of_rows(self.loss, y, outputs), "penalty": penalty}

    def losses(self, forward: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch, (replicas,), from what `of_one` gave for all replicas."""
        return ops.mean(forward["losses"], 1) + forward["penalty"]

    def add(self, sums: Sums, forward: dict[str, Tensor], y: Tensor, losses: Tensor | None = None) -> Sums:
        """Return `sums` with a batch added; `losses` is its loss if that is known already."""
        rows = ops.cast(ops.shape(y)[0], forward["losses"].dtype)
        total = ops.sum(forward["losses"], 1) + forward["penalty"] * rows if losses is None else losses * rows
        new = {"loss": sums["loss"] + total}
        for name in self.names[1:]:
            new[name] = sums[name] + _right(forward["outputs"], y)
        return new

    def means(self, sums: Sums, rows: int) -> dict[str, np.ndarray]:
        """Return {name: (replicas,)}, what the history holds, from the sums over so many rows."""
        return {name: ops.convert_to_numpy(values).astype(float) / rows for name, values in sums.items()}


class KerasMeasures:
    """Any loss and metrics, in Keras's own stateless form: each replica has its own values of their variables.

    Args:
        model: The template, compiled for these metrics by `compile_metrics`.
        loss: An instance of `keras.losses.Loss`.
        names: The names of the loss and the metrics.
    """

    evaluation_rows = None

    def __init__(self, model: keras.Model, loss: keras.losses.Loss, names: tuple[str, ...]) -> None:
        self.model, self.loss, self.names = model, loss, names
        self.variables = tuple(ops.convert_to_numpy(variable) for variable in model.metrics_variables)
        self._compiled_results = backends.compiled(self._results, xla=False)

    def start(self, count: int) -> Sums:
        return [ops.convert_to_tensor(np.stack([value] * count)) for value in self.variables]

    def state(self, sums: Sums) -> list[Tensor]:
        return list(sums)

    def of_one(
        self, outputs: Tensor, y: Tensor, w: Tensor | None, penalty: Tensor, state: list[Tensor], training: bool
    ) -> Any:
        loss = self.loss(y, outputs, w) + penalty
        if training and backends.BACKEND == "jax":  # where `fit` loses the mask of the outputs between loss and metrics
            outputs = outputs + 0
        with self._holding(state) as scope:
            tracker, *metrics = self.model.metrics
            tracker.update_state(loss, sample_weight=ops.shape(y)[0])
            for metric in metrics:
                metric.update_state(y, outputs, w)
        return {"loss": loss, "measured": [scope.get_current_value(v) for v in self.model.metrics_variables]}

    def losses(self, forward: dict[str, Tensor]) -> Tensor:
        return forward["loss"]

    def add(self, sums: Sums, forward: dict[str, Tensor], y: Tensor, losses: Tensor | None = None) -> Sums:
        return forward["measured"]

    def means(self, sums: Sums, rows: int) -> dict[str, np.ndarray]:
        return {name: ops.convert_to_numpy(values) for name, values in self._compiled_results(sums).items()}

    def _results(self, sums: Sums) -> dict[str, Tensor]:
        def one(state: list[Tensor]) -> dict[str, Tensor]:
            with self._holding(state):
                return self.model.get_metrics_result()

        return backends.over_replicas(one, sums, sums[0].shape[0])

    def _holding(self, state: list[Tensor]) -> keras.StatelessScope:
        """Return a scope in which the metrics' variables have the values of one replica."""
        return keras.StatelessScope(list(zip(self.model.metrics_variables, state, strict=True)))


Measures = RowMeasures | KerasMeasures


def measures_of(
    model: keras.Model, loss: Any, metrics: Any, weighted_metrics: Any, y: Tensor, weighted: bool, monitored: bool
) -> Measures:
    """Return what `fit` measures of a model that is compiled with this loss and these metrics.

    Args:
        metrics: As `compile` takes them; None: the accuracy for a cross-entropy, else nothing.
        y: All targets.
        weighted: Whether rows have weights.
        monitored: Whether callbacks ask `model.metrics` for the direction of a metric.
    """
    if loss is None or isinstance(loss, (list, tuple, dict)):
        raise UnsupportedError(f"`loss` must be a name, a function or a `keras.losses.Loss`. Received: {loss!r}")
    output = model.outputs[0]
    target = _specification(y[:2])
    resolved = keras_internals.loss(loss, target, output)
    if resolved.reduction not in (*MEANS, "sum"):
        raise UnsupportedError(f"`reduction` of the loss must give a number. Received: {resolved.reduction!r}")
    if metrics is None:
        metrics = ["accuracy"] if is_crossentropy(resolved) else []
    metrics = list(metrics) if isinstance(metrics, tuple) else metrics
    simple = metrics in ([], ["accuracy"], ["acc"]) and not weighted_metrics and not weighted
    simple = simple and is_by_row(resolved, y[:2], output)
    names: tuple[str, ...] = ()
    if monitored or not simple:
        names = compile_metrics(model, loss, metrics, weighted_metrics, target, weighted)
    return RowMeasures(resolved, ("loss", *metrics)) if simple else KerasMeasures(model, resolved, names)


def compile_metrics(
    model: keras.Model, loss: Any, metrics: Any, weighted_metrics: Any, target: keras.KerasTensor, weighted: bool
) -> tuple[str, ...]:
    """Compile a model with copies of metrics, and return the names in the history that its `fit` would give."""
    copies = _copies(metrics), _copies(weighted_metrics)
    model.compile(optimizer=None, loss=loss, metrics=copies[0], weighted_metrics=copies[1])
    outputs = keras.KerasTensor((2, *model.outputs[0].shape[1:]), model.outputs[0].dtype)
    weights = keras.KerasTensor((2,), "float32") if weighted else None
    logs = keras_internals.compute_output_spec(model.compute_metrics, None, target, outputs, weights)
    model.reset_metrics()
    return tuple(logs)


def _specification(y: Tensor) -> keras.KerasTensor:
    return keras.KerasTensor(tuple(y.shape), keras.backend.standardize_dtype(y.dtype))


def _copies(metrics: Any) -> Any:
    """Return copies of metrics, which keep what they measured so far in themselves."""
    try:
        copies = copy.deepcopy(metrics)
    except (TypeError, ValueError) as error:
        raise UnsupportedError(f"A metric cannot be copied for replicas: {error}") from error
    # Once scikeras is imported, the copy of a metric that is not registered with Keras is its name.
    for metric, copied in zip(keras.tree.flatten(metrics), keras.tree.flatten(copies), strict=True):
        if type(copied) is not type(metric):
            raise UnsupportedError(
                f"A metric cannot be copied for replicas: {type(metric).__name__} is not registered."
            )
    return copies


def is_crossentropy(loss: keras.losses.Loss) -> bool:
    """Return whether a loss is a cross-entropy, by its name.

    >>> is_crossentropy(keras.losses.CategoricalCrossentropy()), is_crossentropy(keras.losses.MeanSquaredError())
    (True, False)
    """
    return "crossentropy" in f"{loss.name} {getattr(getattr(loss, 'fn', None), '__name__', '')}"


def is_by_row(loss: keras.losses.Loss, y: Tensor, output: keras.KerasTensor) -> bool:
    """Return whether the loss of a batch is the mean of losses that each row has by itself.

    Keras's own losses are known; others are tried on the targets `y` of two rows.
    """
    if type(loss).__call__ is not keras.losses.Loss.__call__ or loss.reduction not in MEANS:
        return False
    if len(output.shape) != 2 or None in output.shape[1:] or getattr(output, "_keras_mask", None) is not None:
        return False
    function = getattr(loss, "fn", loss.call)
    if getattr(function, "__name__", "") == "circle":  # compares each row with the others of its batch
        return False
    if getattr(function, "__module__", "").startswith("keras."):
        target, outputs = _specification(y), keras.KerasTensor((y.shape[0], *output.shape[1:]), output.dtype)
        return len(keras_internals.compute_output_spec(functools.partial(_of_rows, loss), target, outputs).shape) == 1
    size = y.shape[0] * output.shape[1]
    outputs = ops.convert_to_tensor(np.linspace(0.1, 0.9, size, dtype="float32").reshape(-1, output.shape[1]))
    both, first = (np.asarray(ops.convert_to_numpy(_of_rows(loss, y[:n], outputs[:n]))) for n in (y.shape[0], 1))
    return both.shape[:1] == y.shape[:1] and both.ndim == 1 and np.allclose(both[:1], first, equal_nan=True)


def _of_rows(loss: keras.losses.Loss, y: Tensor, outputs: Tensor) -> Tensor:
    """Return the loss of each row of one replica, (rows,)."""
    return loss.call(_cast(y, loss.dtype), _cast(outputs, loss.dtype))


def _right(outputs: Tensor, y: Tensor) -> Tensor:
    """Return the sum of the accuracies of the rows, (replicas,), from outputs (replicas, rows, ...)."""
    count = outputs.shape[0]
    flat = _cast(ops.reshape(outputs, (-1, *outputs.shape[2:])), keras.config.floatx())
    targets = ops.tile(y, (count, *[1] * (len(y.shape) - 1)))
    return ops.sum(ops.reshape(_accuracy_function(y, outputs)(targets, flat), (count, -1)), 1)


def _accuracy_function(y: Tensor, outputs: Tensor) -> Callable[..., Tensor]:
    if outputs.shape[-1] == 1:
        return keras.metrics.binary_accuracy
    sparse = len(y.shape) < len(outputs.shape) - 1 or y.shape[-1] == 1
    return keras.metrics.sparse_categorical_accuracy if sparse else keras.metrics.categorical_accuracy


def _cast(values: Tensor, dtype: str) -> Tensor:
    """Return values in the type in which `fit` measures them; under mixed precision outputs have another one."""
    return values if keras.backend.standardize_dtype(values.dtype) == dtype else ops.cast(values, dtype)
