"""Which loss a network of a user's trains with, and whether its outputs suit that and the data."""

import dataclasses
from typing import Any

import keras
import numpy as np

from studies.catalog.metrics import MULTILABEL, OWN, OWN_OF_NUMBERS, SQUARED_ERROR
from studies.data.dataset import Dataset
from studies.errors import StudyError
from studies.networks import checks
from studies.networks.own import line_of
from studies.networks.parts import Parts, further_metrics, is_usual


def loss_for(
    name: str, model: keras.Model, data: Dataset, parts: Parts, from_logits: bool = False
) -> tuple[str, Parts]:
    """Return the name of the loss, and the parts that are left of the user's.

    A loss that a comparison has by itself gets its usual name; the user's own stays in the parts.

    Raises:
        StudyError: The model does not suit the data, the loss or the metrics.
    """
    outputs = checks.outputs_of(name, model, data.x_train)
    count = 1 if outputs.shape[1:] == (1,) else data.classes
    usual, logits = (True, from_logits) if parts.loss is None else is_usual(parts.loss, data.task, count)
    if from_logits and parts.loss is not None:
        raise StudyError("from_logits is for the usual loss: say it to the loss that you give, and leave it out here.")
    if data.task != "classification" and from_logits:
        raise StudyError(f"from_logits is for classes: leave it out, for these targets are {data.task}.")
    if data.one_hot and (not usual or parts.metrics):
        parts = dataclasses.replace(parts, loss=parts.loss or _one_hot_loss(from_logits), one_hot=True)
        usual = False
    if usual and not (logits and data.task == "multilabel"):
        found = _usual(name, model, outputs, data, logits)
        parts = dataclasses.replace(parts, loss=None)
    else:
        found = OWN_OF_NUMBERS if data.task == "regression" else OWN
        parts = dataclasses.replace(parts, threshold=_threshold(name, outputs, data))
    _check_measures(outputs, data, parts)
    return found, parts


def _usual(name: str, model: keras.Model, outputs: np.ndarray, data: Dataset, from_logits: bool) -> str:
    if data.task == "regression":
        checks.check_regression(name, model, outputs, data.y_train)
        return SQUARED_ERROR
    if data.task == "multilabel":
        checks.check_multilabel(name, model, outputs, data.y_train)
        return MULTILABEL
    if checks.check_classifier(name, model, outputs, data.classes, from_logits) == 1:
        return "logit_crossentropy" if from_logits else "sigmoid_crossentropy"
    return "logits_crossentropy" if from_logits else "sparse_categorical_crossentropy"


def _one_hot_loss(from_logits: bool) -> keras.losses.Loss:
    return keras.losses.CategoricalCrossentropy(from_logits=from_logits)


def _threshold(name: str, outputs: np.ndarray, data: Dataset) -> float:
    """Return above which an output is class 1, for a loss of the user's: of logits 0, of probabilities .5."""
    if data.task == "classification":
        checks.check_classes(name, outputs, data.classes)
    else:
        checks.check_shape(name, outputs, data.y_train.shape[1], "as many outputs as y_train has columns")
    return 0.0 if (outputs < 0).any() else Parts.threshold


def _check_measures(outputs: np.ndarray, data: Dataset, parts: Parts) -> None:
    """Raise StudyError where the user's loss or metrics fail on the first rows, or give no single number each."""
    y = data.y_train[: len(outputs)]
    y = keras.utils.to_categorical(y, data.classes) if parts.one_hot else y
    if parts.loss is not None:
        loss = _tried("loss", parts.loss, y, outputs)
        if loss.shape not in ((), (len(y),)):
            raise StudyError(f"The loss must give a number for each row, not the shape {loss.shape} for {len(y)} rows.")
        if (loss < 0).any():
            raise StudyError("The loss is negative, and losses are compared by their ratio: add a constant to it.")
    for metric in further_metrics(parts, "accuracy" if data.task == "classification" else ""):
        measured = keras.metrics.get(metric) if isinstance(metric, str) else metric
        number = _tried("metric", measured, y, outputs)
        if isinstance(measured, keras.metrics.Metric):
            measured.reset_state()
            if number.shape != ():
                raise StudyError(f"The metric {measured.name} must give one number, not the shape {number.shape}.")


def _tried(what: str, function: Any, y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    try:
        found = function() if isinstance(function, type) else function
        return keras.ops.convert_to_numpy(found(keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(outputs)))
    except Exception as error:  # the user's own code, or one of Keras for other targets
        called = getattr(function, "name", None) or getattr(function, "__name__", None) or type(function).__name__
        raise StudyError(f"The {what} {called} fails on the first rows: {line_of(error)}") from error
