"""Plans of fits as replicas: what an estimator's `fit` would give to Keras."""

import dataclasses
import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
import numpy as np

from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.model_selection.fits import fingerprint
from keras_amsgrad.model_selection.networks import optimizer_key, part_key
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome, Replica
from keras_amsgrad.replicas.strengths import strengths
from keras_amsgrad.replicas.training import train


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A compiled network that several fits may share.

    Attributes:
        build: Returns it anew, with initial weights that follow from the random state of the process.
        model: One that was built; its weights are of no importance.
        key: Equal for equal networks; see `network_key`.
    """

    build: Callable[[], keras.Model]
    model: keras.Model
    key: Hashable

    @property
    def metrics(self) -> tuple[Any, Any]:
        """The metrics and weighted metrics with which it was compiled."""
        return keras_internals.compiled_metrics(self.model)

    @property
    def strengths(self) -> tuple[float, ...]:
        """The numbers in which networks with the same key may differ."""
        return strengths(self.model)


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """A fit as a replica.

    Attributes:
        network: What trains.
        optimizer: The optimizer that the fit would compile it with.
        seed: See `Replica`.
        x, y: Rows as Keras receives them; plans train together if these are the same objects.
        training, outputs_for: Numbers of these rows: to train on, and for which to return outputs.
        sample_weight: Weights of all rows; None for none. See `Replica`.
        batch_size, validation_batch_size, epochs, shuffle, validation_split, callbacks: As in Keras's `fit`.
        finish: Returns the estimator with the outcome of the replica; it shares the model of the network.
        with_known: Given a fitted estimator and a function, returns a copy that asks the function for the network's
            outputs for some X first, and computes them where it returns None.
    """

    network: Network
    optimizer: Any
    seed: int
    x: Any
    y: np.ndarray
    training: np.ndarray
    outputs_for: np.ndarray
    sample_weight: np.ndarray | None
    batch_size: int
    validation_batch_size: int | None
    epochs: int
    shuffle: bool
    validation_split: float
    callbacks: list[Any]
    finish: Callable[[Outcome], Any]
    with_known: Callable[[Any, Callable[[Any], np.ndarray | None]], Any]

    @property
    def key(self) -> Hashable:
        """Return what plans share that train in one call of the engine."""
        settings = self.batch_size, self.validation_batch_size, self.shuffle, self.validation_split
        return self.program_key, settings, id(self.x), id(self.y)

    @property
    def program_key(self) -> Hashable:
        """Return what plans share of which the programs of one serve another."""
        parts = [self.network.model.loss, *self.network.metrics, self.callbacks]
        return self.network.key, part_key(parts), self.y.shape[1:], self.y.dtype

    @property
    def key_without_epochs(self) -> Hashable:
        """Return what plans share of which the one with more epochs continues the other."""
        weight = None if self.sample_weight is None else self.sample_weight.tobytes()
        own = optimizer_key(self.optimizer), self.network.strengths, self.seed
        return self.key, *own, fingerprint(self.training), weight

    def replica(self, start: Outcome | None = None, strengths: Sequence[float] | None = None) -> Replica:
        """Return the replica, which continues `start` if that is given; Keras validates on the last rows.

        `strengths` are None for those of its program's network.
        """
        trained_on = math.floor(len(self.training) * (1 - self.validation_split))
        return Replica(
            self.optimizer,
            self.seed,
            self.training[:trained_on],
            self.training[trained_on:],
            self.outputs_for,
            self.sample_weight,
            self.epochs,
            start,
            strengths,
        )


def train_plans(
    plans: Sequence[Plan],
    programs: ProgramCache,
    *,
    starts: Sequence[Outcome | None],
    own_strengths: bool,
    **how: Any,
) -> list[Outcome]:
    """Train plans that are alike; return the outcome of each, and None for those that `how` counts as finished.

    Args:
        plans: Plans with the same `key`.
        programs: The programs of their `program_key`.
        starts: The outcomes from which they continue; None for each that starts at the beginning.
        own_strengths: Whether each replica has strengths of its own; see `Replica`.
        how: Further arguments of `replicas.train`.
    """
    plan = plans[0]
    replicas = [
        each.replica(start, each.network.strengths if own_strengths else None)
        for each, start in zip(plans, starts, strict=True)
    ]
    metrics, weighted_metrics = plan.network.metrics
    return train(
        programs,
        replicas,
        plan.x,
        plan.y,
        loss=plan.network.model.loss,
        metrics=metrics or [],
        weighted_metrics=weighted_metrics,
        batch_size=plan.batch_size,
        validation_batch_size=plan.validation_batch_size,
        shuffle=plan.shuffle,
        callbacks=plan.callbacks,
        **how,
    )
