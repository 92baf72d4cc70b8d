"""What a study costs: the floating-point operations of all its fits."""

import math
from typing import TYPE_CHECKING

from studies.catalog import NetworkStudy

if TYPE_CHECKING:
    import keras


def of_row(model: "keras.Model") -> int:
    """Return the multiplications and additions with which a Keras model takes one row forward, in its kernels.

    Those of layers without a kernel (pooling, normalization, ReLU) and of the optimizer are not counted.

    >>> import keras
    >>> of_row(keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)]))
    15680
    """
    kernels = (layer for layer in model.layers if hasattr(layer, "kernel"))
    return sum(2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1]) for layer in kernels)


def of_study(study: NetworkStudy, row: int, train_rows: int, test_rows: int) -> int:
    """Return the operations of a `NetworkStudy` on so many rows, `row` of them to take one forward.

    A training row costs three times as much as one that is only looked at: the way back has two products for each one
    on the way forward.
    """
    each, looked_at = 3 * row, row
    repeats = len(study.arms) * study.seeds * study.epochs * (train_rows * each + test_rows * looked_at)
    if study.search is None:
        return repeats
    settings = sum(len(study.search.settings(arm)) for arm in study.arms)
    an_epoch = (study.search.folds - 1) * train_rows * each + train_rows * looked_at  # of all folds together
    return repeats + settings * study.search.epochs * an_epoch
