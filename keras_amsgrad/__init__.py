"""The Adam family for Keras 3, as the papers define it."""

from keras_amsgrad import rules
from keras_amsgrad.diagnostics import OptimizerMonitor
from keras_amsgrad.optimizers import SWATS, AdaBelief, Adam, AdaMax, AMSGrad, Nadam, NDAdam, RAdam, Yogi
from keras_amsgrad.schedules import InverseSqrtDecay, LinearDecay, WarmRestarts, normalized_weight_decay

__version__ = "0.1.0"
__all__ = [
    "SWATS",
    "AMSGrad",
    "AdaBelief",
    "AdaMax",
    "Adam",
    "InverseSqrtDecay",
    "LinearDecay",
    "NDAdam",
    "Nadam",
    "OptimizerMonitor",
    "RAdam",
    "WarmRestarts",
    "Yogi",
    "normalized_weight_decay",
    "rules",
]
