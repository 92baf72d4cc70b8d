"""Train several chunks at the same time: on several GPUs, or because a small program leaves cores idle."""

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

import keras

from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.networks import is_convolutional

Item = TypeVar("Item")


def at_once(model: keras.Model) -> int:
    """Return how many chunks to train at the same time: one for each GPU or, without one, for each core.

    Convolutional networks keep all cores busy, so their chunks train one after another. So do all chunks where a step
    is plain Python.
    """
    if not backends.CAN_STACK:
        return 1
    if backends.has_gpu():
        return len(backends.gpus())
    return 1 if is_convolutional(model) else os.cpu_count() or 1


class Devices:
    """The GPUs of this machine, each for one thread at a time; one GPU, or none, is Keras's to choose."""

    def __init__(self) -> None:
        names = backends.gpus()
        self.are_several = len(names) > 1
        self.free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for name in names:
            self.free.put(name)

    @contextlib.contextmanager
    def one(self) -> Iterator[str | None]:
        """Run the block on a GPU that is free, and give its name; None where there are not several."""
        if not self.are_several:
            yield None
            return
        name = self.free.get()
        try:
            with keras.device(name):
                yield name
        finally:
            self.free.put(name)


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
