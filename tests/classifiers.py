"""A scikeras classifier that scikit-learn takes for one."""

from scikeras.wrappers import KerasClassifier
from sklearn.linear_model import LogisticRegression


class TaggedClassifier(KerasClassifier):
    """scikeras 0.13 is not seen as a classifier by scikit-learn >= 1.7, whose scorers of probabilities need that."""

    def __sklearn_tags__(self):
        tags = LogisticRegression().__sklearn_tags__()
        tags.input_tags = super().__sklearn_tags__().input_tags
        return tags
