"""Learning-rate schedules of the papers, and the weight decay that goes with them."""

import math
from typing import Any

import keras
from keras import ops

from keras_amsgrad.checks import number
from keras_amsgrad.rules import Tensor

NEVER = 2**30  # an update beyond any training


@keras.saving.register_keras_serializable("keras_amsgrad")
class InverseSqrtDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Step size `alpha / sqrt(t)`, the schedule of the convergence proofs of Adam and AMSGrad.

    `t` counts from 1: it is the update by default, or the epoch where `steps_per_epoch` is given (sources that write
    `alpha / sqrt(t)` rarely say which). Source: Kingma and Ba 2015, section 4; Reddi, Kale and Kumar 2018, theorem 4.

    Args:
        learning_rate: alpha, the step size at t = 1, a number >= 0.
        steps_per_epoch: Updates in one epoch, an integer >= 1, for `t` = epoch; None for `t` = update.

    Raises:
        ValueError: A setting is outside its range.

    >>> schedule = InverseSqrtDecay(0.5)
    >>> [float(schedule(step)) for step in (0, 3, 99)]
    [0.5, 0.25, 0.05...]
    >>> by_epoch = InverseSqrtDecay(0.5, steps_per_epoch=10)
    >>> [float(by_epoch(step)) for step in (0, 9, 10, 30)]
    [0.5, 0.5, 0.35..., 0.25]
    """

    def __init__(self, learning_rate: float, steps_per_epoch: int | None = None) -> None:
        self.learning_rate = number("learning_rate", learning_rate, "a number >= 0", lambda x: x >= 0)
        if steps_per_epoch is not None and (steps_per_epoch != int(steps_per_epoch) or steps_per_epoch < 1):
            raise ValueError(
                f"`steps_per_epoch` must be an integer >= 1 or None. Received: steps_per_epoch={steps_per_epoch!r}"
            )
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step: Tensor) -> Tensor:
        # Whole numbers first: float32 cannot count beyond 2^24 updates.
        t = step + 1 if self.steps_per_epoch is None else step // self.steps_per_epoch + 1
        return self.learning_rate / ops.sqrt(ops.cast(t, keras.config.floatx()))

    def get_config(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate, "steps_per_epoch": self.steps_per_epoch}


def whole(name: str, value: Any) -> int:
    """Return `value` as an int >= 1, else raise ValueError."""
    return int(number(name, value, "an integer >= 1", lambda x: x >= 1 and x == math.floor(x)))


@keras.saving.register_keras_serializable("keras_amsgrad")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Step size that falls on a straight line from `learning_rate` in the first epoch to `final` in the last.

    In epoch `e` = 1 .. `epochs` it is `learning_rate + (final - learning_rate) (e - 1) / (epochs - 1)`, the same for
    all updates of the epoch, and `final` ever after.

    Args:
        learning_rate: The step size of the first epoch, a number >= 0.
        epochs: Epochs until `final` is reached, an integer >= 2.
        steps_per_epoch: Updates in one epoch, an integer >= 1.
        final: The step size of the last epoch, a number >= 0.

    Raises:
        ValueError: A setting is outside its range.

    >>> schedule = LinearDecay(1.0, epochs=5, steps_per_epoch=10)
    >>> [float(schedule(step)) for step in (0, 9, 10, 20, 49, 99)]
    [1.0, 1.0, 0.75, 0.5, 0.0, 0.0]
    """

    def __init__(self, learning_rate: float, epochs: int, steps_per_epoch: int, final: float = 0.0) -> None:
        self.learning_rate = number("learning_rate", learning_rate, "a number >= 0", lambda x: x >= 0)
        number("epochs", epochs, "an integer >= 2", lambda x: x >= 2 and x == math.floor(x))
        self.epochs = int(epochs)
        self.steps_per_epoch = whole("steps_per_epoch", steps_per_epoch)
        self.final = number("final", final, "a number >= 0", lambda x: x >= 0)

    def __call__(self, step: Tensor) -> Tensor:
        epoch = ops.minimum(step // self.steps_per_epoch, self.epochs - 1)
        done = ops.cast(epoch, keras.config.floatx()) / (self.epochs - 1)
        return self.learning_rate + (self.final - self.learning_rate) * done

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
            "steps_per_epoch": self.steps_per_epoch,
            "final": self.final,
        }


