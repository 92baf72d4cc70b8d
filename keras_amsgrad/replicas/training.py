"""Train replicas: the loop over chunks and epochs around the compiled program."""

import dataclasses
import math
import pathlib
import threading
import time
import warnings
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_amsgrad.checks import number
from keras_amsgrad.order import epoch_order
from keras_amsgrad.replicas import backends, chunks, settings
from keras_amsgrad.replicas.backup import Backup
from keras_amsgrad.replicas.chunks import Chunk
from keras_amsgrad.replicas.lanes import Lanes
from keras_amsgrad.replicas.networks import Networks
from keras_amsgrad.replicas.program import EVALUATION_ROWS, Batches, Columns, State, check_network
from keras_amsgrad.replicas.replica import Outcome, Replica, RowNumbers
from keras_amsgrad.replicas.stopping import Course, check_early_stopping
from keras_amsgrad.replicas.threads import at_once, each_in_threads
from keras_amsgrad.rules import Tensor

OnEpoch = Callable[[list[int], int, list[dict[str, float]]], object]  # of positions, epoch, the logs of each

MEMORY = 4 * 2**30  # bytes for one chunk


def train(
    model: Callable[[], keras.Model],
    replicas: Sequence[Replica],
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Any = "sparse_categorical_crossentropy",
    batch_size: int = 32,
    fill_last_batch: bool = False,
    epochs: int = 1,
    shuffle: bool = True,
    early_stopping: keras.callbacks.EarlyStopping | None = None,
    memory: int = MEMORY,
    together: int | None = None,
    on_epoch: OnEpoch | None = None,
    on_chunk: Callable[[list[int], list[Outcome]], object] | None = None,
    backup: Callable[[list[int]], pathlib.Path] | None = None,
    finished: Collection[int] = (),
) -> list[Any]:  # of `Outcome`, and of None for what is `finished`
    """Train every replica as `model.fit` would train it alone, and return an `Outcome` for each, in their order.

    Replicas that share optimizer class, seed and rows run together in one compiled program; a replica whose numbers
    go bad leaves the others untouched.

    Args:
        model: A function without arguments that returns a new, uncompiled Keras model. It is called after
            `keras.utils.set_random_seed(seed)`, once for each seed.
        replicas: A list of `Replica`.
        x, y: All rows, arrays (n, ...): replicas name theirs by number.
        loss: A Keras loss: name, function or instance, for each row by itself.
        batch_size: Rows in a batch; the last batch of an epoch is short where it does not divide.
        fill_last_batch: Whether random repeats fill that batch (see `epoch_order`). Needs `shuffle`.
        epochs: Epochs at most.
        shuffle: Whether rows come in the order `epoch_order(seed, epoch, n)`, or as they are in `training`.
        early_stopping: A `keras.callbacks.EarlyStopping` to apply to each replica by itself, or None.
        memory: Bytes that one chunk of replicas may take; more replicas run in several chunks.
        together: Replicas in a chunk at most, also of a convolutional network; None: an estimate from `memory`.
        on_epoch: Called as `on_epoch(positions, epoch, logs)` after each epoch of a chunk: positions in `replicas` of
            those still training, epoch from 0, and a list of {name: value}. On a CPU several chunks run at once, and
            each calls from a thread of its own.
        on_chunk: Called as `on_chunk(positions, outcomes)`, in the calling thread, when a chunk has finished.
        backup: A function from the positions of a chunk to the path of a file in which to keep its last epoch, from
            which a later call with the same arguments goes on; None keeps nothing. Not with `restore_best_weights`.
        finished: Positions of replicas that need no training. A chunk of nothing else is left out, and its outcomes
            are None; what is trained gives the numbers it would have given among all, to the bit.

    Raises:
        TypeError, ValueError: Something that replicas cannot do, by name, before any training.

    >>> from keras_amsgrad import AMSGrad
    >>> from keras_amsgrad.replicas import Replica
    >>> x, y, rows = np.eye(8, dtype="float32"), np.arange(8) % 2, np.arange(8)
    >>> def model():
    ...     return keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, activation="softmax")])
    >>> replicas = [Replica(AMSGrad(alpha), seed=0, training=rows, validation=rows) for alpha in (0.001, 0.1)]
    >>> slow, fast = train(model, replicas, x, y, epochs=5)
    >>> slow.history["loss"][0] == fast.history["loss"][0], slow.history["loss"][-1] > fast.history["loss"][-1]
    (True, True)
    """
    if not backends.CAN_STACK:
        warnings.warn(f"Keras's {backends.BACKEND} backend trains replicas one after another.", stacklevel=2)
    groups = chunks.groups(replicas)
    steps = sum(epochs * math.ceil(len(replicas[group[0]].training) / batch_size) for group in groups)
    networks = Networks(model, loss, steps)
    _check(replicas, networks, batch_size, early_stopping)
    if fill_last_batch and not shuffle:
        raise ValueError("`fill_last_batch` needs `shuffle`. Received: fill_last_batch=True, shuffle=False")
    x, y = _on_device(x), _on_device(y)
    plan = Plan(x, y, batch_size, fill_last_batch, epochs, shuffle, early_stopping)
    parts = _chunks(replicas, groups, networks, batch_size, memory, together)
    missing = [(size, positions) for size, positions in parts if not set(positions) <= set(finished)]
    outcomes: list[Outcome | None] = [None] * len(replicas)

    def kept(positions: list[int]) -> Backup:
        return Backup(backup(positions) if backup and not _keeps_weights(early_stopping) else None)

    def train_one(chunk: Chunk, stop: threading.Event) -> list[Outcome]:
        size, positions = chunk
        told = _told(on_epoch, positions)
        return _train_chunk([replicas[i] for i in positions], size, networks, plan, told, kept(positions), stop)

    def done(chunk: Chunk, found: list[Outcome]) -> None:
        _, positions = chunk
        for i, outcome in zip(positions, found, strict=True):
            outcomes[i] = outcome
        if on_chunk is not None:
            on_chunk(positions, found)
        kept(positions).remove()

    for size, positions in missing:  # seeds are for the whole process, so not in threads
        for i in positions[::size]:
            networks.start(replicas[i].seed)
    if missing:
        each_in_threads(at_once(networks.template), train_one, missing, done)
    return outcomes


