"""Keras optimizers: slots, settings, and one call to a rule of `keras_amsgrad.rules`."""

from keras_amsgrad.optimizers.adabelief import AdaBelief
from keras_amsgrad.optimizers.adam import Adam, AdaMax, AMSGrad, CorrectableOptimizer
from keras_amsgrad.optimizers.base import RuleOptimizer
from keras_amsgrad.optimizers.nadam import Nadam
from keras_amsgrad.optimizers.nd_adam import NDAdam
from keras_amsgrad.optimizers.radam import RAdam
from keras_amsgrad.optimizers.swats import SWATS
from keras_amsgrad.optimizers.yogi import Yogi

__all__ = [
    "SWATS",
    "AMSGrad",
    "AdaBelief",
    "AdaMax",
    "Adam",
    "CorrectableOptimizer",
    "NDAdam",
    "Nadam",
    "RAdam",
    "RuleOptimizer",
    "Yogi",
]
