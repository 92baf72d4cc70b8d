"""Which replicas run together."""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import keras
import numpy as np

from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.program import is_convolutional
from keras_amsgrad.replicas.replica import Replica
from keras_amsgrad.replicas.settings import program_key
from keras_amsgrad.replicas.threads import at_once

Item = TypeVar("Item")
Chunk = tuple[int, list[int]]  # size, positions of at most so many replicas

# Bytes of weights, slots and gradients that one chunk may have on a CPU: a chunk that stays in the last-level cache
# trained 784-100-10 networks faster than a larger one, in single runs on a busy machine.
CACHE = 16 * 2**20
SMALL = 8  # replicas that are not spread over more chunks for the sake of the cores


def groups(replicas: Sequence[Replica]) -> list[list[int]]:
    """Return lists of positions in `replicas` that may share a program and every batch.

    >>> from keras_amsgrad import Adam, AMSGrad
    >>> from keras_amsgrad.replicas import Replica
    >>> rows = np.arange(4)
    >>> optimizers = [Adam(0.1), AMSGrad(0.1), Adam(0.2)]
    >>> groups([Replica(optimizer, seed=0, training=rows) for optimizer in optimizers])
    [[0, 2], [1]]
    """
    found: dict[Any, list[int]] = {}
    for i, replica in enumerate(replicas):
        rows = [np.asarray(r, "int64").tobytes() for r in (replica.training, replica.validation, replica.outputs_for)]
        found.setdefault((program_key(replica.optimizer), replica.seed, *rows), []).append(i)
    return list(found.values())


def chunks(group: list[Item], at_most: int) -> tuple[int, list[list[Item]]]:
    """Split a group into (size, chunks): as few of at most `at_most` as will do, about equal, none above `size`.

    >>> chunks([3, 4, 5, 6, 7], at_most=2)
    (2, [[3, 4], [5, 6], [7]])
    """
    size = math.ceil(len(group) / math.ceil(len(group) / at_most))
    return size, [group[i : i + size] for i in range(0, len(group), size)]


def joined(parts: Sequence[Chunk], at_most: int, alike: Callable[[list[int]], Hashable]) -> list[Chunk]:
    """Return the chunks `parts`, (size, positions), with those in one that `alike(positions)` finds equal.

    Only full chunks are joined, as many as have `at_most` replicas together; their positions follow each other.

    >>> joined([(2, [0, 1]), (2, [2, 3]), (2, [4, 5]), (2, [6])], at_most=4, alike=lambda positions: "all")
    [(2, [0, 1, 2, 3]), (2, [4, 5]), (2, [6])]
    """
    rows: dict[tuple[int, Hashable], list[list[int]]] = {}
    alone = []
    for size, positions in parts:
        if len(positions) == size:
            rows.setdefault((size, alike(positions)), []).append(positions)
        else:
            alone.append((size, positions))
    found = []
    for (size, _), lanes in rows.items():
        _, together = chunks(lanes, max(1, at_most // size))
        found += [(size, [i for lane in each for i in lane]) for each in together]
    return found + alone


def largest_chunk(model: keras.Model, slots: int, batch_size: int, memory: int, replicas: int) -> int:
    """Return how many of `replicas` replicas of `model` to train in one chunk: an estimate from shapes, at least 1.

    Chunks under way at the same time share `memory` bytes, and on a CPU its cache; two for each core keep all cores
    busy until the end.

    A weight is held with its slots, its gradient and a copy of each while it is replaced; what a layer puts out is
    held for the way back. Convolutional networks run one by one: mapped over replicas, their convolutions become
    grouped ones, which are far slower than one after another. So do all networks where the backend cannot map.
    """
    if is_convolutional(model) or not backends.CAN_STACK:
        return 1
    weights = sum(math.prod(v.shape) for v in model.variables)
    activations = sum(map(_numbers_out, model.layers)) * max(batch_size, 1000)
    threads = at_once(model)
    at_most = memory // threads // (4 * (weights * 2 * (2 + slots) + 3 * activations))
    if not backends.has_gpu():
        in_cache = CACHE // threads // (4 * weights * (2 + slots))
        at_most = min(at_most, in_cache, max(SMALL, math.ceil(replicas / (2 * threads))))
    return max(1, int(at_most))


def _numbers_out(layer: keras.Layer) -> int:
    """Return how many numbers a layer puts out for a row; a size that is open counts as 1.

    A layer that a model calls more than once has no `output`, but all its calls.
    """
    tensors = [tensor for call in layer._inbound_nodes for tensor in call.output_tensors]
    return sum(math.prod(size or 1 for size in tensor.shape[1:]) for tensor in tensors)
