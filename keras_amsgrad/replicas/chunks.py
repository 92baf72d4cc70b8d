"""Which replicas train together."""

import dataclasses
import math
import os
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import keras
import numpy as np

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.replicas import backends
from keras_amsgrad.replicas.networks import is_convolutional
from keras_amsgrad.replicas.replica import Replica
from keras_amsgrad.replicas.settings import PureForm

Item = TypeVar("Item")

# Bytes of weights, slots and gradients that one chunk may have on a CPU: a chunk that stays in the last-level cache
# trained 784-100-10 networks faster than a larger one, in single runs on a busy machine.
CACHE = 16 * 2**20
SMALL = 8  # replicas that are not spread over more chunks for the sake of the cores


@dataclasses.dataclass(frozen=True, eq=False)
class Chunk:
    """Replicas that train together in one program: one group of replicas that share every batch, or several groups.

    Attributes:
        positions: Their positions among the replicas that `train` was given, group by group.
        replicas: The replicas at these positions.
        size: The number of replicas of a group that the program has room for. A chunk of one group may have fewer:
            the last chunk of a group then needs no program of its own.
    """

    positions: list[int]
    replicas: list[Replica]
    size: int

    @property
    def leaders(self) -> list[Replica]:
        """The first replica of each group, which has the group's seed and rows."""
        return self.replicas[:: self.size]

    @property
    def forms(self) -> list[PureForm]:
        """The optimizers of the replicas; the last one fills the places that are left empty."""
        return self._filled([replica.form for replica in self.replicas])

    @property
    def strengths(self) -> list[Sequence[float]]:
        """The strengths of the replicas, as `forms`; empty if they have none of their own."""
        own = [replica.strengths for replica in self.replicas if replica.strengths is not None]
        return self._filled(own) if own else []

    def _filled(self, own: list[Item]) -> list[Item]:
        return own + own[-1:] * (self.size * len(self.leaders) - len(own))


@dataclasses.dataclass(frozen=True)
class Chunking:
    """How replicas were divided into chunks, for another call to divide them alike.

    Attributes:
        parts: The positions and the `size` of each `Chunk`.
        steps: About how many steps all replicas of the call train together; see `Program`.
    """

    parts: tuple[tuple[tuple[int, ...], int], ...]
    steps: int

    def chunks(self, replicas: Sequence[Replica]) -> list[Chunk]:
        """Return the chunks of these replicas."""
        return [Chunk(list(part), [replicas[i] for i in part], size) for part, size in self.parts]


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
        parts = replica.training, replica.validation, replica.test, replica.outputs_for
        rows = [np.asarray(part, "int64").tobytes() for part in parts]
        weights = None if replica.sample_weight is None else replica.sample_weight.tobytes()
        place = replica.form.key, replica.seed, *rows, weights, replica.first_epoch
        found.setdefault(place, []).append(i)
    # By epochs, because a chunk trains for as long as the last of its replicas.
    return [sorted(group, key=lambda i: replicas[i].epochs or 0) for group in found.values()]


def split(group: list[Item], at_most: int) -> tuple[int, list[list[Item]]]:
    """Split a group into (size, parts): as few parts as hold at most `at_most`, about equal, none above `size`.

    >>> split([3, 4, 5, 6, 7], at_most=2)
    (2, [[3, 4], [5, 6], [7]])
    """
    size = math.ceil(len(group) / math.ceil(len(group) / at_most))
    return size, [group[i : i + size] for i in range(0, len(group), size)]


def chunks_of_groups(replicas: Sequence[Replica], groups: list[list[int]], at_most: Sequence[int]) -> list[Chunk]:
    """Return chunks of one group each; of group number g, no chunk has more than `at_most[g]` replicas."""
    found = []
    for group, limit in zip(groups, at_most, strict=True):
        size, parts = split(group, limit)
        found += [Chunk(part, [replicas[i] for i in part], size) for part in parts]
    return found


def joined(chunks: Sequence[Chunk], at_most: int, key: Callable[[Chunk], Hashable]) -> list[Chunk]:
    """Return `chunks` with those in one that have the same size and `key(chunk)`, up to `at_most` replicas.

    A chunk that is not full stays as it is.

    >>> replicas = [Replica(None, seed, range(4)) for seed in (0, 0, 1, 1, 2, 2, 3)]
    >>> chunks = chunks_of_groups(replicas, [[0, 1], [2, 3], [4, 5]], at_most=[2, 2, 2])
    >>> chunks.append(Chunk([6], replicas[6:], size=2))
    >>> [chunk.positions for chunk in joined(chunks, at_most=4, key=lambda chunk: "all")]
    [[0, 1, 2, 3], [4, 5], [6]]
    """
    full: dict[tuple[int, Hashable], list[Chunk]] = {}
    partial = []
    for chunk in chunks:
        if len(chunk.replicas) == chunk.size:
            full.setdefault((chunk.size, key(chunk)), []).append(chunk)
        else:
            partial.append(chunk)
    found = []
    for (size, _), alike in full.items():
        _, parts = split(alike, max(1, at_most // size))
        for part in parts:
            positions = [i for chunk in part for i in chunk.positions]
            found.append(Chunk(positions, [replica for chunk in part for replica in chunk.replicas], size))
    return found + partial


def largest_chunk(model: keras.Model, slots: int, batch_size: int, memory: int, replicas: int, at_once: int) -> int:
    """Return how many of `replicas` replicas of `model` to train in one chunk: an estimate from shapes, at least 1.

    On a CPU, the chunks that train `at_once` on one machine, a core each, share `memory` bytes and its cache; two for
    each that trains at the same time keep all of them busy until the end. On GPUs, each chunk has `memory` bytes.

    A weight is held with its slots, its gradient and a copy of each while it is replaced; the outputs of a layer are
    held for the backward pass. Convolutional networks train one by one: mapped over replicas, their convolutions become
    grouped ones, which are far slower than one after another. So do all networks where the backend cannot map.
    """
    if is_convolutional(model) or not backends.CAN_STACK:
        return 1
    weights = sum(math.prod(v.shape) for v in model.variables)
    activations = sum(map(_numbers_out, model.layers)) * max(batch_size, 1000)
    in_memory = memory // (4 * (weights * 2 * (2 + slots) + 3 * activations))
    if backends.has_gpu():  # each has a memory of its own
        return max(1, min(in_memory, math.ceil(replicas / at_once)))
    here = min(at_once, os.cpu_count() or 1)
    in_cache = CACHE // (4 * weights * (2 + slots))
    return max(1, min(in_memory // here, in_cache // here, max(SMALL, math.ceil(replicas / (2 * at_once)))))


def _numbers_out(layer: keras.Layer) -> int:
    """Return how many numbers a layer puts out for a row; a dimension of unknown size counts as 1."""
    return sum(math.prod(size or 1 for size in tensor.shape[1:]) for tensor in keras_internals.output_tensors(layer))
