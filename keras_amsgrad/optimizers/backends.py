"""Where backends differ: how sparse gradients, devices and many weights at once are handled."""

import contextlib
from typing import Any

import keras
from keras import ops

from keras_amsgrad.optimizers.settings import Variable
from keras_amsgrad.rules import Tensor


class PlainUpdates(keras.optimizers.Optimizer):
    """One weight array after the other; what JAX needs, which compiles the whole into one program."""

    def _refuse_what_the_backend_cannot(self) -> None:
        """Raise ValueError for a combination of settings that would fail later, or silently."""

    def _beside(self, variable: Variable) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which new variables are placed where `variable` is."""
        return contextlib.nullcontext()

    def _outside_of_traces(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which variables are assigned now, not when a function that is being traced will run."""
        return contextlib.nullcontext()

    def _dense(self, g: Tensor) -> Tensor:
        return ops.convert_to_tensor(g, sparse=False)

    def _summed_over_devices(self, grads: list[Tensor]) -> list[Tensor]:
        return grads

    def _overwrite_model_variables_with_average_value(self, trainable_variables: list[Variable]) -> None:
        # As Keras, but copies: on JAX, Keras makes the weight and its average one array, which the next `fit` loses.
        for variable, mean in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            if mean is not None:
                variable.assign(ops.copy(mean))

    def _update_all(self, grads: list[Tensor], variables: list[Variable], settings: dict[str, Tensor]) -> None:
        for g, variable in zip(grads, variables, strict=True):
            self.update_step(g, variable, settings)

    def update_step(self, gradient: Tensor, variable: Variable, settings: dict[str, Tensor]) -> None:
        self._update_by_rule(gradient, variable, settings)


if keras.backend.backend() == "tensorflow":
    from keras_amsgrad.optimizers.tensorflow_updates import TensorFlowUpdates as OwnUpdates
elif keras.backend.backend() == "torch":
    from keras_amsgrad.optimizers.torch_updates import TorchUpdates as OwnUpdates
else:

    class OwnUpdates:  # type: ignore[no-redef]
        """JAX needs nothing of its own."""


class BackendUpdates(OwnUpdates, PlainUpdates):
    """The updates of the backend that Keras runs on."""
