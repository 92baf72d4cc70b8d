"""The fits of a grid search over a scikeras estimator: trained as replicas, then handed to scikit-learn one by one."""

import collections
import copy
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils.multiclass import check_classification_targets

from keras_amsgrad.replicas.replica import Outcome, Replica
from keras_amsgrad.replicas.settings import check_optimizer
from keras_amsgrad.replicas.training import train

Candidate = dict[str, Any]
Split = tuple[np.ndarray, np.ndarray]  # training rows, test rows
# What scikeras would do in `fit` and replicas do not, with the value that asks for nothing.
NOT_DONE: dict[str, Any] = {"warm_start": False, "run_eagerly": False, "class_weight": None}


class Fits:
    """Train fits of one scikeras estimator, with different parameters, on parts of X, y.

    Raises TypeError or ValueError for what replicas cannot do, by name, before any training.
    """

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        if not (hasattr(estimator, "initialize") and hasattr(estimator, "_get_compile_kwargs")):
            raise TypeError(
                "`estimator` must be a KerasClassifier or KerasRegressor of scikeras. "
                f"Received: {type(estimator).__name__}. Search over it with scikit-learn's GridSearchCV."
            )
        if issparse(X):
            raise ValueError(
                "`X` must be dense: sparse input is not supported. Received a sparse matrix; give X.toarray()"
            )
        self.estimator, self.X, self.y = estimator, X, y
        # Without a random state every search is another, but all its candidates still start alike.
        self.seed = np.random.randint(2**31 - 1)  # noqa: NPY002 - numpy.random.seed sets it, as in scikit-learn

    def train(
        self, candidates: list[Candidate], splits: list[Split], with_training_outputs: bool = False
    ) -> list["Fit"]:
        """Train every candidate on every split (training rows, test rows); return `Fit`s, candidate by candidate."""
        self._check_classes(splits)
        networks: dict[str, list[int]] = {}
        for i, candidate in enumerate(candidates):
            networks.setdefault(_network_key(candidate), []).append(i)
        plans = [(members, Plan(self, [candidates[i] for i in members])) for members in networks.values()]
        found: dict[tuple[int, int], Fit] = {}
        for members, plan in plans:
            keys = [(i, k) for i in members for k in range(len(splits))]
            found |= zip(keys, plan.train(splits, with_training_outputs), strict=True)
        return [found[key] for key in sorted(found)]

    def train_alone(self, candidate: Candidate) -> Any:
        """Train one candidate on all rows and return its estimator, fitted."""
        rows = np.arange(len(self.y))
        (fit,) = self.train([candidate], [(rows, rows[:0])])
        return fit.fitted()

    def with_parameters(self, candidate: Candidate) -> Any:
        return clone(self.estimator).set_params(**clone(candidate, safe=False))

    def _check_classes(self, splits: list[Split]) -> None:
        if not hasattr(self.estimator, "predict_proba"):
            return
        check_classification_targets(self.y)
        classes = len(np.unique(self.y))
        for number, (training, _) in enumerate(splits):
            found = len(np.unique(np.take(self.y, training, 0)))
            if found < classes:
                raise ValueError(
                    f"`cv` must leave every class in every training part. Received: split {number} with {found} of "
                    f"{classes} classes. Use a StratifiedKFold."
                )


class Plan:
    """Candidates that differ in optimizer and random state only, so that one network serves them all."""

    def __init__(self, fits: Fits, candidates: list[Candidate]) -> None:
        self.fits = fits
        self.estimators = [fits.with_parameters(candidate) for candidate in candidates]
        self.template = fits.with_parameters(candidates[0]).set_params(random_state=None)
        _check_parameters(self.template)
        self.template.initialize(fits.X, fits.y)
        self.X, self.y = self.template._validate_data(fits.X, fits.y)  # converted, as in scikeras's `fit`
        self.optimizers = [self._optimizer(estimator) for estimator in self.estimators]
        for optimizer in self.optimizers:
            check_optimizer(optimizer)
        self.template._ensure_compiled_model()
        self.early_stopping = _early_stopping(self.template)

    def _optimizer(self, estimator: Any) -> Any:
        if not self.template.model_.compiled:
            return estimator._get_compile_kwargs()["optimizer"]
        return copy.copy(estimator).initialize(self.fits.X, self.fits.y).model_.optimizer

    def train(self, splits: list[Split], with_training_outputs: bool) -> list["Fit"]:
        """Return a list of `Fit`, candidate by candidate."""
        rows = [np.union1d(*split) if with_training_outputs else np.asarray(split[1]) for split in splits]
        replicas = [
            self._replica(estimator, optimizer, training, outputs_for)
            for estimator, optimizer in zip(self.estimators, self.optimizers, strict=True)
            for (training, _), outputs_for in zip(splits, rows, strict=True)
        ]
        outcomes = train(
            lambda: clone(self.template).initialize(self.fits.X, self.fits.y).model_,
            replicas,
            self.template.feature_encoder_.transform(self.X),
            self.template.target_encoder_.transform(self.y),
            loss=self.template.model_.loss,
            batch_size=_batch_size(self.template, len(replicas[0].training)),
            epochs=self.template.epochs,
            shuffle=self.template.shuffle,
            early_stopping=self.early_stopping,
        )
        each = [(estimator, own) for estimator in self.estimators for own in rows]
        return [
            Fit(self._as_fitted(estimator), outcome, own)
            for (estimator, own), outcome in zip(each, outcomes, strict=True)
        ]

    def _replica(self, estimator: Any, optimizer: Any, training: np.ndarray, outputs_for: np.ndarray) -> Replica:
        # Keras validates on the last rows.
        trained_on = math.floor(len(training) * (1 - self.template.validation_split))
        seed = _seed(estimator, self.fits.seed)
        return Replica(optimizer, seed, training[:trained_on], training[trained_on:], outputs_for)

    def _as_fitted(self, estimator: Any) -> Any:
        """Return an estimator with its own parameters and what the template learned of the data; `model_` is shared."""
        fitted = copy.copy(self.template)
        vars(fitted).update(estimator.get_params(deep=False))
        return fitted


