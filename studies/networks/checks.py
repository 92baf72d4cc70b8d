"""Whether a model that a user brings takes the data and gives what its targets need: asked before anything trains."""

from typing import Any

import keras
import numpy as np

from studies.data.inputs import fed, first_rows
from studies.errors import StudyError, did_you_mean
from studies.networks.fingerprint import has_graph
from studies.networks.own import line_of


def check_classifier(
    name: str, model: keras.Model, outputs: np.ndarray, classes: int, from_logits: bool = False
) -> int:
    """Return the number of outputs (n, ...) of a model: `classes`, or one for two.

    Raises StudyError unless the outputs are probabilities, or logits where the model is said to end in these.
    """
    count = check_classes(name, outputs, classes)
    if count == 1 and _ends_in_softmax(model):
        raise StudyError(f"The output of {name} is always 1, as a softmax of one output is: end it in a sigmoid.")
    if count > 1:
        _check_probabilities(name, outputs, from_logits)
    elif from_logits and _ends_in_sigmoid(model):
        raise StudyError(f"The output of {name} is a probability already: leave out from_logits.")
    elif not from_logits and ((outputs < 0).any() or (outputs > 1).any()):
        raise StudyError(f"The output of {name} is not a probability: end it in a sigmoid, or say from_logits.")
    return count


def check_regression(name: str, model: keras.Model, outputs: np.ndarray, y: np.ndarray) -> None:
    """Raise StudyError unless the outputs of a model are numbers such as `y` (n, outputs)."""
    count = y.shape[1]
    way_out = f"end it in Dense({count}) without an activation, or give classes, whole numbers or names."
    check_shape(name, outputs, count, "as many outputs as y_train has numbers in a row", way_out)
    sums_to_one = count > 1 and np.allclose(outputs.sum(1), 1, atol=1e-3) and (outputs >= 0).all()
    if sums_to_one or _ends_in_softmax(model):
        raise StudyError(f"{name} ends in a softmax, and y_train holds numbers to predict: {way_out}")
    if _ends_in_sigmoid(model) and (y.min() < 0 or y.max() > 1):
        raise StudyError(
            f"{name} ends in a sigmoid, from 0 to 1, and y_train holds {y.min():g} to {y.max():g}: {way_out}"
        )


def check_multilabel(name: str, model: keras.Model, outputs: np.ndarray, y: np.ndarray) -> None:
    """Raise StudyError unless the outputs of a model are a probability for each of the labels of `y`, (n, labels)."""
    count = y.shape[1]
    way_out = f'end it in Dense({count}, activation="sigmoid").'
    check_shape(name, outputs, count, f"one output for each of the {count} labels", way_out)
    if _ends_in_softmax(model):
        raise StudyError(f"{name} ends in a softmax, and rows of y_train have several labels or none: {way_out}")
    if (outputs < 0).any() or (outputs > 1).any():
        raise StudyError(f"The outputs of {name} are not probabilities: {way_out}")


def check_classes(name: str, outputs: np.ndarray, classes: int) -> int:
    """Return the number of outputs; raise StudyError unless it is `classes`, or one for two."""
    count = 1 if classes == 2 and outputs.shape[1:] == (1,) else classes
    check_shape(name, outputs, count, f"one output for each of the {classes} classes")
    return count


def check_shape(name: str, outputs: np.ndarray, count: int, asked: str, way_out: str = "") -> None:
    """Raise StudyError unless the outputs (n, ...) are (n, count), which `asked` says in words."""
    if outputs.shape[1:] != (count,):
        shape = ", ".join(map(str, [None, *outputs.shape[1:]]))
        end = f": {way_out}" if way_out else "."
        raise StudyError(f"{name} must end in {asked}, (None, {count}), not in ({shape}){end}")


