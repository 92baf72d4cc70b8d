"""The update rules, in the letters of the papers.

Each rule is a pure function of the gradient `g` and its slots. It returns the step to *subtract* from the weights and
the new slots. Bias correction is not part of a rule: it is a choice of `alpha`, made by `corrected` from the weight
sums `c_1`, `c_2` of the moments (or by `bias_corrected` from `t`), so the same mathematics serves both forms. Where a
paper adds epsilon to the *corrected* root, `sqrt(v / c_2) + epsilon`, give the rule `epsilon sqrt(c_2)`.

Every argument broadcasts against `g`, so one call can carry many settings at once. The precision is that of the
arguments: give float64 tensors for float64 results.

Letters: `g` gradient, `m` first moment, `v` second moment, `v_max` the largest `v` so far, `u` infinity norm, `w`
weights, `alpha` step size, `t` number of the update, counted from 1; `c_1`, `c_2` the sums of the weights that `m`,
`v` have given to gradients so far: `1 - beta^t`, or `1 - product of the betas` where beta changes.

>>> from keras import ops
>>> g, zeros = ops.array([3.0, -1.0]), ops.zeros(2)
>>> alpha = bias_corrected(0.1, 1, beta_1=0.9, beta_2=0.99)
>>> step, (m, v, v_max) = amsgrad(g, zeros, zeros, zeros, alpha=alpha, beta_1=0.9, beta_2=0.99, epsilon=1e-8)
>>> [round(float(x), 4) for x in step]  # Adam's first step is alpha, whatever the size of the gradient
[0.1, -0.1]
"""

from keras_amsgrad.rules.adam import adabelief, adam, adamax, amsgrad, nadam, nadam_momentum, radam, rectification, yogi
from keras_amsgrad.rules.averages import (
    Step,
    Tensor,
    average,
    bias_corrected,
    bounded,
    corrected,
    is_near_1,
    larger,
    one_minus_power,
)
from keras_amsgrad.rules.frame import adagrad, rmsprop, sgd
from keras_amsgrad.rules.vectors import Axes, nd_adam, sgd_momentum, squared_norm, swats_rate, unit

__all__ = [
    "Axes",
    "Step",
    "Tensor",
    "adabelief",
    "adagrad",
    "adam",
    "adamax",
    "amsgrad",
    "average",
    "bias_corrected",
    "bounded",
    "corrected",
    "is_near_1",
    "larger",
    "nadam",
    "nadam_momentum",
    "nd_adam",
    "one_minus_power",
    "radam",
    "rectification",
    "rmsprop",
    "sgd",
    "sgd_momentum",
    "squared_norm",
    "swats_rate",
    "unit",
    "yogi",
]
