"""What a user chooses beside the network and the optimizer: loss, metrics, callbacks."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from keras_amsgrad.internals import keras as keras_internals
from studies.errors import StudyError

# Losses that a comparison has by itself, by the classes of Keras: (what y_train asks for, the number of outputs is 1).
USUAL = {
    keras.losses.SparseCategoricalCrossentropy: ("classification", False),
    keras.losses.CategoricalCrossentropy: ("classification", False),
    keras.losses.BinaryCrossentropy: ("classification", True),
    keras.losses.MeanSquaredError: ("regression", None),
}


@dataclass(frozen=True, eq=False)
class Parts:
    """What a comparison is told beside the network; by default nothing.

    Attributes:
        loss: A Keras loss: a name, a function or an instance; None for the usual one.
        metrics: Further Keras metrics, each of which gives one number.
        callbacks: Of `fit`. Every fit has copies of its own.
        one_hot: Whether loss and metrics get classes one-hot.
        threshold: Above which a single output is class 1.
    """

    loss: Any = None
    metrics: tuple[Any, ...] = ()
    callbacks: tuple[keras.callbacks.Callback, ...] = ()
    one_hot: bool = False
    threshold: float = 0.5

    def pieces(self) -> dict[str, Any]:
        """Return what differs from the default, by name: it belongs to the identity of a network."""
        usual = Parts()
        return {name: value for name, value in vars(self).items() if value != getattr(usual, name)}

    def new_callbacks(self) -> list[keras.callbacks.Callback]:
        return [copy.deepcopy(each) for each in self.callbacks]


def parts_of(
    model: keras.Model, loss: Any = None, metrics: Sequence[Any] | None = None, callbacks: Sequence[Any] | None = None
) -> Parts:
    """Return the `Parts` that a user gives; loss and metrics that are not given are those of a compiled model.

    Raises:
        StudyError: What is no loss, metric or callback of Keras.
    """
    if model.compiled:
        loss = model.loss if loss is None else loss
        compiled = [each for part in keras_internals.compiled_metrics(model) for each in keras.tree.flatten(part or [])]
        metrics = compiled if metrics is None else metrics
    return Parts(_loss(loss), tuple(map(_metric, _listed("metrics", metrics))), _callbacks(callbacks))


def _loss(given: Any) -> Any:
    if given is None:
        return None
    if isinstance(given, (list, tuple, dict)):
        raise StudyError(f"The loss must be one of Keras, for one output, not a {type(given).__name__}.")
    return _found("loss", keras.losses.get, given)


def _metric(given: Any) -> Any:
    found = _found("metric", keras.metrics.get, given) if isinstance(given, str) and not _is_accuracy(given) else given
    if not callable(found) and not isinstance(found, (str, keras.metrics.Metric)):
        raise StudyError(f"metrics must hold metrics of Keras, names or functions, not {given!r:.60}.")
    return given if isinstance(given, str) else found


def _found(what: str, get: Any, given: Any) -> Any:
    try:
        found = get(given)
    except (ValueError, TypeError):
        found = None
    if not callable(found):
        way_out = f"give a name of its {what}s, a function or an object."
        raise StudyError(f"There is no {what} {given!r:.60} in Keras: {way_out}")
    return found


def _listed(name: str, given: Any) -> Sequence[Any]:
    if given is None:
        return ()
    if not isinstance(given, (list, tuple)):
        raise StudyError(f"{name} must be a list, not {given!r:.60}.")
    return given


def _callbacks(given: Any) -> tuple[keras.callbacks.Callback, ...]:
    for each in _listed("callbacks", given):
        if not isinstance(each, keras.callbacks.Callback):
            raise StudyError(f"callbacks must hold objects of keras.callbacks.Callback, not {each!r:.60}.")
        try:
            copy.deepcopy(each)
        except Exception as error:  # whatever the callback holds
            raise StudyError(
                f"{type(each).__name__} cannot be copied, and every fit needs one of its own: {error}"
            ) from error
    return tuple(given or ())


def _is_accuracy(metric: Any) -> bool:
    return isinstance(metric, str) and metric in ("accuracy", "acc")


def further_metrics(parts: Parts, score: str) -> list[Any]:
    """Return the metrics to measure beside a score that is measured in any case."""
    return [each for each in parts.metrics if score != "accuracy" or not _is_accuracy(each)]


def is_usual(loss: Any, task: str, outputs: int) -> tuple[bool, bool]:
    """Return whether a loss is the one that a comparison has by itself, and whether it takes logits.

    >>> is_usual(keras.losses.get("mse"), "regression", 1)
    (True, False)
    >>> is_usual(keras.losses.SparseCategoricalCrossentropy(from_logits=True), "classification", 3)
    (True, True)
    >>> is_usual(keras.losses.CategoricalCrossentropy(label_smoothing=0.1), "classification", 3)
    (False, False)
    """
    for kind, (of_task, single) in USUAL.items():
        of_task = "multilabel" if of_task == "classification" and single and outputs > 1 else of_task
        if of_task != task or single not in (None, outputs == 1, task == "multilabel"):
            continue
        if loss is kind().fn or loss is kind:
            return True, False
        if type(loss) is kind:
            logits = bool(getattr(loss, "from_logits", False))
            plain = kind(from_logits=logits) if logits else kind()
            if _settings(loss) == _settings(plain):
                return True, logits
    return False, False


def _settings(loss: keras.losses.Loss) -> dict[str, Any]:
    return {name: value for name, value in loss.get_config().items() if name not in ("name", "dtype")}