def _check_probabilities(name: str, outputs: np.ndarray, from_logits: bool) -> None:
    sums_to_one = np.allclose(outputs.sum(1), 1, atol=1e-3) and (outputs >= 0).all()
    if not sums_to_one and not from_logits:
        raise StudyError(f"The outputs of {name} are not probabilities: end it in a softmax, or say from_logits.")
    if sums_to_one and from_logits:
        raise StudyError(f"The outputs of {name} are probabilities already: leave out from_logits.")


def _ends_in_softmax(model: keras.Model) -> bool:
    return _ends_in(model, keras.layers.Softmax, keras.activations.softmax)


def _ends_in_sigmoid(model: keras.Model) -> bool:
    return _ends_in(model, (), keras.activations.sigmoid)


def _ends_in(model: keras.Model, kind: Any, activation: Any) -> bool:
    """Return whether the last layer of a Sequential or functional model is of a kind, or has an activation."""
    if not has_graph(model) or not model.layers:
        return False
    last = model.layers[-1]
    return isinstance(last, kind) or getattr(last, "activation", None) is activation


def outputs_of(name: str, model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Return the outputs for the first rows of `x`; raise StudyError unless the model takes them, and gives one array.

    Several inputs are a structured array, see `studies.data.inputs`.
    """
    if has_graph(model):  # not of a subclass of Model, which calls its layers as it likes
        _check_inputs(name, model, fed(x))
    try:
        outputs = model(first_rows(x))
    except Exception as error:  # whatever its layers and the backend do
        raise StudyError(f"{name} fails on the first rows of x_train: {line_of(error)}") from error
    if not keras.ops.is_tensor(outputs):
        raise StudyError(f"{name} must have one output, not {len(keras.tree.flatten(outputs))}.")
    return keras.ops.convert_to_numpy(outputs)


def _check_inputs(name: str, model: keras.Model, x: Any) -> None:
    """Raise StudyError unless the inputs of a model are those given: an array, or a dictionary or list of arrays."""
    inputs = {tensor.name: tensor for tensor in model.inputs}
    if not isinstance(model, keras.Sequential) and isinstance(model.input, dict):
        inputs = model.input
    if not isinstance(x, (dict, list)):
        if len(inputs) != 1:
            raise StudyError(
                f"{name} has {len(inputs)} inputs: x_train must be a dictionary of arrays with the names "
                f"{', '.join(inputs)}, or a list of as many arrays, not one array."
            )
        _check_input(name, model, "x_train", model.inputs[0], x)
        return
    if len(x) != len(inputs):
        raise StudyError(f"{name} has {len(inputs)} input{'s' * (len(inputs) > 1)}, and x_train {len(x)}.")
    if isinstance(x, list):
        x = {str(k): part for k, part in enumerate(x)}
        inputs = dict(zip(x, inputs.values(), strict=True))
    for key, part in x.items():
        if key not in inputs:
            near = did_you_mean(key, inputs) or "."
            raise StudyError(f"{name} has no input {key}; its inputs are {', '.join(inputs)}{near}")
        _check_input(name, model, f"x_train[{key!r}]", inputs[key], part)


def _check_input(name: str, model: keras.Model, given: str, tensor: keras.KerasTensor, x: np.ndarray) -> None:
    expected = tuple(tensor.shape[1:])
    fits = len(expected) == x.ndim - 1 and all(e in (None, n) for e, n in zip(expected, x.shape[1:], strict=True))
    if not fits:
        raise StudyError(f"{name} takes rows of shape {expected}; those of {given} have shape {x.shape[1:]}.")
    for layer in model.layers:
        if isinstance(layer, keras.layers.Embedding) and layer.input is tensor:
            _check_tokens(name, layer.input_dim, given, x)


def _check_tokens(name: str, size: int, given: str, x: np.ndarray) -> None:
    if x.min() < 0 or x.max() >= size:
        raise StudyError(f"The Embedding of {name} takes 0 to {size - 1}; {given} holds {x.min()} to {x.max()}.")
