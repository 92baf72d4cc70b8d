"""Train many replicas of one Keras model as one program.

The fits of a grid are stacked on an additional axis and trained together by one compiled loop. Each gives the results
that `model.fit` gives for it alone.
"""

from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.replica import Outcome, Replica
from keras_amsgrad.replicas.training import train

__all__ = ["Outcome", "Replica", "UnsupportedError", "train"]
