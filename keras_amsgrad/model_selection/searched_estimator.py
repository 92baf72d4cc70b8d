"""What stands for an estimator in a search of scikit-learn."""

import functools
import time
from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin, clone

from keras_amsgrad.model_selection.fits import Candidate, OwnFit, RebuiltFit, Rows, SearchedFits, read


class SearchedEstimator(BaseEstimator):
    """What a search of scikit-learn receives in place of the estimator.

    Its `fit` looks up the replica with its parameters and rows. Where there is none, it is the estimator's own `fit`,
    with the errors that scikit-learn would see.
    """

    def __init__(self, fits: SearchedFits) -> None:
        self.fits = fits
        self.candidate = Candidate()

    def __sklearn_clone__(self) -> "SearchedEstimator":
        return SearchedEstimator(self.fits)

    def __sklearn_tags__(self) -> Any:
        tags = self.fits.estimator.__sklearn_tags__()
        if isinstance(self.fits.estimator, ClassifierMixin):  # scikeras 0.13 does not say so to scikit-learn >= 1.7
            tags.estimator_type = "classifier"
        return tags

    def __getattr__(self, name: str) -> Any:
        if name in ("fitted_", "fits") or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(vars(self).get("fitted_", self.fits.estimator), name)
        return _on_data(found) if vars(self).get("is_own_") and callable(found) else found

    def __getitem__(self, step: Any) -> Any:
        return vars(self).get("fitted_", self.fits.estimator)[step]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return self.fits.estimator.get_params(deep)

    def set_params(self, **candidate: Any) -> "SearchedEstimator":
        self.candidate = Candidate(candidate)
        return self

    def fit(self, X: Rows, y: Any = None, **params: Any) -> "SearchedEstimator":
        """Find the fit with the parameters that were set, on the rows of X; without a replica, fit the estimator."""
        found = self.fits.find(self.candidate, X.rows)
        self.is_own_ = isinstance(found, (OwnFit, RebuiltFit))
        if isinstance(found, RebuiltFit):
            self.fitted_ = found.estimator
            return self
        if not isinstance(found, OwnFit):
            self.replica_, self.fitted_ = found, found.scored()
            return self
        started = time.perf_counter()
        try:
            own = clone(self.fits.estimator).set_params(**clone(dict(self.candidate), safe=False))
            self.fitted_ = own.fit(X.data(), y, **params)
        finally:
            found.seconds = time.perf_counter() - started
            self.fits.trainer.ended(found)
        self.fits.succeeded(found, self.candidate, self.fitted_)
        return self

    def finally_fitted(self) -> Any:
        """Return the user's estimator, fitted."""
        return self.fitted_ if self.is_own_ else self.replica_.fitted()


def _on_data(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def on_data(*arguments: Any, **settings: Any) -> Any:
        return method(*map(read, arguments), **{name: read(value) for name, value in settings.items()})

    return on_data


def scoring_on_data(scoring: Any) -> Any:
    """Return `scoring` with functions of the user's own, at any depth, receiving rows of X instead of `Rows`."""
    if isinstance(scoring, dict):
        return {name: scoring_on_data(each) for name, each in scoring.items()}
    if not callable(scoring) or hasattr(scoring, "_score_func"):
        return scoring
    return _on_data(scoring)
