"""What replicas ask of a network: whether they can train it as `fit` does, and whether it is convolutional."""

import keras

from keras_amsgrad.replicas import settings
from keras_amsgrad.replicas.errors import UnsupportedError

OVERRIDES = ("train_step", "test_step", "compute_loss", "compute_metrics")  # what a subclass of Model may change


def check_network(model: keras.Model) -> None:
    """Raise UnsupportedError where the engine would train `model` differently from `model.fit`."""
    if not model.built or len(getattr(model, "outputs", None) or ()) != 1 or isinstance(model.output_shape, dict):
        raise UnsupportedError(
            f"`model` must return a built Sequential or functional model with one output. Received: {model}"
        )
    for name in OVERRIDES:
        if getattr(type(model), name) is not getattr(keras.Model, name):
            raise UnsupportedError(f"Replicas train without `{name}` of {type(model).__name__}.")
    if own := [layer.name for layer in model.layers if not isinstance(layer, keras.Model) and layer.metrics]:
        raise UnsupportedError(f"Layers of replicas must have no metrics of their own. Received: {', '.join(own)}")
    if model.dtype_policy.name == "mixed_float16":  # where `compile` puts the optimizer in a LossScaleOptimizer
        raise UnsupportedError(f"{settings.LOSS_SCALING} Received: {model.name} of dtype policy mixed_float16")
    for variable in model.trainable_variables:
        if variable.dtype != "float32":
            raise UnsupportedError(f"Weights of replicas must be float32. Received: {variable.path}, {variable.dtype}")


def is_convolutional(model: keras.Model) -> bool:
    """Return whether any kernel of the model is more than a matrix.

    >>> import keras
    >>> is_convolutional(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
    False
    """
    return any(len(variable.shape) > 2 for variable in model.trainable_variables)
