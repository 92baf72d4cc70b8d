"""The functions in which backends differ: the module of the backend that Keras runs on, chosen once.

Every module `<name>_backend.py` has the same functions: how sparse gradients, devices and many weights at once are
handled. JAX's also serves any other backend that needs nothing of its own.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_amsgrad.optimizers import tensorflow_backend as backend
elif keras.backend.backend() == "torch":
    from keras_amsgrad.optimizers import torch_backend as backend  # type: ignore[no-redef]
else:
    from keras_amsgrad.optimizers import jax_backend as backend  # type: ignore[no-redef]

__all__ = ["backend"]
