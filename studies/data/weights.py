"""Weights of classes that a user gives, as Keras's `class_weight` and scikit-learn's have them."""

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from studies.errors import StudyError


def of_classes(class_weight: Any, names: tuple[Any, ...], labels: np.ndarray) -> tuple[float, ...]:
    """Return the weight of each class in the loss of training, in the order of the classes.

    Args:
        class_weight: "balanced" for rows / (classes * rows of the class), as in scikit-learn; or {label: weight}, with
            labels as they were given, or as text. A class that it leaves out has a weight of 1.
        names: The labels of the classes; empty for targets that are no classes.
        labels: The classes 0 .. k - 1 of the training rows, (rows,).

    Raises StudyError for other weights.

    >>> of_classes("balanced", ("cat", "dog"), np.array([0, 0, 0, 1]))
    (0.666..., 2.0)
    >>> of_classes({"dog": 5}, ("cat", "dog"), np.array([0, 1]))
    (1.0, 5.0)
    """
    if not names:
        raise StudyError("class_weight is for one label a row; these targets are no classes.")
    if class_weight == "balanced":
        from sklearn.utils.class_weight import compute_class_weight

        return tuple(compute_class_weight("balanced", classes=np.arange(len(names)), y=labels).tolist())
    if not isinstance(class_weight, Mapping):
        raise StudyError(f'class_weight must be "balanced" or {{label: weight}}, not {class_weight!r}.')
    places = {str(name): place for place, name in enumerate(names)}
    weights = [1.0] * len(names)
    for label, weight in class_weight.items():
        if str(label) not in places:
            raise StudyError(f"class_weight has the label {label!r}; y_train has {', '.join(places)}.")
        if not isinstance(weight, numbers.Real) or not 0 <= float(weight) < math.inf:
            raise StudyError(f"class_weight must be 0 or more, not {weight!r} as for the label {label!r}.")
        weights[places[str(label)]] = float(weight)
    return tuple(weights)