@keras.saving.register_keras_serializable("keras_amsgrad")
class WarmRestarts(keras.optimizers.schedules.LearningRateSchedule):
    """Cosine annealing with warm restarts (SGDR, Loshchilov and Hutter 2017).

    Within restart i of `T_i` updates the step size falls along half a cosine, `minimum + (learning_rate - minimum)
    (1 + cos(pi T_cur / T_i)) / 2`; then it starts again, with `T_{i+1} = multiplier T_i` (rounded to whole updates).

    Args:
        learning_rate: The step size after every restart, a number >= 0.
        first_updates: `T_0`, the updates until the first restart, an integer >= 1.
        multiplier: By how much each restart is longer than the one before, a number >= 1.
        minimum: Where the step size falls to, a number >= 0.

    Raises:
        ValueError: A setting is outside its range.

    >>> schedule = WarmRestarts(1.0, first_updates=4, multiplier=2)
    >>> [round(float(schedule(step)), 3) for step in (0, 2, 3, 4, 8, 12)]
    [1.0, 0.5, 0.146, 1.0, 0.5, 1.0]
    """

    def __init__(self, learning_rate: float, first_updates: int, multiplier: float = 1.0, minimum: float = 0.0) -> None:
        self.learning_rate = number("learning_rate", learning_rate, "a number >= 0", lambda x: x >= 0)
        self.first_updates = whole("first_updates", first_updates)
        self.multiplier = number("multiplier", multiplier, "a number >= 1", lambda x: x >= 1)
        self.minimum = number("minimum", minimum, "a number >= 0", lambda x: x >= 0)
        self._starts, self._lengths = restarts(self.first_updates, self.multiplier)

    def position(self, step: Tensor) -> tuple[Tensor, Tensor]:
        """Return (updates since the last restart, updates between it and the next) at `step` = 0, 1, ..."""
        step = ops.cast(step, "int32")
        if self.multiplier == 1:
            return step % self.first_updates, ops.full_like(step, self.first_updates)
        # Whole numbers throughout: a logarithm in float32 would miss the update at which a restart falls.
        restart = ops.sum(ops.cast(step >= ops.convert_to_tensor(self._starts, dtype="int32"), "int32")) - 1
        starts, lengths = (ops.convert_to_tensor(x, dtype="int32") for x in (self._starts, self._lengths))
        return step - ops.take(starts, restart), ops.take(lengths, restart)

    def __call__(self, step: Tensor) -> Tensor:
        now, length = (ops.cast(x, keras.config.floatx()) for x in self.position(step))
        return self.minimum + (self.learning_rate - self.minimum) * (1 + ops.cos(math.pi * now / length)) / 2

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "first_updates": self.first_updates,
            "multiplier": self.multiplier,
            "minimum": self.minimum,
        }


def restarts(first: int, multiplier: float) -> tuple[list[int], list[int]]:
    """Return the updates at which restarts fall, from 0 to beyond any training, and their lengths.

    >>> starts, lengths = restarts(4, 2)
    >>> starts[:4], lengths[:4]
    ([0, 4, 12, 28], [4, 8, 16, 32])
    """
    starts, lengths, length = [0], [first], float(first)
    while multiplier > 1 and starts[-1] + lengths[-1] < NEVER:
        length *= multiplier
        starts.append(starts[-1] + lengths[-1])
        lengths.append(min(round(length), NEVER))
    return starts, lengths


@keras.saving.register_keras_serializable("keras_amsgrad")
class NormalizedWeightDecay:
    """Weight decay `normalized / sqrt(updates of the current restart)`, a callable of the step."""

    def __init__(self, normalized: float, schedule: WarmRestarts) -> None:
        self.normalized, self.schedule = normalized, schedule

    def __call__(self, step: Tensor) -> Tensor:
        _, length = self.schedule.position(step)
        return self.normalized / ops.sqrt(ops.cast(length, keras.config.floatx()))

    def get_config(self) -> dict[str, Any]:
        return {"normalized": self.normalized, "schedule": keras.saving.serialize_keras_object(self.schedule)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "NormalizedWeightDecay":
        return cls(config["normalized"], keras.saving.deserialize_keras_object(config["schedule"]))


def normalized_weight_decay(normalized: float, updates: int | WarmRestarts) -> float | NormalizedWeightDecay:
    """Return the `weight_decay` of an optimizer that does not depend on how long training is.

    `normalized sqrt(b / (B T))` for batches of b out of B rows and T epochs, that is `normalized / sqrt(updates)`.
    Source: Loshchilov and Hutter 2019, appendix B.1.

    Keras multiplies weight decay by the learning rate, the paper by its schedule alone: for the paper's decay divide
    `normalized` by the learning rate at the start.

    Args:
        normalized: The paper's normalised weight decay, a number >= 0; it recommends 0.025 to 0.05.
        updates: All updates of the training, an integer >= 1; or its `WarmRestarts`, for a decay that is normalised
            anew at every restart.

    Returns:
        A float, or a callable of the step.

    Raises:
        ValueError: A setting is outside its range.

    >>> normalized_weight_decay(0.05, updates=10_000)
    0.0005
    >>> restarts = WarmRestarts(0.001, first_updates=100, multiplier=4)
    >>> decay = normalized_weight_decay(0.05, restarts)
    >>> [round(float(decay(step)), 6) for step in (0, 99, 100)]
    [0.005, 0.005, 0.0025]
    """
    normalized = number("normalized", normalized, "a number >= 0", lambda x: x >= 0)
    if isinstance(updates, WarmRestarts):
        return NormalizedWeightDecay(normalized, updates)
    return normalized / math.sqrt(whole("updates", updates))
