"""Train many replicas of one Keras model as one program.

A grid of fits is stacked on an axis of its own and trained together by one compiled loop, with the results that
`model.fit` gives for each fit alone.
"""

from keras_amsgrad.replicas.replica import Outcome, Replica
from keras_amsgrad.replicas.training import train

__all__ = ["Outcome", "Replica", "train"]
