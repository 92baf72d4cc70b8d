"""Train replicas: check the arguments, make chunks, train one after another or several at once."""

import dataclasses
import functools
import pathlib
import threading
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_amsgrad.checks import number
from keras_amsgrad.replicas import backends, chunks, random_state
from keras_amsgrad.replicas.backup import Backup
from keras_amsgrad.replicas.callbacks import check_callbacks
from keras_amsgrad.replicas.chunk_training import OnEpoch, TrainingOptions, train_chunk
from keras_amsgrad.replicas.chunks import Chunk, Chunking
from keras_amsgrad.replicas.measures import measures_of
from keras_amsgrad.replicas.networks import check_network
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome, Replica
from keras_amsgrad.replicas.threads import Devices, at_once, each_in_threads
from keras_amsgrad.rules import Tensor

MEMORY = 4 * 2**30  # bytes for one chunk


class Workers(Protocol):
    """Other processes that train chunks, in place of threads of this one."""

    @property
    def count(self) -> int:
        """How many chunks they train at the same time."""

    def train(self, chunking: Chunking, backups: Sequence[pathlib.Path | None]) -> Iterator[tuple[int, list[Outcome]]]:
        """Train chunks; yield (number of a chunk in `chunking.parts`, outcomes of its replicas) as they finish.

        `backups` are the files in which the chunks save their states.
        """


