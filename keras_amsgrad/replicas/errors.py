"""The error for a fit that Keras trains and replicas do not."""


class UnsupportedError(TypeError, ValueError):
    """A fit cannot be trained as replicas, though `model.fit` trains it; the message names the setting and says why.

    It is raised before any training, so the fit can be trained in another way instead. It is a `TypeError` and a
    `ValueError` because what is not supported may be a kind of object or a value.

    >>> import keras
    >>> from keras_amsgrad.replicas import Replica
    >>> try:
    ...     Replica(keras.optimizers.Ftrl(), seed=0, training=[0, 1]).form
    ... except UnsupportedError as error:
    ...     print("Ftrl" in str(error))
    True
    """
