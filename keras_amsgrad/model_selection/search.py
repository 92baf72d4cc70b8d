"""Searches of scikit-learn that train each batch of candidates as replicas."""

import contextlib
import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import joblib
import numpy as np
import sklearn
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - scikit-learn's halving is experimental
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    check_cv,
)
from sklearn.utils import indexable

from keras_amsgrad.model_selection.fits import Candidate, Rows, SearchedFits, warn
from keras_amsgrad.model_selection.kept_fits import KeptFits
from keras_amsgrad.model_selection.pipelines import OF_ESTIMATORS, PipelineAdapter
from keras_amsgrad.model_selection.progress import SearchProgress
from keras_amsgrad.model_selection.resumption import NothingKept, Resumption
from keras_amsgrad.model_selection.searched_estimator import SearchedEstimator, scoring_on_data
from keras_amsgrad.model_selection.tasks import SharedSearch
from keras_amsgrad.model_selection.trainer import PlannedTrainer
from keras_amsgrad.model_selection.workers import workers_of

ADAPTERS: tuple[Any, ...] = (*OF_ESTIMATORS, PipelineAdapter)


def _with_resume(constructor: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor with the parameter `resume=None` after its own; scikit-learn reads the signature."""

    @functools.wraps(constructor)
    def construct(self: Any, *arguments: Any, resume: Any = None, **settings: Any) -> None:
        constructor(self, *arguments, **settings)
        self.resume = resume

    signature = inspect.signature(constructor)
    resume = inspect.Parameter("resume", inspect.Parameter.KEYWORD_ONLY, default=None)
    parameters = sorted([*signature.parameters.values(), resume], key=lambda parameter: parameter.kind)
    vars(construct)["__signature__"] = signature.replace(parameters=parameters)
    return construct


class ReplicaSearch(BaseEstimator):
    """Mixin for a search of scikit-learn: every batch of candidates that the search evaluates trains as replicas.

    Place it before the search that proposes the candidates, scikit-learn's own or one that overrides `_run_search`:

        class ReplicaGridSearchCV(ReplicaSearch, GridSearchCV):
            ...

    scikit-learn then splits, scores, ranks and refits as usual. Where it would fit the estimator, it receives the
    replica with the same parameters and training rows. A fit that is in no batch, as the refit, trains when it is
    asked for; a fit that cannot be a replica is made by the estimator's own `fit`, with one `ReplicaWarning` for each
    reason.
    """

    resume: Any = None  # of a search class that has an `__init__` of its own

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Give the class the constructor of scikit-learn's search with one more parameter, `resume`."""
        super().__init_subclass__(**arguments)
        if "__init__" not in vars(cls):
            cls.__init__ = _with_resume(super().__init__)  # type: ignore[method-assign]

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Train and score all candidates, and refit the best; see scikit-learn's `GridSearchCV.fit`."""
        adapter, reason = self._adapter(X, y, params)
        if adapter is None:
            lost = "" if self.resume is None else " `resume` keeps none of them."
            warn(f"All fits are trained by the estimator's own `fit`, as by scikit-learn: {reason}.{lost}")
            return super().fit(X, y, **params)
        X, y = indexable(X, y)
        _warn_of_unstratified(self.estimator, self.cv)
        weight = params.get(adapter.weight_name(self.estimator))
        # Halving by epochs: a survivor of a round continues in the next one.
        continues = str(getattr(self, "resource", None)).split("__")[-1] == "epochs"
        kept = None if self.resume is None else KeptFits(self.resume)
        progress = SearchProgress(type(self).__name__, quiet=self.verbose != 1)  # from 2 on, a line for each fit
        shared = SharedSearch(adapter, self.estimator, X, y, weight)
        with (
            _interruptions_explained(kept),
            kept.opened() if kept else contextlib.nullcontext(),
            workers_of(self.n_jobs, shared) as workers,
            progress,
        ):
            planned = adapter(self.estimator, X, y, weight)
            resumption = Resumption(kept, planned, continues) if kept else NothingKept()
            trainer = PlannedTrainer(planned, continues, resumption, progress, workers)
            self._search(trainer, X, y, params)
        return self

    def _search(self, trainer: PlannedTrainer, X: Any, y: Any, params: dict[str, Any]) -> None:
        """Run scikit-learn's search over what the trainer trains, and take its results."""
        fits = SearchedFits(self.estimator, X, y, trainer, with_training_outputs=self.return_train_score)
        splits = check_cv(self.cv, y, classifier=is_classifier(self.estimator)).split(X, y, params.get("groups"))
        search: Any = copy.copy(self)
        search.estimator, search.cv, search.n_jobs = SearchedEstimator(fits), list(splits), 1
        search.scoring = scoring_on_data(self.scoring)
        with joblib.parallel_config("sequential"):  # scikit-learn scores here, where the fits are
            super(ReplicaSearch, search).fit(Rows(X, np.arange(len(y))), y, **params)
        self._take_results(search, fits)

    def _adapter(self, X: Any, y: Any, params: dict[str, Any]) -> tuple[Any, str]:
        """Return the adapter of the estimator's class, or None and why all fits are the estimator's own."""
        found = [adapter for adapter in ADAPTERS if adapter.adapts(self.estimator)]
        if not found:
            name = type(self.estimator).__name__
            return None, f"{name} is no estimator of scikeras or keras.wrappers, and no pipeline that ends in one"
        if issparse(X) or y is None:
            return None, "X is sparse" if issparse(X) else "there is no y"
        known = "groups", found[0].weight_name(self.estimator)
        given = [name for name, value in params.items() if name not in known and value is not None]
        if given:
            return None, f"`fit` received {', '.join(given)}"
        if sklearn.get_config()["enable_metadata_routing"]:
            return None, "metadata routing is enabled"
        return found[0], ""

    def _run_search(self, evaluate_candidates: Callable[..., Any], *, callback_ctx: Any = None) -> None:
        """Run scikit-learn's search, and train each batch of candidates before scikit-learn evaluates it."""
        run = super()._run_search
        takes_context = "callback_ctx" in inspect.signature(run).parameters  # from scikit-learn 1.9 on
        context = {"callback_ctx": callback_ctx} if takes_context else {}
        if not isinstance(self.estimator, SearchedEstimator):
            run(evaluate_candidates, **context)
            return
        fits, own_splits = self.estimator.fits, self.cv

        def evaluate(candidates: Iterable[dict[str, Any]], cv: Any = None, **others: Any) -> Any:
            batch = [Candidate(candidate) for candidate in candidates]
            # Split here and for scikit-learn alike: a splitter may give other splits when it is asked again.
            splits = own_splits if cv is None else list(cv.split(fits.X, fits.y))
            fits.train(batch, splits)
            results = evaluate_candidates(batch, check_cv(splits), **others)
            fits.trainer.scored(results)
            return results

        run(evaluate, **context)

    def _take_results(self, search: Any, fits: SearchedFits) -> None:
        """Take the fitted attributes of the search over `SearchedEstimator`, and name in them what the caller knows."""
        for name, value in vars(search).items():
            if name.endswith("_"):
                setattr(self, name, value)
        if self.scoring is None:
            self.scorer_ = check_scoring(self.estimator)
        elif callable(self.scoring):
            self.scorer_ = self.scoring
        self.cv_results_["params"] = [dict(candidate) for candidate in self.cv_results_["params"]]
        if hasattr(search, "best_params_"):
            self.best_params_ = self.cv_results_["params"][self.best_index_]
        if hasattr(search, "best_estimator_"):
            self.best_estimator_ = search.best_estimator_.finally_fitted()
        if len(fits.evaluated) == len(self.cv_results_["params"]):  # all of them were in batches
            seconds = fits.seconds()
            self.cv_results_["mean_fit_time"], self.cv_results_["std_fit_time"] = seconds.mean(1), seconds.std(1)


class ReplicaGridSearchCV(ReplicaSearch, GridSearchCV):
    """scikit-learn's `GridSearchCV` over an estimator of scikeras or keras.wrappers, with fits trained together.

    Every candidate and fold becomes a replica of a Keras model (see `keras_amsgrad.replicas`). scikit-learn itself
    splits, scores, ranks and refits. Parameters, attributes and methods are those of `GridSearchCV`. Candidates share
    a program if the networks that they build are equal, whether the numbers that differ are parameters of the
    optimizer, arguments of the model function or whole optimizers; networks that differ only in the rates of Dropout
    layers and in L1 and L2 penalties of weights count as equal. The random state of the process is the same after
    the search as before; only an estimator with `random_state=None` takes one number from NumPy's, as in scikit-learn.

    This process trains, with all its cores, or with each of its GPUs a chunk of fits. `n_jobs` of 2 or more, and
    another active backend of joblib, such as Dask's, make other processes train the chunks; `n_jobs=-1` on this machine
    means all cores, as the default. `WorkersError` is raised where these processes end or cannot receive the search.

    With `shuffle=False` in the estimator the results are those of `GridSearchCV` up to rounding. With shuffling, rows
    come in the order `keras_amsgrad.order.epoch_order(random_state, epoch, n)`, the same for all candidates, whereas
    Keras draws an order for each fit. `mean_fit_time` is a fit's share of the time that its chunk of replicas took.

    With `verbose=1`, a bar on a terminal, or lines elsewhere, show on the standard error how many fits are done, the
    epochs under way, the time left and, from the second round of a search on, the best score so far. From `verbose=2`
    on, scikit-learn prints its line for each fit instead.

    What cannot be a replica is trained by the estimator's own `fit`, one fit after another, with scikit-learn's results
    and errors; a `ReplicaWarning` says which fits and why. That concerns other estimators, other callbacks than
    `keras_amsgrad.replicas.train` lists, and other optimizers than `keras_amsgrad.replicas.Replica` lists.

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

    Beside the parameters of `GridSearchCV` there is `resume`: a folder, as a string or a `Path`, in which every fit is
    kept as soon as it is done. None keeps nothing. The same search again, also after Ctrl-C or in another process,
    trains only what is missing there; a chunk that was interrupted goes on from its last saved epoch. Fits with other
    data, parameters or functions are never taken for each other. `ResumeError` is raised where the folder cannot be
    used or written, or another search is at work in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = search.set_params(resume=folder).fit(*load_iris(return_X_y=True)).cv_results_
    ...     again = search.fit(*load_iris(return_X_y=True)).cv_results_  # nothing is trained
    >>> (first["mean_test_score"] == again["mean_test_score"]).all()
    np.True_
    """


class ReplicaRandomizedSearchCV(ReplicaSearch, RandomizedSearchCV):
    """scikit-learn's `RandomizedSearchCV` with fits trained together; see `ReplicaGridSearchCV`.

    >>> import keras
    >>> from keras_amsgrad import AMSGrad
    >>> from scikeras.wrappers import KerasClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold
    >>> def model():
    ...     return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> classifier = KerasClassifier(
    ...     model, loss="sparse_categorical_crossentropy", optimizer=AMSGrad, random_state=0, verbose=0)
    >>> rates = {"optimizer__learning_rate": [1e-5, 1e-2, 0.1]}
    >>> search = ReplicaRandomizedSearchCV(classifier, rates, n_iter=2, cv=StratifiedKFold(3), random_state=0)
    >>> len(search.fit(*load_iris(return_X_y=True)).cv_results_["params"])
    2
    """


class ReplicaHalvingGridSearchCV(ReplicaSearch, HalvingGridSearchCV):
    """scikit-learn's `HalvingGridSearchCV` with fits of a round trained together; see `ReplicaGridSearchCV`.

    With `resource="epochs"` (in a pipeline `"name__epochs"`), the fits of candidates that survive a round continue in
    the next one from where they stand, whereas scikit-learn trains them again from the beginning. Results are those of
    training from the beginning; only the cost differs: rounds of 1, 3 and 9 epochs take 9 epochs of a fit that survives
    all of them, and not 13. `mean_fit_time` is the time of the epochs that were trained in the round.

    The refit trains from the beginning. So does what cannot continue: fits by the estimator's own `fit`, EarlyStopping
    with `restore_best_weights`, networks or schedules that differ with the number of epochs, and all fits on the torch
    backend. With other resources everything is as in scikit-learn.

    >>> import keras
    >>> from keras_amsgrad import AMSGrad
    >>> from scikeras.wrappers import KerasClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold
    >>> def model():
    ...     return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> classifier = KerasClassifier(
    ...     model, loss="sparse_categorical_crossentropy", optimizer=AMSGrad, random_state=0, verbose=0)
    >>> rates = {"optimizer__learning_rate": [1e-5, 1e-2, 0.1]}
    >>> epochs = {"resource": "epochs", "min_resources": 1, "max_resources": 9}
    >>> search = ReplicaHalvingGridSearchCV(classifier, rates, **epochs, cv=StratifiedKFold(3))
    >>> search.fit(*load_iris(return_X_y=True)).n_resources_
    [1, 3]
    """


class ReplicaHalvingRandomSearchCV(ReplicaSearch, HalvingRandomSearchCV):
    """scikit-learn's `HalvingRandomSearchCV` with fits of a round trained together; see `ReplicaGridSearchCV`.

    With `resource="epochs"`, candidates that survive a round continue: this differs from scikit-learn in cost, not in
    results; see `ReplicaHalvingGridSearchCV`.

    >>> import keras
    >>> from keras_amsgrad import AMSGrad
    >>> from scikeras.wrappers import KerasClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import StratifiedKFold
    >>> def model():
    ...     return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> classifier = KerasClassifier(
    ...     model, loss="sparse_categorical_crossentropy", optimizer=AMSGrad, random_state=0, verbose=0)
    >>> rates = {"optimizer__learning_rate": [1e-5, 1e-2, 0.1]}
    >>> epochs = {"resource": "epochs", "min_resources": 1, "max_resources": 9}
    >>> search = ReplicaHalvingRandomSearchCV(classifier, rates, n_candidates=3, **epochs, cv=StratifiedKFold(3))
    >>> search.fit(*load_iris(return_X_y=True)).n_resources_
    [1, 3]
    """


@contextlib.contextmanager
def _interruptions_explained(kept: KeptFits | None) -> Iterator[None]:
    """Say on the standard error, where Ctrl-C ends the block, how to go on; then let it end the program."""
    try:
        yield
    except KeyboardInterrupt:
        if kept is None:
            print('Interrupted, and no fit is kept: resume="FOLDER" keeps them for the same call.', file=sys.stderr)
        else:
            many = "1 finished fit is" if kept.finished == 1 else f"{kept.finished} finished fits are"
            print(f"Interrupted: {many} kept in {kept.folder}; the same call goes on from there.", file=sys.stderr)
        raise


def _warn_of_unstratified(estimator: Any, cv: Any) -> None:
    if (cv is None or isinstance(cv, int)) and isinstance(estimator, ClassifierMixin) and not is_classifier(estimator):
        warn(
            f"scikit-learn does not take {type(estimator).__name__} for a classifier: cv={cv} splits the rows in their "
            "order, without stratification, here and in scikit-learn's own search. Use cv=StratifiedKFold(...).",
        )