def _chunks(
    replicas: Sequence[Replica],
    groups: list[list[int]],
    networks: Networks,
    batch_size: int,
    memory: int,
    together: int | None,
) -> list[Chunk]:
    """Return all chunks as (size, positions in `replicas`): one lane of at most `size`, or several full ones."""
    found: list[Chunk] = []
    limits = []

    def alike(positions: list[int]) -> Hashable:
        first, optimizers = replicas[positions[0]], [replicas[i].optimizer for i in positions]
        rows = (first.training, first.validation, first.outputs_for)
        return networks.key(optimizers), *map(len, rows)

    for group in groups:
        slots = len(replicas[group[0]].optimizer.slots)
        estimate = chunks.largest_chunk(networks.template, slots, batch_size, memory, len(replicas))
        limits.append(together if together and backends.CAN_STACK else estimate)
        size, parts = chunks.chunks(group, limits[-1])
        found += [(size, positions) for positions in parts]
    return chunks.joined(found, min(limits), alike) if found and backends.can_map_lanes() else found


def _keeps_weights(early_stopping: keras.callbacks.EarlyStopping | None) -> bool:
    return early_stopping is not None and early_stopping.restore_best_weights


def _on_device(rows: ArrayLike) -> Tensor:
    """Return all rows as a tensor, floats in Keras's precision."""
    rows = np.asarray(rows)
    return ops.convert_to_tensor(rows.astype(keras.config.floatx()) if rows.dtype.kind == "f" else rows)


def _check(replicas: Sequence[Replica], networks: Networks, batch_size: int, early_stopping: Any) -> None:
    number("batch_size", batch_size, "a whole number >= 1", lambda size: size >= 1 and size == int(size))
    for replica in replicas:
        settings.check_optimizer(replica.optimizer)
    if replicas:
        check_network(networks.template_for(replicas[0].seed))
        names = networks.measured(validated=all(len(replica.validation) for replica in replicas))
        check_early_stopping(early_stopping, names)


