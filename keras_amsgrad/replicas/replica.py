"""A replica, and the outcome of its training."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_amsgrad.replicas.settings import PureForm, pure_form

RowNumbers = np.ndarray | Sequence[int]
History = dict[str, list[float]]
Weights = list[np.ndarray]  # the values of `model.variables`


@dataclasses.dataclass(frozen=True, eq=False)
class Replica:
    """One fit: an optimizer with its numbers, a seed, and the rows to train and validate on.

    Attributes:
        optimizer: An optimizer, not yet used; only its settings are read. Of keras.optimizers: SGD, RMSprop, Adagrad,
            Adadelta, Adam, AdamW, Adamax, Nadam, Lion; of this package: Adam, AMSGrad, AdaMax, RAdam, AdaBelief, Yogi,
            and Nadam with `momentum_decay=None`. All settings count except `gradient_accumulation_steps` and
            `loss_scale_factor`, which must be None. The learning rate may be a LearningRateSchedule.
        seed: Determines initial weights, dropout and the order of the rows; a whole number >= 0.
        training: Numbers of the training rows, (n,) integers.
        validation: Numbers of the rows to validate on after every epoch; empty for none.
        outputs_for: Numbers of the rows for which to return the trained network's outputs; empty for none.
        sample_weight: Weights of all rows, (n,), in the loss and in `weighted_metrics`, while training and validating;
            None: those of `train`. For class weights, which act in training only, give validation rows a weight of 1.
        epochs: Epochs at most; None: those of `train`. Replicas with different numbers train in one program.
        start: An outcome, with a `state`, of a replica that differs from this one in `epochs` and `outputs_for` only:
            training continues from it. The result is that of training from the beginning. None starts there.
        strengths: Dropout rates and penalties in place of those of the network, in the order of
            `keras_amsgrad.replicas.strengths.strengths`; None: those of the network.
        test: Numbers of further rows to measure on after every epoch, which the history has as "test_loss", ...; no
            callback sees them. Empty for none.

    >>> from keras_amsgrad import AMSGrad
    >>> replica = Replica(AMSGrad(0.01), seed=0, training=range(30), validation=range(30, 40))
    >>> replica.first_epoch
    0
    """

    optimizer: keras.optimizers.Optimizer
    seed: int
    training: RowNumbers
    validation: RowNumbers = ()
    outputs_for: RowNumbers = ()
    sample_weight: np.ndarray | None = None
    epochs: int | None = None
    start: "Outcome | None" = None
    strengths: Sequence[float] | None = None
    test: RowNumbers = ()

    @functools.cached_property
    def form(self) -> PureForm:
        """The optimizer as the engine runs it. Its settings are read once, which takes a millisecond.

        Raises:
            UnsupportedError: Replicas cannot have this optimizer.
        """
        return pure_form(self.optimizer)

    @property
    def first_epoch(self) -> int:
        """The epoch, from 0, with which training starts."""
        return 0 if self.start is None else self.start.epochs


@dataclasses.dataclass(eq=False)
class Outcome:
    """The result of training a replica.

    Attributes:
        status: "ok"; "stopped" by a callback; "diverged" when a loss was not finite: that epoch is the last.
        history: {"loss", "accuracy", "val_loss", "val_accuracy": one float an epoch}, as Keras's `fit` reports them,
            with other metrics and "learning_rate" where they were asked for.
        weights: The values of `model.variables`, NumPy arrays.
        outputs: The outputs for the rows `outputs_for`, (rows, ...).
        seconds: Its share of the time that its chunk took. Epochs before `Replica.start` do not count.
        state: Weights, slots and all else from which training may continue, in NumPy arrays; None unless `train` was
            asked to keep it (`resumable`).

    >>> outcome = Outcome("ok", {"loss": [0.7, 0.5]}, weights=[], outputs=None, seconds=0.1)
    >>> outcome.epochs, outcome.history["loss"][-1]
    (2, 0.5)
    """

    status: str
    history: History
    weights: Weights
    outputs: np.ndarray | None
    seconds: float
    state: dict[str, Any] | None = None

    @property
    def epochs(self) -> int:
        """The number of epochs in the history."""
        return len(next(iter(self.history.values()), ()))
