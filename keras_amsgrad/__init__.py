"""The Adam family for Keras 3, as the papers define it."""

try:
    import keras  # noqa: F401
except ModuleNotFoundError as error:
    backend = (error.name or "").split(".")[0]
    if backend not in ("tensorflow", "jax", "torch"):
        raise
    raise ImportError(
        f'Keras\'s backend {backend} is not installed: pip install "keras_amsgrad[{backend}]", '
        "or set KERAS_BACKEND to one that is: tensorflow, jax or torch"
    ) from None

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