def train(
    model: Callable[[], keras.Model] | ProgramCache,
    replicas: Sequence[Replica],
    x: Any,
    y: ArrayLike,
    *,
    loss: Any = "sparse_categorical_crossentropy",
    metrics: Any = None,
    weighted_metrics: Any = None,
    sample_weight: ArrayLike | None = None,
    batch_size: int = 32,
    validation_batch_size: int | None = None,
    fill_last_batch: bool = False,
    epochs: int = 1,
    shuffle: bool = True,
    early_stopping: keras.callbacks.EarlyStopping | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    memory: int = MEMORY,
    together: int | None = None,
    on_epoch: OnEpoch | None = None,
    on_chunk: Callable[[list[int], list[Outcome]], object] | None = None,
    backup: Callable[[list[int]], pathlib.Path] | None = None,
    finished: Collection[int] = (),
    resumable: bool = False,
    chunking: Chunking | None = None,
    on_start: Callable[[Chunking, list[int]], object] | None = None,
    workers: Workers | None = None,
) -> list[Any]:  # of `Outcome`, and of None for what is `finished`
    """Train every replica as `model.fit` would train it alone, and return an `Outcome` for each, in their order.

    Replicas that share optimizer class, seed and rows train together in one compiled program, each with its own
    numbers (learning rate, betas, ...). A replica that diverges does not change the others. The random state of the
    process (Python, NumPy, Keras and its backend) is restored at the end.

    Args:
        model: A function without arguments that returns a new, uncompiled Keras model. It is called once for each
            seed, after `keras.utils.set_random_seed(seed)`. Or a `ProgramCache` of one, which several calls may share.
        replicas: A list of `Replica`.
        x, y: All rows, arrays (n, ...): replicas name theirs by number. For several inputs `x` is a list, tuple or
            dictionary of arrays.
        loss: A Keras loss: name, function or instance.
        metrics, weighted_metrics: Keras metrics, as `compile` takes them; each replica has copies of its own. None: the
            accuracy if the loss is a cross-entropy. Metrics other than "accuracy" take longer to compile.
        sample_weight: Weights of all rows, (n,), for the replicas that have none of their own. They act as in `fit`, in
            training and validation alike.
        batch_size: Rows in a batch; the last batch of an epoch is short where it does not divide.
        validation_batch_size: Rows in a batch of a validation, on which a metric may depend; None: `batch_size`.
        fill_last_batch: Whether random repeats fill that batch (see `epoch_order`). Needs `shuffle`.
        epochs: Epochs at most.
        shuffle: Whether rows come in the order `epoch_order(seed, epoch, n)`, or as they are in `training`.
        early_stopping: A `keras.callbacks.EarlyStopping` to apply to each replica by itself, or None.
        callbacks: More callbacks, applied to each replica by itself, in their order: EarlyStopping, ReduceLROnPlateau,
            LearningRateScheduler and TerminateOnNaN of `keras.callbacks`. A replica whose loss is not finite ends with
            that epoch in any case; `fit` with TerminateOnNaN leaves it at once, so that the other numbers of this last
            epoch may differ.
        memory: Bytes that one chunk of replicas may take; more replicas run in several chunks.
        together: Largest number of replicas in a chunk, also of a convolutional network; None: an estimate from
            `memory`.
        on_epoch: Called as `on_epoch(positions, epoch, logs)` after each epoch of a chunk: positions in `replicas` of
            those still training, epoch from 0, and a list of {name: value}. On a CPU, and on several GPUs, several
            chunks run at once, and each calls from a thread of its own. What `workers` train calls nothing.
        on_chunk: Called as `on_chunk(positions, outcomes)`, in the calling thread, when a chunk has finished.
        backup: A function from the positions of a chunk to the path of a file in which to save its state while it
            trains. A later call with the same arguments continues from there. None saves nothing; so does
            early stopping with `restore_best_weights`.
        finished: Positions of replicas that need no training. A chunk that consists of such replicas is left out, and
            its outcomes are None. The other chunks give the same numbers as without `finished`, to the bit.
        resumable: Whether outcomes keep the state from which `Replica.start` continues. It takes the memory of weights
            and slots. None is kept for early stopping with `restore_best_weights`, and on the torch backend.
        chunking: How to divide the replicas into chunks, as an earlier call did; `memory` and `together` do not act.
        on_start: Called as `on_start(chunking, firsts)` before training: how the replicas are divided, and the numbers
            of the first chunk of each compiled program.
        workers: Other processes that train the chunks, where there is more than one chunk; None: this process.

    Raises:
        UnsupportedError: Something that `model.fit` supports and replicas do not. The message names it; nothing has
            been trained.
        ValueError: An argument outside its range.

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
    number("batch_size", batch_size, "a whole number >= 1", lambda size: size >= 1 and size == int(size))
    if fill_last_batch and not shuffle:
        raise ValueError("`fill_last_batch` needs `shuffle`. Received: fill_last_batch=True, shuffle=False")
    for replica in replicas:
        _check_start(replica.start, epochs if replica.epochs is None else replica.epochs)
    replicas = _with_row_weights(replicas, sample_weight, len(np.asarray(y)))

    @functools.cache
    def options_on(device: str | None) -> TrainingOptions:
        """Return the options, with the data on the device of the scope in which this is called."""
        return TrainingOptions(
            keras.tree.map_structure(_tensor, x),
            _tensor(y),
            batch_size,
            validation_batch_size or batch_size,
            fill_last_batch,
            epochs,
            shuffle,
            [*([early_stopping] if early_stopping else []), *callbacks],
            resumable,
        )

    options, devices = options_on(None), Devices()
    outcomes: list[Outcome | None] = [None] * len(replicas)

    def backup_of(chunk: Chunk) -> Backup:
        return Backup(backup(chunk.positions) if backup and not options.restores_weights else None)

    def train_one(chunk: Chunk, stop: threading.Event) -> list[Outcome]:
        with devices.one() as device:
            return train_chunk(chunk, programs, options_on(device), backup_of(chunk), on_epoch, stop)

    def done(chunk: Chunk, found: list[Outcome]) -> None:
        for i, outcome in zip(chunk.positions, found, strict=True):
            outcomes[i] = outcome
        if on_chunk is not None:
            on_chunk(chunk.positions, found)
        backup_of(chunk).remove()

    with random_state.preserved():
        groups = chunks.groups(replicas)
        programs = model if isinstance(model, ProgramCache) else ProgramCache(model)
        programs.steps = chunking.steps if chunking else sum(options.steps(replicas[group[0]]) for group in groups)
        if replicas:
            _measure(programs, replicas, options, loss, metrics, weighted_metrics)
            programs.add_earlier()
        if chunking:
            found = chunking.chunks(replicas)
        else:
            count = workers.count if workers else at_once(programs.template) if replicas else 1
            found = _chunks(replicas, groups, programs, options, memory, together, count)
        if on_start is not None:
            parts = tuple((tuple(chunk.positions), chunk.size) for chunk in found)
            on_start(Chunking(parts, programs.steps), programs.first_of_each(found))
        missing = [chunk for chunk in found if not set(chunk.positions) <= set(finished)]
        if workers and len(missing) > 1:
            for chunk in missing:
                programs.program(chunk)  # which is not traced, but later calls divide replicas as if it had been
            parts = tuple((tuple(chunk.positions), chunk.size) for chunk in missing)
            backups = [backup_of(chunk).path for chunk in missing]
            for k, of_chunk in workers.train(Chunking(parts, programs.steps), backups):
                done(missing[k], of_chunk)
        elif missing:
            for leader in (leader for chunk in missing for leader in chunk.leaders):
                programs.weights_for(leader.seed)  # here, because the threads below share one random state
            each_in_threads(at_once(programs.template), train_one, missing, done)
    return outcomes


def _check_start(start: Outcome | None, epochs: int) -> None:
    if start is not None and (start.state is None or start.epochs > epochs):
        state = "no state" if start.state is None else "a state"
        raise ValueError(
            f"`start` must have a state and at most the epochs of its replica ({epochs}). "
            f"Received: {state}, {start.epochs} epochs"
        )


def _tensor(rows: ArrayLike) -> Tensor:
    """Return all rows as a tensor, floats in Keras's precision."""
    rows = np.asarray(rows)
    return ops.convert_to_tensor(rows.astype(keras.config.floatx(), copy=False) if rows.dtype.kind == "f" else rows)


