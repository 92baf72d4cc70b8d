"""Metrics that the studies measure and Keras has not in this form."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("studies")
class R2(keras.metrics.Metric):
    """R² of targets and predictions (rows, outputs), the mean over the outputs; of a constant target it is 0.

    `keras.metrics.R2Score` computes the variance of the targets as the mean square less the squared mean. In float32
    little is left of that difference where targets lie far from 0, as years do. Here the sum of squares around the mean
    is merged batch by batch (Chan, Golub and LeVeque 1983, https://doi.org/10.1080/00031305.1983.10483115).

    >>> metric = R2(outputs=1)
    >>> metric.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    >>> round(float(metric.result()), 4)
    0.5714
    """

    def __init__(self, outputs: int, name: str = "r2", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.outputs = outputs
        self.rows = self.add_variable((), "zeros", name="rows")
        self.mean = self.add_variable((outputs,), "zeros", name="mean")
        self.squares = self.add_variable((outputs,), "zeros", name="squares")  # of the targets, around their mean
        self.residuals = self.add_variable((outputs,), "zeros", name="residuals")  # squares of the errors

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y, predicted = (ops.cast(each, self.dtype) for each in (y_true, y_pred))
        rows, mean = ops.cast(ops.shape(y)[0], self.dtype), ops.mean(y, 0)
        every, apart = self.rows + rows, mean - self.mean
        within = ops.sum(ops.square(y - mean), 0)
        self.squares.assign(self.squares + within + ops.square(apart) * self.rows * rows / every)
        self.mean.assign(self.mean + apart * rows / every)
        self.rows.assign(every)
        self.residuals.assign(self.residuals + ops.sum(ops.square(y - predicted), 0))

    def result(self) -> Any:
        squares = ops.convert_to_tensor(self.squares)
        varies = squares > 0
        return ops.mean(ops.where(varies, 1 - self.residuals / ops.where(varies, squares, 1.0), 0.0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "outputs": self.outputs}
