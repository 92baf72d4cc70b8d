"""Train several chunks at the same time, because a small program leaves cores idle between its operations."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

import keras

from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.networks import is_convolutional

Item = TypeVar("Item")


def at_once(model: keras.Model) -> int:
    """Return how many chunks to train at the same time: on a CPU, one for each core.

    Convolutional networks keep all cores busy, so their chunks train one after another. So do all chunks on a GPU, and
    where a step is plain Python.
    """
    if backends.has_gpu() or not backends.CAN_STACK or is_convolutional(model):
        return 1
    return os.cpu_count() or 1


def each_in_threads(
    count: int,
    function: Callable[[Item, threading.Event], Any],
    items: Sequence[Item],
    done: Callable[[Item, Any], object],
) -> None:
    """Call `function(item, stop)` for each item in `count` threads, and `done(item, result)` here, as they finish.

    When one fails, or this thread is interrupted, no further item is started, and the event `stop` asks running calls
    to end.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(count) as pool:
        under_way = {pool.submit(function, item, stop): item for item in items}
        try:
            for future in as_completed(under_way):
                done(under_way[future], future.result())
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
