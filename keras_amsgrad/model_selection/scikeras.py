"""The adapter for scikeras: what its estimators would build, compile and fit.

All private names of scikeras that this package uses stand here. `tests/replicas/test_scikeras_internals.py` says what
depends on each.
"""

import collections
import copy
import dataclasses
import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.class_weight import compute_sample_weight

from keras_amsgrad.model_selection.adapter import Adapter, outcome_of, set_weights
from keras_amsgrad.model_selection.fits import Fit, fingerprint, key
from keras_amsgrad.model_selection.networks import network_key, part_key
from keras_amsgrad.model_selection.plans import Network, Plan
from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.replica import Outcome

PLANNED = ("epochs", "batch_size", "validation_batch_size", "shuffle", "validation_split")
# Other settings of scikeras's and Keras's `fit`, with the value at which they do nothing.
WITHOUT_EFFECT: dict[str, Any] = {
    "initial_epoch": 0,
    "steps_per_epoch": None,
    "validation_data": None,
    "validation_steps": None,
    "validation_freq": 1,
    "fit__class_weight": None,
    "fit__sample_weight": None,
    "warm_start": False,
    "run_eagerly": False,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Template:
    """An estimator that was initialized and compiled, and its network; its optimizer and seed are nobody's.

    `has_optimizer` says whether the network came compiled from the model function.
    """

    estimator: Any
    network: Network
    has_optimizer: bool


class ScikerasAdapter(Adapter):
    """Plans the fits of a KerasClassifier or KerasRegressor."""

    @staticmethod
    def adapts(estimator: Any) -> bool:
        """Return whether `estimator` is one of scikeras's."""
        return hasattr(estimator, "initialize") and hasattr(estimator, "_get_compile_kwargs")

    def draw(self, fits: Sequence[Fit]) -> None:
        own = self.estimator.random_state
        if any(fit.candidate.get("random_state", own) is None for fit in fits):
            _ = self.seed

    def plan(self, fit: Fit) -> Plan:
        estimator = self.with_parameters(fit)
        settings = _fit_settings(estimator, len(fit.training))
        template = self._template(estimator, fit)
        model = template.network.model
        training, weight = self._weighted(fit, estimator)
        return Plan(
            network=template.network,
            optimizer=model.optimizer if template.has_optimizer else self._optimizer(estimator, fit),
            seed=self._seed(estimator),
            x=self._x(template.estimator, fit),
            y=self._y(template.estimator, fit),
            training=training,
            outputs_for=fit.outputs_for,
            sample_weight=weight,
            callbacks=template.estimator._fit_callbacks,
            finish=functools.partial(_finished, template.estimator, estimator.get_params(deep=False)),
            with_known=_with_known,
            **settings,
        )

    def outcome_of(self, fitted: Any) -> Outcome | None:
        return outcome_of(fitted.model_, fitted.history_)

    def rebuilt(self, fit: Fit, outcome: Outcome) -> Any:
        rows = fit.training
        estimator = self.with_parameters(fit).initialize(_safe_indexing(self.X, rows), self.y[rows])
        set_weights(estimator.model_, outcome)
        estimator.history_ = collections.defaultdict(list, outcome.history)
        return estimator

    def _optimizer(self, estimator: Any, fit: Fit) -> Any:
        """Return the optimizer of a candidate, one for all of its fits: making one takes tens of milliseconds."""
        place = "optimizer", key(fit.candidate)
        return self.cached(place, lambda: estimator._get_compile_kwargs()["optimizer"])

    def _seed(self, estimator: Any) -> int:
        state = estimator.random_state
        if isinstance(state, np.random.RandomState):
            return int(copy.deepcopy(state).randint(low=1, high=2**31 - 1))
        return self.seed if state is None else int(state)

    def _weighted(self, fit: Fit, estimator: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the rows to train on, without those of weight 0, and the weights of all rows."""
        class_weight = getattr(estimator, "class_weight", None)
        if class_weight is None and self.sample_weight is None:
            return fit.training, None
        weight = np.ones(len(self.y), "float32") if self.sample_weight is None else self.sample_weight.copy()
        if class_weight is not None:
            weight[fit.training] *= compute_sample_weight(class_weight, self.y[fit.training])
        kept = fit.training[weight[fit.training] != 0]
        if not len(kept):
            raise ValueError("No row has any weight.")  # scikeras's own `fit` says it better
        return kept, weight

    def _template(self, estimator: Any, fit: Fit) -> Template:
        """Return the template of a fit: one for all that differ in optimizer and seed, unless the network has it."""
        named = dict(fit.candidate)
        named.pop("random_state", None)
        without_optimizer = {name: x for name, x in named.items() if not name.startswith("optimizer")}
        for parameters in (without_optimizer, named):
            place = "template", key(parameters), self.data_key(fit)
            found = self.cached(place, lambda: self._new_template(estimator, fit))
            if not found.has_optimizer:
                break
        return found

    def _new_template(self, estimator: Any, fit: Fit) -> Template:
        template, part = clone(estimator).set_params(random_state=None), self.part(fit)
        keras.utils.set_random_seed(0)
        initialized = clone(template).initialize(*part)
        has_optimizer = initialized.model_.compiled
        initialized._ensure_compiled_model()
        network = Network(
            build=lambda: clone(template).initialize(*part).model_,
            model=initialized.model_,
            key=network_key(initialized.model_, self.compared_on(self._x(initialized, fit))),
        )
        return Template(initialized, network, has_optimizer)

    def data_key(self, fit: Fit) -> Hashable:
        return fingerprint(fit.training) if _has_own_encoders(self.estimator) else super().data_key(fit)

    def _x(self, initialized: Any, fit: Fit) -> Any:
        """Return all rows of X as the network receives them."""

        def encoded() -> Any:
            X, _ = initialized._validate_data(self.X)
            return initialized.feature_encoder_.transform(X)

        return self.cached(("x", self.data_key(fit) if _has_own_encoders(self.estimator) else None), encoded)

    def _y(self, initialized: Any, fit: Fit) -> np.ndarray:
        """Return all targets as the network receives them."""

        def encode(y: np.ndarray) -> np.ndarray:
            _, y = initialized._validate_data(None, y)
            y = initialized.target_encoder_.transform(y)
            initialized._check_model_compatibility(y)
            return y

        data = self.data_key(fit) if _has_own_encoders(self.estimator) else self.classes(fit)
        return self.cached(("y", data, part_key(initialized.loss)), lambda: self.targets(fit, encode))


def _has_own_encoders(estimator: Any) -> bool:
    """Return whether an estimator transforms its data by more than scikeras's own encoding of targets."""
    kinds = type(estimator).feature_encoder, type(estimator).target_encoder
    return any(not kind.fget.__module__.startswith("scikeras.") for kind in kinds)


def _fit_settings(estimator: Any, rows: int) -> dict[str, Any]:
    """Return the settings of `fit` that a plan has; raise UnsupportedError where others have an effect."""
    parameters = estimator.get_params()
    given = {name: parameters[f"fit__{name}"] for name in PLANNED if f"fit__{name}" in parameters}
    settings = {name: parameters[name] for name in PLANNED} | given
    for name, nothing in WITHOUT_EFFECT.items():
        for parameter in (name, f"fit__{name}"):
            if parameters.get(parameter, nothing) != nothing:
                raise UnsupportedError(f"`{parameter}` is not supported for replicas")
    for name in ("batch_size", "validation_batch_size"):
        settings[name] = rows if settings[name] == -1 else settings[name]  # as scikeras has it
    return settings | {"batch_size": settings["batch_size"] or 32}


def _finished(template: Any, parameters: dict[str, Any], outcome: Outcome) -> Any:
    """Return an estimator with its own parameters, and what the template learned of the data; they share `model_`."""
    estimator = copy.copy(template)
    vars(estimator).update(parameters)
    estimator.history_ = collections.defaultdict(list, outcome.history)
    return estimator


def _with_known(estimator: Any, outputs: Callable[[Any], np.ndarray | None]) -> Any:
    """Return a copy of a fitted estimator that asks `outputs(X)` for the outputs of the network first."""
    fitted = copy.copy(estimator)
    computed = fitted._predict_raw

    def predict_raw(X: Any, **arguments: Any) -> np.ndarray:
        known = outputs(X)
        return computed(X, **arguments) if known is None else known

    fitted._predict_raw = predict_raw
    return fitted
