"""scikit-learn's grid search over a Keras model, with all fits trained as replicas in one program."""

from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.utils import indexable

from keras_amsgrad.replicas.scikit import Fit, Fits, Rows, TrainedFit


class ReplicaGridSearchCV(GridSearchCV):
    """scikit-learn's `GridSearchCV` over a scikeras classifier or regressor, with all fits trained together.

    Every candidate and fold becomes a replica of one Keras model (see `keras_amsgrad.replicas`); then scikit-learn
    itself splits, scores, ranks and refits with what they learned. Parameters, attributes and methods are those of
    `GridSearchCV`. `n_jobs` has no effect: one program keeps all cores busy.

    With `shuffle=False` in the estimator the results are those of `GridSearchCV` up to rounding. With shuffling, rows
    come in the order `keras_amsgrad.order.epoch_order(random_state, epoch, n)`, the same for all candidates, where
    Keras would draw an order of its own. `mean_fit_time` is a fit's share of the time of its chunk.

    Refused by name, before training: estimators other than scikeras's; optimizers other than those of this package
    that work weight by weight; callbacks other than one `EarlyStopping`; class and sample weights; metrics other than
    accuracy; parameters `fit__...`; a training fold in which a class is missing.

    >>> import keras
    >>> from keras_amsgrad import AMSGrad
    >>> from scikeras.wrappers import KerasClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold
    >>> def model():
    ...     return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> classifier = KerasClassifier(
    ...     model, loss="sparse_categorical_crossentropy", optimizer=AMSGrad, epochs=30, random_state=0, verbose=0)
    >>> search = ReplicaGridSearchCV(classifier, {"optimizer__learning_rate": [1e-5, 0.1]}, cv=StratifiedKFold(3))
    >>> search.fit(*load_iris(return_X_y=True)).best_params_
    {'optimizer__learning_rate': 0.1}
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> "ReplicaGridSearchCV":
        """Train and score all candidates, and refit the best; see `GridSearchCV.fit`."""
        refused = [name for name, value in params.items() if name != "groups" and value is not None]
        if refused:
            raise ValueError(f"ReplicaGridSearchCV.fit takes X, y and groups only. Received: {', '.join(refused)}")
        X, y, groups = indexable(X, y, params.get("groups"))
        splits = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splits.split(X, y, groups))
        fits = Fits(self.estimator, X, y)
        trained = fits.train(list(ParameterGrid(self.param_grid)), splits, self.return_train_score)
        settings = self.get_params(deep=False) | {"estimator": TrainedFit(fits, iter(trained)), "cv": splits}
        search = GridSearchCV(**settings | {"n_jobs": None}).fit(Rows(X, np.arange(len(y))), y)
        self._take_over(search, trained)
        return self

    def _take_over(self, search: GridSearchCV, trained: list[Fit]) -> None:
        """Take the results of scikit-learn's own search over the trained fits."""
        for name, value in vars(search).items():
            if name.endswith("_"):
                setattr(self, name, value)
        if self.scoring is None:
            self.scorer_ = check_scoring(self.estimator)
        if hasattr(self, "best_estimator_"):
            self.best_estimator_: Any = self.best_estimator_.fitted_
        seconds = np.reshape([fit.outcome.seconds for fit in trained], (-1, self.n_splits_))
        self.cv_results_["mean_fit_time"], self.cv_results_["std_fit_time"] = seconds.mean(1), seconds.std(1)
