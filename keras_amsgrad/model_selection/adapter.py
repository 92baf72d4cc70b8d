"""What the adapters of wrappers of Keras models share."""

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from sklearn.base import ClassifierMixin, clone
from sklearn.utils import _safe_indexing

from keras_amsgrad.model_selection.fits import Fit, fingerprint
from keras_amsgrad.model_selection.networks import ROWS
from keras_amsgrad.model_selection.plans import Plan
from keras_amsgrad.replicas.replica import Outcome


class Adapter:
    """Plans the fits of one estimator, with different parameters, on rows of X, y.

    A subclass gives `adapts` and `plan`, and `outcome_of` and `rebuilt` where it can. What it computes for several
    fits, it keeps by `cached`; names in `kept` may hold the `id` of an object in a candidate, because `SearchedFits`
    keeps all candidates. `sample_weight` are weights of all rows, which the search's `fit` received.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> None:
        self.estimator, self.X, self.y = estimator, X, np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight, "float32")
        self.kept: dict[Hashable, Any] = {}
        self.draw_seed: Callable[[], int] = _drawn
        self.first_rows: dict[Hashable, Any] = {}  # of inputs, by their form

    @functools.cached_property
    def seed(self) -> int:
        """The seed of all fits without one of their own: every search has another, all its candidates start alike."""
        return self.draw_seed()

    @property
    def drawn_seed(self) -> int | None:
        """`seed` if it has been drawn, else None."""
        return vars(self).get("seed")

    @staticmethod
    def weight_name(estimator: Any) -> str:
        """Return the name of the parameter of `fit` that holds the weights of rows."""
        return "sample_weight"

    def draw(self, fits: Sequence[Fit]) -> None:
        """Draw `seed` where one of the fits has none of its own."""

    def prepare(self, fits: Sequence[Fit]) -> None:
        """Compute what needs all fits of a batch."""

    def plan(self, fit: Fit) -> Plan:
        """Return how a fit trains as a replica; raise UnsupportedError, with the reason, where it cannot."""
        raise NotImplementedError

    def outcome_of(self, fitted: Any) -> Outcome | None:
        """Return what to keep of an estimator after its own `fit`, or None where `rebuilt` could not use it."""
        return None

    def rebuilt(self, fit: Fit, outcome: Outcome) -> Any:
        """Return the estimator as its own `fit` left it, from what `outcome_of` returned: nothing is trained.

        Raises:
            Exception: The estimator cannot be built, or its network has other weights.
        """
        raise NotImplementedError

    def with_parameters(self, fit: Fit) -> Any:
        """Return the estimator that scikit-learn would fit."""
        return clone(self.estimator).set_params(**clone(dict(fit.candidate), safe=False))

    def cached(self, place: Hashable, compute: Callable[[], Any]) -> Any:
        """Return what `compute()` gave when it was first asked for under this name."""
        if place not in self.kept:
            self.kept[place] = compute()
        return self.kept[place]

    def compared_on(self, x: Any) -> Any:
        """Return rows on which to compare networks: the first of `x`, or of earlier inputs of the same form."""
        form = tuple((part.shape[1:], part.dtype) for part in keras.tree.flatten(x))
        return self.first_rows.setdefault(form, keras.tree.map_structure(lambda part: part[:ROWS], x))

    @property
    def has_classes(self) -> bool:
        """Whether y holds one class for each row."""
        return isinstance(self.estimator, ClassifierMixin) and self.y.ndim == 1

    def classes(self, fit: Fit) -> tuple[Any, ...] | None:
        """Return the classes in the training rows, or None where y holds no classes."""
        if not self.has_classes:
            return None
        place = "classes", fingerprint(fit.training)
        return self.cached(place, lambda: tuple(np.unique(self.y[fit.training]).tolist()))

    def part(self, fit: Fit) -> tuple[Any, np.ndarray]:
        """Return X, y of the training rows: in their order among all rows, for fits that share them."""
        rows = np.sort(fit.training)
        return self.cached(("part", self.data_key(fit)), lambda: (_safe_indexing(self.X, rows), self.y[rows]))

    def data_key(self, fit: Fit) -> Hashable:
        """Return what fits share whose training data looks alike to a model function: number of rows, and classes."""
        return len(fit.training), self.classes(fit)

    def targets(self, fit: Fit, encode: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return all of y encoded by an encoder that knows the classes of a fit; other classes become 0."""
        classes = self.classes(fit)
        known = np.ones(len(self.y), bool) if classes is None else np.isin(self.y, classes)
        y = np.asarray(encode(self.y[known]))
        everywhere = np.zeros((len(known), *y.shape[1:]), y.dtype)
        everywhere[known] = y
        return everywhere


def _drawn() -> int:
    return int(np.random.randint(2**31 - 1))  # noqa: NPY002 - numpy.random.seed sets it, as in scikit-learn


def outcome_of(model: keras.Model, history: dict[str, list[float]]) -> Outcome:
    """Return the outcome of a fit by Keras's `fit`, which has left this model and this history."""
    return Outcome("ok", dict(history), [ops.convert_to_numpy(variable) for variable in model.variables], None, 0.0)


def set_weights(model: keras.Model, outcome: Outcome) -> None:
    """Give a model the weights of an outcome; raise ValueError where it has others."""
    if [tuple(variable.shape) for variable in model.variables] != [weight.shape for weight in outcome.weights]:
        raise ValueError("The network has other weights than the kept fit.")
    for variable, value in zip(model.variables, outcome.weights, strict=True):
        variable.assign(value)
