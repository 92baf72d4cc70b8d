"""Train one chunk of replicas: the loop over epochs around the compiled program."""

import dataclasses
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_amsgrad.order import epoch_order
from keras_amsgrad.replicas import backends, settings
from keras_amsgrad.replicas.backup import Backup
from keras_amsgrad.replicas.callbacks import ChunkHistory
from keras_amsgrad.replicas.chunks import Chunk
from keras_amsgrad.replicas.program import State
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome, Replica, RowNumbers
from keras_amsgrad.replicas.stacked_program import Measured, StackedProgram
from keras_amsgrad.rules import Tensor

OnEpoch = Callable[[list[int], int, list[dict[str, Any]]], object]  # positions, epoch, the logs of each
PREDICTION_ROWS = 1000  # rows in one step


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingOptions:
    """What all replicas of one call share; see `train`."""

    x: Any
    y: Tensor
    batch_size: int
    validation_batch_size: int
    fill_last_batch: bool
    epochs: int
    shuffle: bool
    callbacks: Sequence[Any]
    resumable: bool

    @property
    def restores_weights(self) -> bool:
        """Whether a replica ends with the weights of an earlier epoch."""
        return any(getattr(callback, "restore_best_weights", False) for callback in self.callbacks)

    @property
    def keeps_states(self) -> bool:
        """Whether outcomes keep the states from which training continues.

        Best weights are in none of them. On torch random layers draw from the random state of the process, so that
        training that continues would not be that from the beginning.
        """
        return self.resumable and backends.CAN_STACK and not self.restores_weights

    def epochs_of(self, replica: Replica) -> int:
        """Return how many epochs a replica trains for, at most."""
        return self.epochs if replica.epochs is None else replica.epochs

    def steps(self, replica: Replica) -> int:
        """Return how many updates a replica trains for, at most."""
        epochs = self.epochs_of(replica) - replica.first_epoch
        return epochs * math.ceil(len(replica.training) / self.batch_size)

    def rows(self, replica: Replica, epoch: int) -> np.ndarray:
        """Return the training rows of one epoch in their order, (n,) int32."""
        rows = np.asarray(replica.training, "int32")
        if self.shuffle:
            multiple_of = self.batch_size if self.fill_last_batch else 1
            rows = rows[epoch_order(replica.seed, epoch, len(rows), multiple_of)]
        return rows


def train_chunk(
    chunk: Chunk,
    programs: ProgramCache,
    options: TrainingOptions,
    backup: Backup,
    on_epoch: OnEpoch | None,
    stop: threading.Event,
) -> list[Outcome]:
    """Train the replicas of a chunk and return their outcomes; none where the event `stop` ended the training early."""
    started = time.perf_counter()
    program = programs.program(chunk)
    starts = [replica.start for replica in chunk.replicas if replica.start]  # of all replicas, or of none
    final = {k: start.state for k, start in enumerate(starts) if start.state}  # of each replica, at its last epoch
    if starts:
        state = program.continued_state(list(final.values()), chunk.strengths)
    else:
        state = program.initial_state([programs.weights_for(leader.seed) for leader in chunk.leaders], chunk.strengths)
    weights = program.row_weights([leader.sample_weight for leader in chunk.leaders])
    history = ChunkHistory(
        [options.epochs_of(replica) for replica in chunk.replicas],
        options.callbacks,
        programs.metrics,
        settings.columns(chunk.forms),
        lambda k: program.final_weights(state, k),
    )
    state, histories = backup.restore(state)
    done = history.replay(histories or [start.history for start in starts])
    epochs, saves = max(history.epochs) if history.running.any() else done, True
    for epoch in range(done, epochs):
        numbers = program.numbers(history.begin(epoch))
        rows = [options.rows(leader, epoch) for leader in chunk.leaders]
        state, logs = program.epoch(
            options.batch_size, state, numbers, options.x, options.y, weights, rows, history.running
        )
        logs |= _measured_on("val", [leader.validation for leader in chunk.leaders], program, state, weights, options)
        unseen = _measured_on("test", [leader.test for leader in chunk.leaders], program, state, weights, options)
        ran, _, of_each = history.add(epoch, logs, unseen)
        if on_epoch is not None:
            on_epoch([chunk.positions[k] for k in ran], epoch, of_each)
        ended = [k for k in ran if not history.running[k]] if options.keeps_states else []
        final |= {k: program.state_of(state, k) for k in ended}
        if not history.running.any():
            break
        saves = saves and not ended  # a backup would lack the states of those that have ended
        if saves:
            backup.save(state, history.history, at_once=stop.is_set())
        if stop.is_set():
            return []  # nobody waits for outcomes
    outcomes = _outcomes(program, state, history, chunk, options, time.perf_counter() - started)
    for k, of_one in final.items():
        outcomes[k].state = of_one if options.keeps_states else None
    return outcomes


def _measured_on(
    part: str,
    rows: Sequence[RowNumbers],
    program: StackedProgram,
    state: State,
    weights: Tensor | None,
    options: TrainingOptions,
) -> Measured:
    """Return loss and metrics over the `rows` of each group, {"PART_...": (replicas,)}; without rows, nothing."""
    if not len(rows[0]):
        return {}
    numbers = [np.asarray(each, "int32") for each in rows]
    measured = program.evaluate(options.validation_batch_size, state, options.x, options.y, weights, numbers)
    return {f"{part}_{name}": values for name, values in measured.items()}


def _outcomes(
    program: StackedProgram,
    state: State,
    history: ChunkHistory,
    chunk: Chunk,
    options: TrainingOptions,
    seconds: float,
) -> list[Outcome]:
    state = program.finalized(state) if max(history.epochs) else state
    weights = [program.final_weights(state, k) for k in range(program.count)]
    count = len(chunk.replicas)
    best = history.best_weights()
    if any(restored is not None for restored in best):
        best += [None] * (program.count - count)
        weights = [own if restored is None else restored for own, restored in zip(weights, best, strict=True)]
        state = program.state_with(state, weights)
    outputs = _outputs(program, state, options, [leader.outputs_for for leader in chunk.leaders])
    return [
        Outcome(history.status[k], history.history[k], weights[k], outputs[k], seconds / count) for k in range(count)
    ]


def _outputs(
    program: StackedProgram, state: State, options: TrainingOptions, rows: Sequence[RowNumbers]
) -> list[np.ndarray | None]:
    """Return the outputs of each replica for its group's `rows`: a list of arrays (rows, ...), or of None."""
    if not len(rows[0]):
        return [None] * program.count
    parts = np.split(np.asarray(rows, "int32"), range(PREDICTION_ROWS, len(rows[0]), PREDICTION_ROWS), axis=1)
    parts = [program.predict(state, options.x, list(part)) for part in parts]
    return list(np.concatenate([ops.convert_to_numpy(part) for part in parts], axis=1))
