"""The order in which an epoch visits the training rows."""

import numpy as np


def epoch_order(seed: int, epoch: int, rows: int, multiple_of: int = 1) -> np.ndarray:
    """Return the row numbers 0 .. rows - 1 in the order of one epoch, a pure function of seed and epoch.

    Every optimizer, engine and backend that asks with the same seed sees the same batches, and training that
    continues after a break goes on with the order it would have had. `epoch` counts from 0.

    Random repeats at the end fill the order up to a `multiple_of` rows: those of the batch, where no batch is short.

    >>> epoch_order(seed=0, epoch=3, rows=5).tolist() == epoch_order(seed=0, epoch=3, rows=5).tolist()
    True
    >>> len(epoch_order(seed=0, epoch=3, rows=5, multiple_of=4))
    8
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(rows)
    return np.concatenate([order, random.integers(rows, size=-rows % multiple_of)])