@dataclasses.dataclass(eq=False)
class Fit:
    """A trained fit: its estimator, the outcome of its replica, and the rows that `outcome.outputs` belong to."""

    estimator: BaseEstimator
    outcome: Outcome
    rows: np.ndarray

    def fitted(self) -> Any:
        """Return the estimator as `fit` would have left it; fits share `model_`, which keeps the last one's weights."""
        for variable, value in zip(self.estimator.model_.variables, self.outcome.weights, strict=True):
            variable.assign(value)
        self.estimator.history_ = collections.defaultdict(list, self.outcome.history)
        return self.estimator

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the network's outputs for some of `self.rows`."""
        order = np.argsort(self.rows)
        return np.asarray(self.outcome.outputs)[order[np.searchsorted(self.rows, rows, sorter=order)]]


class Rows:
    """Some rows of X, not copied until somebody looks: scikit-learn cuts X in two for every fit."""

    def __init__(self, X: Any, rows: np.ndarray) -> None:
        self.X, self.rows, self.shape = X, rows, (len(rows), *np.shape(X)[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> "Rows":
        return Rows(self.X, self.rows[key[0] if isinstance(key, tuple) else key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.X)[self.rows].astype(dtype or np.asarray(self.X).dtype)


class TrainedFit(BaseEstimator):
    """What scikit-learn's search calls in place of the estimator: its `fit` takes the next trained fit.

    A search asks for them candidate by candidate and split by split, and then for the best one on all rows.
    """

    def __init__(self, fits: Fits, trained: Iterator["Fit"]) -> None:
        self.fits, self.trained = fits, trained

    def __sklearn_clone__(self) -> "TrainedFit":
        return TrainedFit(self.fits, self.trained)

    def __sklearn_tags__(self) -> Any:
        return self.fits.estimator.__sklearn_tags__()

    def __getattr__(self, name: str) -> Any:
        if name in ("fitted_", "fits") or name.startswith("__"):
            raise AttributeError(name)
        return getattr(vars(self).get("fitted_", self.fits.estimator), name)

    def set_params(self, **candidate: Any) -> "TrainedFit":
        self.candidate = candidate
        return self

    def fit(self, X: Rows, y: Any) -> "TrainedFit":
        fit = next(self.trained, None)
        if fit is None:
            self.fitted_ = self.fits.train_alone(self.candidate)
            return self
        self.fitted_ = copy.copy(fit.fitted())
        self.fitted_._predict_raw = lambda X, **_: fit.outputs(X.rows)
        return self


def _network_key(candidate: Candidate) -> str:
    """Return what candidates must share to be replicas of one network, as text: all but optimizer and seed."""
    return repr([(k, v) for k, v in sorted(candidate.items()) if not k.startswith("optimizer") and k != "random_state"])


def _seed(estimator: Any, otherwise: int) -> int:
    state = estimator.random_state
    if isinstance(state, np.random.RandomState):
        return int(copy.deepcopy(state).randint(low=1, high=2**31 - 1))
    return otherwise if state is None else int(state)


def _batch_size(estimator: Any, rows: int) -> int:
    size = estimator.batch_size
    return 32 if size is None else rows if size == -1 else size  # Keras's default, and scikeras's "all"


def _check_parameters(estimator: Any) -> None:
    """Raise ValueError for what scikeras would do in `fit` and replicas do not."""
    parameters = estimator.get_params()
    for name, nothing in NOT_DONE.items():
        if parameters.get(name, nothing) != nothing:
            raise ValueError(f"`{name}` must be {nothing} for replicas. Received: {name}={parameters[name]!r}")
    routed = [name for name in parameters if name.startswith("fit__")]
    if routed:
        raise ValueError(f"Give epochs, batch_size, ... without `fit__` for replicas. Received: {', '.join(routed)}")
    metrics = parameters.get("metrics")
    if metrics not in (None, [], ["accuracy"], "accuracy"):
        raise ValueError(f"`metrics` must be None or ['accuracy'] for replicas. Received: metrics={metrics!r}")


def _early_stopping(estimator: Any) -> Any:
    """Return the one `EarlyStopping` among the callbacks of an initialized estimator, or None."""
    stopping = [c for c in estimator._fit_callbacks if type(c) is keras.callbacks.EarlyStopping]
    others = [type(c).__name__ for c in estimator._fit_callbacks if c not in stopping]
    if others or len(stopping) > 1:
        raise ValueError(
            "`callbacks` must be one EarlyStopping or none for replicas. "
            f"Received: {', '.join(others) or 'several EarlyStopping'}"
        )
    return stopping[0] if stopping else None
