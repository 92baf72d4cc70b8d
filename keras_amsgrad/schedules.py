"""Learning-rate schedules of the papers."""

import keras
from keras import ops

from keras_amsgrad.checks import number


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

    def __init__(self, learning_rate, steps_per_epoch=None):
        self.learning_rate = number("learning_rate", learning_rate, "a number >= 0", lambda x: x >= 0)
        if steps_per_epoch is not None and (steps_per_epoch != int(steps_per_epoch) or steps_per_epoch < 1):
            raise ValueError(
                f"`steps_per_epoch` must be an integer >= 1 or None. Received: steps_per_epoch={steps_per_epoch!r}"
            )
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step):
        # Whole numbers first: float32 cannot count beyond 2^24 updates.
        t = step + 1 if self.steps_per_epoch is None else step // self.steps_per_epoch + 1
        return self.learning_rate / ops.sqrt(ops.cast(t, keras.config.floatx()))

    def get_config(self):
        return {"learning_rate": self.learning_rate, "steps_per_epoch": self.steps_per_epoch}
