"""What tells the fits of a search from others, in every process alike."""

import hashlib
import json
from typing import Any

import joblib
import keras
import numpy as np
from sklearn.base import BaseEstimator

from keras_amsgrad.descriptions import LIBRARIES, Description
from keras_amsgrad.internals import keras as keras_internals
from keras_amsgrad.model_selection.adapter import Adapter
from keras_amsgrad.model_selection.fits import Candidate, Fit, fingerprint
from keras_amsgrad.model_selection.networks import configuration
from keras_amsgrad.replicas import random_state

SCHEMA = 1  # of records: another one trains all fits anew
OF_TENSORFLOW = "_self_"  # begins the attributes in which TensorFlow tracks what an object holds, by counted names
WITHOUT_EFFECT = "verbose"  # the last part of the name of a parameter that changes no number


class SearchDescription(Description):
    """The pieces of estimators and of their parameters: `Description`, with scikit-learn's and Keras's objects.

    Functions and classes of the user are described by their instructions, so that code without a file can be told
    apart as well: in a notebook, say.
    """

    libraries = LIBRARIES | {"keras_amsgrad", "pandas", "scikeras", "scipy", "sklearn"}

    def _add_compound(self, path: str, value: Any, inside_library: bool) -> None:
        if isinstance(value, type):
            super()._add_compound(path, value, inside_library)
        elif isinstance(value, BaseEstimator):
            self.add(f"{path}/class", type(value))
            for name, held in sorted(value.get_params(deep=False).items()):
                if name.split("__")[-1] != WITHOUT_EFFECT:
                    self.add(f"{path}/{name}", held)
        elif isinstance(value, keras.Model):
            self._model(path, value)
        elif _is_of_keras(value):
            self.add(f"{path}/class", type(value))
            for name, held in sorted(vars(value).items()):
                if not (name in ("name", "_name") or name.startswith(OF_TENSORFLOW) or _is_bookkeeping(held)):
                    self.add(f"{path}/{name}", held, inside_library=type(value).__module__.startswith("keras"))
        else:
            super()._add_compound(path, value, inside_library)

    def _model(self, path: str, model: keras.Model) -> None:
        self.add(f"{path}/class", type(model))
        self.pieces[f"{path}/configuration"] = configuration(model)
        self.add(f"{path}/weights", [keras.ops.convert_to_numpy(variable) for variable in model.variables])
        for k, layer in enumerate(keras_internals.all_layers(model)):
            if isinstance(layer, keras.layers.Lambda) or not type(layer).__module__.startswith("keras."):
                self.layer(f"{path}/layer {k}", layer)
        if model.compiled:
            parts = [model.optimizer, model.loss, *keras_internals.compiled_metrics(model)]
            self.add(f"{path}/compiled", parts)

    def _source(self, path: str, value: Any) -> None:
        """Describe nothing: instructions and attributes say what the source says, comments apart."""


def _is_of_keras(value: Any) -> bool:
    return any(kind.__module__.split(".")[0] in ("keras", "keras_amsgrad") for kind in type(value).__mro__)


def _is_bookkeeping(value: Any) -> bool:
    """Return whether a value that an object of Keras holds is of no importance: a lock, or a tracker of variables."""
    if isinstance(value, (list, tuple, dict, set, keras.Variable, keras.KerasTensor)) or callable(value):
        return False
    module = type(value).__module__
    return module in ("_thread", "threading") or (module.startswith("keras.") and not hasattr(value, "get_config"))


class FitNames:
    """Names the fits of one search: those of equal fits are equal, in every process and every search.

    A name stands for the estimator with its parameters, and the code of functions in them; for the data, the rows and
    their weights; for the seed, where one is drawn; for the backend, the precision and the version of Keras (3.15,
    say); and for the network that the estimator builds without the parameters of a candidate, where it builds one: what
    a model function reads from a file, say, shows there.

    Attributes:
        whole: A text that stands for all that the fits of this search share, except the seed and that network.
        unknown: Reasons for which fits have no name.
    """

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.unknown: dict[str, None] = {}
        self.candidates: dict[int, tuple[Candidate, str | None]] = {}
        description = SearchDescription()
        description.add("the estimator", adapter.estimator)
        self.unknown |= dict.fromkeys(description.unknown.values())
        self.is_known = not description.unknown
        data = [data_digest(part) for part in (adapter.X, adapter.y, adapter.sample_weight)]
        versions = [SCHEMA, keras.__version__.split(".")[:2], keras.backend.backend(), keras.config.floatx()]
        self.whole = _digest([versions, data, sorted(description.pieces.items())])

    def add_network(self) -> None:
        """Let the network that the estimator builds by itself count, where it builds one. Draws the seed it needs."""
        rows = np.arange(len(self.adapter.y))
        fit = Fit(Candidate(), rows, rows[:0])
        self.adapter.draw([fit])
        try:
            with random_state.preserved():
                self.adapter.prepare([fit])
                key: Any = self.adapter.plan(fit).network.key
                network = [key[1], key[3]]  # configuration and values; see `network_key`
        except Exception:  # whatever a model function raises that needs parameters of a candidate
            network = []
        self.whole = _digest([self.whole, network])

    def name(self, fit: Fit) -> str | None:
        """Return the name of a fit, or None where it cannot be told from others."""
        if id(fit.candidate) not in self.candidates:
            self.candidates[id(fit.candidate)] = fit.candidate, self._described(fit.candidate)
        return self._named(self.candidates[id(fit.candidate)][1], fit)

    def lineage(self, fit: Fit) -> str | None:
        """Return what fits share that differ in their number of epochs only, or None."""
        others = {name: value for name, value in fit.candidate.items() if name.split("__")[-1] != "epochs"}
        return self._named(self._described(others), fit)

    def _named(self, described: str | None, fit: Fit) -> str | None:
        return described and _digest([self.whole, self.adapter.drawn_seed, described, fingerprint(fit.training).hex()])

    def _described(self, candidate: dict[str, Any]) -> str | None:
        description = SearchDescription()
        for name, value in sorted(candidate.items()):
            if name.split("__")[-1] != WITHOUT_EFFECT:
                description.add(name, value.item() if isinstance(value, np.generic) else value)
        self.unknown |= dict.fromkeys(description.unknown.values())
        return _digest(sorted(description.pieces.items())) if self.is_known and not description.unknown else None


def data_digest(data: Any) -> str:
    """Return a text that tells data from others: an array, a pandas frame, a list, None."""
    if isinstance(data, np.ndarray) and not data.dtype.hasobject:
        content = np.ascontiguousarray(data).reshape(-1).view("u1")  # no copy: all rows may be gigabytes
        return f"{data.dtype} {data.shape} {hashlib.blake2b(content.data, digest_size=16).hexdigest()}"
    return f"{type(data).__name__} {joblib.hash(data)}"


def _digest(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=12).hexdigest()