def _told(on_epoch: OnEpoch | None, positions: list[int]) -> OnEpoch:
    """Return `on_epoch` in terms of the positions of all replicas; it is told those within the chunk."""
    if on_epoch is None:
        return lambda within, epoch, logs: None
    return lambda within, epoch, logs: on_epoch([positions[k] for k in within], epoch, logs)


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What all replicas of one call share; see `train`."""

    x: Tensor
    y: Tensor
    batch_size: int
    fill_last_batch: bool
    epochs: int
    shuffle: bool
    early_stopping: keras.callbacks.EarlyStopping | None

    def rows(self, replica: Replica, epoch: int) -> Batches:
        """Return the training rows of one epoch as (full batches, the short rest)."""
        rows = np.asarray(replica.training)
        if self.shuffle:
            multiple_of = self.batch_size if self.fill_last_batch else 1
            rows = rows[epoch_order(replica.seed, epoch, len(rows), multiple_of)]
        return in_batches(rows, self.batch_size)


def in_batches(rows: RowNumbers, size: int) -> Batches:
    """Return `rows` as (batches (steps, size), the short rest), both int32.

    >>> [part.tolist() for part in in_batches(np.arange(5), 2)]
    [[[0, 1], [2, 3]], [4]]
    """
    rows = np.asarray(rows, "int32")
    full = len(rows) // size * size
    return rows[:full].reshape(-1, size), rows[full:]


def _train_chunk(
    replicas: list[Replica],
    size: int,
    networks: Networks,
    plan: Plan,
    on_epoch: OnEpoch,
    kept: Backup,
    stop: threading.Event,
) -> list[Outcome]:
    """Train the lanes of a chunk, and return the outcomes of its replicas; end early when the event `stop` is set.

    A lane of replicas shares every batch. A single one runs in a program for `size` replicas, so that the last chunk
    of a group needs none of its own: what is missing to `size` is there, but never alive.
    """
    started = time.perf_counter()
    firsts = replicas[::size]
    optimizers = [replica.optimizer for replica in replicas]
    optimizers += optimizers[-1:] * (size - len(replicas))
    program = networks.program(optimizers[:size], len(firsts))
    state = program.initial_state([networks.start(first.seed) for first in firsts])
    numbers = program.numbers(optimizers)
    course = Course(len(replicas), program.count, plan.early_stopping, lambda k: program.final_weights(state, k))
    state = program.with_alive(state, course.running)
    state, histories = kept.restore(state)
    done = course.replay(histories)
    for epoch in range(done, plan.epochs if course.running.any() else done):
        rows = [plan.rows(first, epoch) for first in firsts]
        state, sums = program.epoch(state, numbers, plan.x, plan.y, rows)
        logs = _means(sums, sum(part.size for part in rows[0]))
        if validated := len(firsts[0].validation):
            rows = [in_batches(first.validation, EVALUATION_ROWS) for first in firsts]
            sums = program.evaluate(state, plan.x, plan.y, rows)
            logs |= {f"val_{name}": values for name, values in _means(sums, validated).items()}
        on_epoch(*course.add(epoch, logs))
        if stop.is_set() or not course.running.any():
            break
        state = program.with_alive(state, course.running)
        kept.save(state, course.history)
    return _outcomes(program, state, course, plan, firsts, time.perf_counter() - started)


def _means(sums: Columns, rows: int) -> dict[str, np.ndarray]:
    return {name: ops.convert_to_numpy(values).astype(float) / rows for name, values in sums.items()}


def _outcomes(
    program: Lanes, state: State, course: Course, plan: Plan, firsts: list[Replica], seconds: float
) -> list[Outcome]:
    weights = [program.final_weights(state, k) for k in range(program.count)]
    count = len(course.history)
    best = course.best_weights()
    if any(kept is not None for kept in best):
        best += [None] * (program.count - count)
        weights = [own if kept is None else kept for own, kept in zip(weights, best, strict=True)]
        state = program.state_with(state, weights)
    outputs = _outputs(program, state, plan, [first.outputs_for for first in firsts])
    return [Outcome(course.status[k], course.history[k], weights[k], outputs[k], seconds / count) for k in range(count)]


def _outputs(program: Lanes, state: State, plan: Plan, rows: list[RowNumbers]) -> list[np.ndarray | None]:
    """Return the outputs of each replica for its lane's `rows`: a list of arrays (rows, ...), or of None."""
    if not len(rows[0]):
        return [None] * program.count
    parts = np.split(np.asarray(rows, "int32"), range(EVALUATION_ROWS, len(rows[0]), EVALUATION_ROWS), axis=1)
    parts = [program.predict(state, plan.x, list(part)) for part in parts]
    return list(np.concatenate([ops.convert_to_numpy(part) for part in parts], axis=1))
