"""Batches in an order that is a pure function of seed and epoch, from arrays to `model.fit`."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_amsgrad.order import epoch_order
from studies.data.inputs import fed


class EpochClock(keras.callbacks.Callback):
    """Know which epoch is running; Keras asks a data set for its next epoch without saying which."""

    epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch


def ordered_batches(
    x: np.ndarray, y: np.ndarray, batch_size: int, seed: int, clock: EpochClock, fill_last: bool = False
) -> Any:
    """Return a data set for `model.fit` that visits the rows of `x` and `y` in `epoch_order(seed, clock.epoch, rows)`.

    The last batch of an epoch is short where `batch_size` does not divide the number of rows, or filled up with random
    repeats. Pass `clock` to `fit` as a callback.
    """

    def order() -> np.ndarray:
        return epoch_order(seed, clock.epoch, len(y), batch_size if fill_last else 1)

    if keras.backend.backend() == "tensorflow":
        return _tensorflow_batches(x, y, batch_size, order)
    return _OrderedBatches(x, y, batch_size, order, clock)


def _tensorflow_batches(x: np.ndarray, y: np.ndarray, batch_size: int, order: Callable[[], np.ndarray]) -> Any:
    # Rows are gathered in TensorFlow's own threads: an epoch of a small model takes half as long as with NumPy batches.
    import tensorflow as tf

    data = tf.nest.map_structure(tf.constant, (_as_tuples(fed(x)), y))
    orders = tf.data.Dataset.from_generator(lambda: iter([order()]), output_signature=tf.TensorSpec([None], tf.int64))
    batches = orders.flat_map(lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size))
    batches = batches.map(lambda chosen: tf.nest.map_structure(lambda part: tf.gather(part, chosen), data)).prefetch(4)
    return batches.apply(tf.data.experimental.assert_cardinality(-(-len(y) // batch_size)))


def _as_tuples(x: Any) -> Any:
    """Return a list of inputs as a tuple: of a list, `tf.data` makes a single tensor."""
    return tuple(x) if isinstance(x, list) else x


class _OrderedBatches(keras.utils.PyDataset):
    def __init__(
        self, x: np.ndarray, y: np.ndarray, batch_size: int, order_now: Callable[[], np.ndarray], clock: EpochClock
    ) -> None:
        super().__init__()
        self.x, self.y, self.batch_size, self.order_now, self.clock = x, y, batch_size, order_now, clock
        self.epoch, self.order = -1, np.empty(0, int)  # of no epoch yet

    def __len__(self) -> int:
        return -(-len(self.y) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, np.ndarray]:
        if self.epoch != self.clock.epoch:
            self.epoch, self.order = self.clock.epoch, self.order_now()
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return fed(self.x[chosen]), self.y[chosen]
