"""Losses that the sources use and Keras has not: on clipped probabilities, never on the logits behind them.

Labels are whole numbers (rows,) or (rows, 1) unless said, probabilities (rows, classes); a loss is (rows,).
"""

import keras
from keras import ops

SMALLEST = 1e-7


def clipped_crossentropy(labels: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Return -log p of the true class, with p clipped to [1e-7, 1 - 1e-7]; Keras's own goes back to the logits.

    >>> ops.convert_to_numpy(clipped_crossentropy([0, 1], ops.array([[0.5, 0.5], [1.0, 0.0]]))).tolist()
    [0.693..., 16.118...]
    """
    truth = _one_hot(labels, probabilities)
    return -ops.sum(truth * ops.log(_clipped(probabilities)), -1)


def binary_crossentropy(labels: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Return the mean over all classes of the binary cross-entropy of each output, clipped to [1e-7, 1 - 1e-7].

    That of Keras takes the logits of a softmax for those of as many sigmoids.

    >>> ops.convert_to_numpy(binary_crossentropy([0], ops.array([[0.5, 0.25, 0.25]]))).tolist()
    [0.422...]
    """
    truth, p = _one_hot(labels, probabilities), _clipped(probabilities)
    return -ops.mean(truth * ops.log(p) + (1 - truth) * ops.log(1 - p), -1)


def logits_crossentropy(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Return the cross-entropy of logits (rows, classes), which are no probabilities yet.

    >>> ops.convert_to_numpy(logits_crossentropy(ops.array([0]), ops.array([[0.0, 0.0]]))).tolist()
    [0.693...]
    """
    labels = ops.reshape(labels, ops.shape(logits)[:-1])
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def sigmoid_crossentropy(labels: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Return the binary cross-entropy of one output, the probability (rows, 1) of class 1, as Keras's loss has it.

    >>> ops.convert_to_numpy(sigmoid_crossentropy(ops.array([1]), ops.array([[0.5]]))).tolist()
    [0.693...]
    """
    p = ops.reshape(probabilities, (-1,))
    return ops.binary_crossentropy(ops.reshape(ops.cast(labels, p.dtype), (-1,)), p)


def logit_crossentropy(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Return the binary cross-entropy of one output, the logit (rows, 1) of the probability of class 1.

    >>> ops.convert_to_numpy(logit_crossentropy(ops.array([1]), ops.array([[0.0]]))).tolist()
    [0.693...]
    """
    logits = ops.reshape(logits, (-1,))
    return ops.binary_crossentropy(ops.reshape(ops.cast(labels, logits.dtype), (-1,)), logits, from_logits=True)


def multilabel_crossentropy(labels: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Return the mean binary cross-entropy of labels 0 and 1, (rows, labels), as Keras's "binary_crossentropy" has it.

    >>> ops.convert_to_numpy(multilabel_crossentropy(ops.array([[1, 0]]), ops.array([[0.5, 0.5]]))).tolist()
    [0.693...]
    """
    return ops.mean(ops.binary_crossentropy(ops.cast(labels, probabilities.dtype), probabilities), -1)


def _one_hot(labels: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    return ops.one_hot(ops.reshape(ops.cast(labels, "int32"), (-1,)), probabilities.shape[-1])


def _clipped(probabilities: keras.KerasTensor) -> keras.KerasTensor:
    return ops.clip(probabilities, SMALLEST, 1 - SMALLEST)


LOSSES = {
    loss.__name__: loss
    for loss in (
        *(clipped_crossentropy, binary_crossentropy, logits_crossentropy, sigmoid_crossentropy),
        *(logit_crossentropy, multilabel_crossentropy),
    )
}
