"""The adapter for `keras.wrappers.SKLearnClassifier` and `SKLearnRegressor`.

All private names of Keras's wrappers that this package uses stand here. `tests/replicas/test_keras_wrappers.py` says
what depends on each.
"""

import copy
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from sklearn.utils.validation import validate_data

from keras_amsgrad.model_selection.adapter import Adapter, outcome_of, set_weights
from keras_amsgrad.model_selection.fits import Fit, key
from keras_amsgrad.model_selection.networks import network_key
from keras_amsgrad.model_selection.plans import Network, Plan
from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.replica import Outcome

DEFAULTS = {
    "epochs": 1,
    "batch_size": None,
    "validation_batch_size": None,
    "shuffle": True,
    "validation_split": 0.0,
    "callbacks": None,
}


class KerasWrapperAdapter(Adapter):
    """Plans the fits of one of Keras's own wrappers for scikit-learn."""

    @staticmethod
    def adapts(estimator: Any) -> bool:
        """Return whether `estimator` is a SKLearnClassifier or SKLearnRegressor."""
        return isinstance(estimator, (keras.wrappers.SKLearnClassifier, keras.wrappers.SKLearnRegressor))

    def draw(self, fits: Sequence[Fit]) -> None:
        _ = self.seed

    def plan(self, fit: Fit) -> Plan:
        estimator = self.with_parameters(fit)
        settings = _fit_settings(estimator)
        place = "network", key(fit.candidate), self.data_key(fit)
        network, described = self.cached(place, lambda: self._network(estimator, fit))
        y = self.cached(("y", self.classes(fit)), lambda: self.targets(fit, described._process_target))
        class_weight = (estimator.fit_kwargs or {}).get("class_weight")
        return Plan(
            network=network,
            optimizer=network.model.optimizer,
            seed=self.seed,
            x=self._x(),
            y=y,
            training=fit.training,
            outputs_for=fit.outputs_for,
            sample_weight=self._weight(fit, class_weight, y, settings["validation_split"]),
            finish=functools.partial(_finished, described, estimator, network.model),
            with_known=_with_known,
            **settings,
        )

    def outcome_of(self, fitted: Any) -> Outcome | None:
        return outcome_of(fitted.model_, fitted.history_.history)

    def rebuilt(self, fit: Fit, outcome: Outcome) -> Any:
        estimator = self.with_parameters(fit)
        network, described = self._network(estimator, fit)
        set_weights(network.model, outcome)
        return _finished(described, estimator, network.model, outcome)

    def _network(self, estimator: Any, fit: Fit) -> tuple[Network, Any]:
        """Return the network of a fit, and an estimator that knows its data."""
        described, (X, y) = copy.copy(estimator), self.part(fit)
        X, y = validate_data(described, X, y, allow_nd=True, multi_output=True, dtype=None)
        y = described._process_target(y, reset=True)

        def build() -> keras.Model:
            return described._get_model(X, y)

        keras.utils.set_random_seed(0)
        model = build()
        if not model.compiled:
            raise ValueError("The model must be compiled.")  # the estimator's own `fit` says it better
        return Network(build, model, network_key(model, self.compared_on(self._x()))), described

    def _weight(self, fit: Fit, class_weight: Any, y: np.ndarray, validation_split: float) -> np.ndarray | None:
        """Return the weights of all rows; those of Keras's `class_weight` act in training only."""
        if class_weight is None:
            return self.sample_weight
        if self.sample_weight is not None:
            raise UnsupportedError("`class_weight` beside `sample_weight` is not supported for replicas")
        weight = np.ones(len(y), "float32")
        trained_on = fit.training[: math.floor(len(fit.training) * (1 - validation_split))]
        weight[trained_on] = [class_weight.get(int(each), 1.0) for each in np.argmax(y[trained_on], 1)]
        return weight

    def _x(self) -> Any:
        return self.cached("x", lambda: np.asarray(self.X))


def _fit_settings(estimator: Any) -> dict[str, Any]:
    """Return the settings of `fit` that a plan has; raise UnsupportedError where there are others."""
    if estimator.warm_start:
        raise UnsupportedError("`warm_start` is not supported for replicas")
    given = dict(estimator.fit_kwargs or {})
    others = [name for name in given if name not in (*DEFAULTS, "verbose", "class_weight")]
    if others:
        raise UnsupportedError(f"`{others[0]}` in `fit_kwargs` is not supported for replicas")
    settings = {name: given.get(name, default) for name, default in DEFAULTS.items()}
    callbacks = settings["callbacks"] or []
    callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    return {**settings, "batch_size": settings["batch_size"] or 32, "callbacks": callbacks}


def _finished(described: Any, estimator: Any, model: keras.Model, outcome: Outcome) -> Any:
    """Return the estimator with what is known of its data, its model and the history of its replica."""
    fitted = copy.copy(described)
    vars(fitted).update(estimator.get_params(deep=False))
    history = keras.callbacks.History()
    history.set_model(model)
    history.history, history.epoch = outcome.history, list(range(len(outcome.history["loss"])))
    fitted.model_, fitted.history_ = model, history
    return fitted


def _with_known(estimator: Any, outputs: Callable[[Any], np.ndarray | None]) -> Any:
    """Return a copy of a fitted estimator that asks `outputs(X)` for the outputs of the network first."""
    fitted = copy.copy(estimator)

    def predict(X: Any) -> Any:
        known = outputs(X)
        return estimator.predict(X) if known is None else estimator._reverse_process_target(known)

    def decision_function(X: Any) -> Any:
        known = outputs(X)
        return estimator.decision_function(X) if known is None else known

    fitted.predict = predict
    if hasattr(estimator, "decision_function"):
        fitted.decision_function = decision_function
    return fitted
