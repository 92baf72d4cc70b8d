"""The random state of the process: a fit sets seeds, and whoever called it must not notice."""

import contextlib
import importlib.util
import random
from collections.abc import Iterator

import keras
import numpy as np

from keras_amsgrad.internals import keras as keras_internals

HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Restore, at the end of the block, all that `keras.utils.set_random_seed` sets, as it was at its beginning.

    That is the random state of Python, NumPy, Keras, TensorFlow (where it is installed, whatever the backend) and
    torch (on the torch backend, every CUDA device included).

    >>> random.seed(3)
    >>> with preserved():
    ...     keras.utils.set_random_seed(0)
    >>> random.random() == random.Random(3).random()
    True
    """
    with contextlib.ExitStack() as restored:
        restored.callback(random.setstate, random.getstate())
        restored.callback(np.random.set_state, np.random.get_state())  # noqa: NPY002 - the state that Keras sets
        restored.callback(keras_internals.restore_random_state, keras_internals.random_state())
        if HAS_TENSORFLOW:
            from keras_amsgrad.internals import tensorflow as tensorflow_internals

            restored.callback(tensorflow_internals.restore_random_state, tensorflow_internals.random_state())
        if keras.backend.backend() == "torch":
            import torch

            restored.enter_context(torch.random.fork_rng())
        yield
