"""Whether a model that a user brings takes the data and gives what its targets need: asked before anything trains."""

import keras
import numpy as np

from studies.errors import StudyError
from studies.networks.own import built, line_of

ROWS = 32  # that show whether a model takes the data


def check_classifier(name: str, x: np.ndarray, classes: int, from_logits: bool = False) -> int:
    """Return the number of outputs of a model that takes rows of `x` (n, ...): `classes`, or one sigmoid for two.

    Raises StudyError unless the outputs are probabilities, or logits where the model is said to end in these.
    """
    model = _of_one_output(name, x)
    count = 1 if classes == 2 and model.output_shape == (None, 1) else classes
    if model.output_shape != (None, count):
        raise StudyError(
            f"{name} must end in one output for each of the {classes} classes, (None, {classes}), "
            f"not in {model.output_shape}."
        )
    if count == 1:
        _check_one_output(name, model, from_logits)
    outputs = _outputs(name, model, x)
    if count > 1:
        _check_probabilities(name, outputs, from_logits)
    elif (outputs < 0).any() or (outputs > 1).any():
        raise StudyError(f"The output of {name} is not a probability: end it in a sigmoid.")
    return count


def check_regression(name: str, x: np.ndarray, y: np.ndarray) -> None:
    """Raise StudyError unless a model takes rows of `x` (n, ...) and predicts numbers such as `y` (n, outputs)."""
    model, count = _of_one_output(name, x), y.shape[1]
    way_out = f"end it in Dense({count}) without an activation, or give classes, whole numbers or names."
    _check_shape(name, model, count, "as many outputs as y_train has numbers in a row", way_out)
    outputs = _outputs(name, model, x)
    if np.allclose(outputs.sum(1), 1, atol=1e-3) and (outputs >= 0).all():
        raise StudyError(f"{name} ends in a softmax, and y_train holds numbers to predict: {way_out}")
    if getattr(model.layers[-1], "activation", None) is keras.activations.sigmoid and (y.min() < 0 or y.max() > 1):
        raise StudyError(
            f"{name} ends in a sigmoid, from 0 to 1, and y_train holds {y.min():g} to {y.max():g}: {way_out}"
        )


def check_multilabel(name: str, x: np.ndarray, y: np.ndarray) -> None:
    """Raise StudyError unless a model takes rows of `x` (n, ...) and gives a probability for each of the labels of `y`.

    `y` is (n, labels), 0 and 1.
    """
    model, count = _of_one_output(name, x), y.shape[1]
    way_out = f'end it in Dense({count}, activation="sigmoid").'
    _check_shape(name, model, count, f"one output for each of the {count} labels", way_out)
    if _ends_in_softmax(model):
        raise StudyError(f"{name} ends in a softmax, and rows of y_train have several labels or none: {way_out}")
    outputs = _outputs(name, model, x)
    if (outputs < 0).any() or (outputs > 1).any():
        raise StudyError(f"The outputs of {name} are not probabilities: {way_out}")


def _check_shape(name: str, model: keras.Model, count: int, asked: str, way_out: str) -> None:
    if model.output_shape != (None, count):
        raise StudyError(f"{name} must end in {asked}, (None, {count}), not in {model.output_shape}: {way_out}")


def _check_probabilities(name: str, outputs: np.ndarray, from_logits: bool) -> None:
    sums_to_one = np.allclose(outputs.sum(1), 1, atol=1e-3) and (outputs >= 0).all()
    if not sums_to_one and not from_logits:
        raise StudyError(f"The outputs of {name} are not probabilities: end it in a softmax, or say from_logits.")
    if sums_to_one and from_logits:
        raise StudyError(f"The outputs of {name} are probabilities already: leave out from_logits.")


def _check_one_output(name: str, model: keras.Model, from_logits: bool) -> None:
    """Refuse a softmax of one output, and logits: Keras counts accuracy above .5, which is wrong for a logit."""
    if _ends_in_softmax(model):
        raise StudyError(f"The output of {name} is always 1, as a softmax of one output is: end it in a sigmoid.")
    if from_logits:
        raise StudyError(f"{name} has one output, which must be a probability: end it in a sigmoid, not in logits.")


def _ends_in_softmax(model: keras.Model) -> bool:
    last = model.layers[-1]
    return isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax


def _of_one_output(name: str, x: np.ndarray) -> keras.Model:
    """Return what a function builds; raise StudyError unless it has one output, and one input for rows of `x`."""
    model = built(name)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        counts = f"{len(model.inputs)} and {len(model.outputs)}"
        raise StudyError(f"{name} must have one input and one output, not {counts}.")
    _check_input(name, model, x)
    return model


def _outputs(name: str, model: keras.Model, x: np.ndarray) -> np.ndarray:
    try:
        return keras.ops.convert_to_numpy(model(x[:ROWS]))
    except Exception as error:  # whatever its layers and the backend do
        raise StudyError(f"{name} fails on the first rows of x_train: {line_of(error)}") from error


def _check_input(name: str, model: keras.Model, x: np.ndarray) -> None:
    expected = model.input_shape[1:]
    fits = len(expected) == x.ndim - 1 and all(e in (None, n) for e, n in zip(expected, x.shape[1:], strict=True))
    if not fits:
        raise StudyError(f"{name} takes rows of shape {expected}; those of x_train have shape {x.shape[1:]}.")
    for layer in model.layers:
        if isinstance(layer, keras.layers.Embedding) and layer.input is model.inputs[0]:
            _check_tokens(name, layer.input_dim, x)


def _check_tokens(name: str, size: int, x: np.ndarray) -> None:
    if x.min() < 0 or x.max() >= size:
        raise StudyError(f"The Embedding of {name} takes 0 to {size - 1}; x_train holds {x.min()} to {x.max()}.")