def _with_row_weights(replicas: Sequence[Replica], weights: ArrayLike | None, rows: int) -> list[Replica]:
    """Return replicas that all have weights of rows, or none of them; a row without a weight has a weight of 1."""
    own = [weights if replica.sample_weight is None else replica.sample_weight for replica in replicas]
    if all(each is None for each in own):
        return list(replicas)
    arrays = [np.ones(rows, "float32") if each is None else np.asarray(each, "float32") for each in own]
    for array in arrays:
        if array.shape != (rows,):
            raise ValueError(f"`sample_weight` must have the shape ({rows},) of the rows. Received: {array.shape}")
    return [dataclasses.replace(each, sample_weight=array) for each, array in zip(replicas, arrays, strict=True)]


def _measure(
    programs: ProgramCache,
    replicas: Sequence[Replica],
    options: TrainingOptions,
    loss: Any,
    metrics: Any,
    weighted_metrics: Any,
) -> None:
    """Set what programs measure; raise UnsupportedError where replicas would train differently from `fit`."""
    template = programs.template_for(replicas[0].seed)
    check_network(template)
    weighted = replicas[0].sample_weight is not None
    monitored = bool(options.callbacks)
    programs.measure(
        weighted, lambda: measures_of(template, loss, metrics, weighted_metrics, options.y, weighted, monitored)
    )
    names = programs.measures.names
    if all(len(replica.validation) for replica in replicas):
        names = (*names, *(f"val_{name}" for name in names))
    scheduled = any(callable(r.form.numbers["learning_rate"]) for r in replicas)
    check_callbacks(options.callbacks, names, programs.metrics, scheduled)


def _chunks(
    replicas: Sequence[Replica],
    groups: list[list[int]],
    programs: ProgramCache,
    options: TrainingOptions,
    memory: int,
    together: int | None,
    count: int,
) -> list[Chunk]:
    """Return all chunks, of which `count` train at the same time.

    Each has one group, or several where the backend maps a program over groups.
    """
    limits = []
    for group in groups:
        slots = replicas[group[0]].form.arrays
        estimate = chunks.largest_chunk(programs.template, slots, options.batch_size, memory, len(replicas), count)
        limits.append(together if together and backends.CAN_STACK else estimate)
    found = [programs.with_room(chunk) for chunk in chunks.chunks_of_groups(replicas, groups, limits)]
    if not found or not backends.can_map_groups():
        return found
    return chunks.joined(found, min(limits), lambda chunk: (programs.key(chunk), *_counts(chunk.leaders[0])))


def _counts(replica: Replica) -> tuple[int, ...]:
    rows = replica.training, replica.validation, replica.test, replica.outputs_for
    return *map(len, rows), replica.first_epoch
