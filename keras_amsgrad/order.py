"""The order in which an epoch visits the training rows."""

import numpy as np


def epoch_order(seed, epoch, rows):
    """Return the row numbers 0 .. rows - 1 in the order of one epoch, a pure function of seed and epoch.

    Every optimizer, engine and backend that asks with the same seed sees the same batches, and training that
    continues after a break goes on with the order it would have had. `epoch` counts from 0.

    >>> epoch_order(seed=0, epoch=3, rows=5).tolist() == epoch_order(seed=0, epoch=3, rows=5).tolist()
    True
    """
    return np.random.default_rng([seed, epoch]).permutation(rows)
