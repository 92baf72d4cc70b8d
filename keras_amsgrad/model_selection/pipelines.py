"""The adapter for a `Pipeline` of scikit-learn that ends in an estimator for which there is an adapter."""

import dataclasses
import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from keras_amsgrad.model_selection.adapter import Adapter
from keras_amsgrad.model_selection.fits import Candidate, Fit, Rows, fingerprint, key, read
from keras_amsgrad.model_selection.keras_wrappers import KerasWrapperAdapter
from keras_amsgrad.model_selection.plans import Plan
from keras_amsgrad.model_selection.scikeras import ScikerasAdapter
from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.replica import Outcome

OF_ESTIMATORS: tuple[Any, ...] = (ScikerasAdapter, KerasWrapperAdapter)


def of_estimator(estimator: Any) -> Any:
    """Return the adapter of an estimator that is no pipeline, or None."""
    return next((adapter for adapter in OF_ESTIMATORS if adapter.adapts(estimator)), None)


@dataclasses.dataclass(eq=False)
class Block:
    """The transformed rows of one training part: what the steps before the last give for it.

    Attributes:
        transformers: The fitted steps, as a pipeline.
        X: The training rows, then those for which outputs are asked.
        rows: Their numbers among the rows of the search.
        adapter: The adapter of the last step on the rows of all blocks of a batch that have the same shape.
        start: The number of the first row among them.
    """

    transformers: Pipeline
    X: np.ndarray
    rows: np.ndarray
    adapter: Any = None
    start: int = 0


class PipelineAdapter(Adapter):
    """Plans the fits of a pipeline: its transformers are fitted here, its last step trains as a replica."""

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> None:
        super().__init__(estimator, X, y, sample_weight)
        self.last, self.last_step = estimator.steps[-1]

    @staticmethod
    def weight_name(estimator: Any) -> str:
        return f"{estimator.steps[-1][0]}__sample_weight"

    @staticmethod
    def adapts(estimator: Any) -> bool:
        """Return whether `estimator` is a pipeline whose last step has an adapter."""
        return isinstance(estimator, Pipeline) and of_estimator(estimator.steps[-1][1]) is not None

    def draw(self, fits: Sequence[Fit]) -> None:
        probe = of_estimator(self.last_step)(self.last_step, self.X, self.y)
        probe.draw_seed = lambda: self.seed
        probe.draw([dataclasses.replace(fit, candidate=self._of_last_step(fit)) for fit in fits])

    def prepare(self, fits: Sequence[Fit]) -> None:
        """Transform the rows of all fits; the last steps of those with the same shape share an adapter."""
        shapes: dict[Hashable, list[Block]] = {}
        for fit in fits:
            if self._place(fit) not in self.kept:
                block = self.kept[self._place(fit)] = self._block(fit)
                if isinstance(block, Block):
                    shapes.setdefault((block.X.shape[1:], block.X.dtype.str), []).append(block)
        for blocks in shapes.values():
            X, numbers = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("X", "rows"))
            weight = None if self.sample_weight is None else self.sample_weight[numbers]
            adapter = of_estimator(self.last_step)(self.last_step, X, self.y[numbers], weight)
            adapter.first_rows, adapter.draw_seed = self.first_rows, lambda: self.seed
            for block, end in zip(blocks, np.cumsum([len(block.X) for block in blocks]), strict=True):
                block.adapter, block.start = adapter, int(end) - len(block.X)

    def plan(self, fit: Fit) -> Plan:
        if self.last in fit.candidate:
            raise UnsupportedError(f"the last step, `{self.last}`, is itself a parameter of the search")
        block = self.kept[self._place(fit)]
        if isinstance(block, Exception):
            raise block
        plan = block.adapter.plan(self._of_last(fit))
        return dataclasses.replace(
            plan,
            finish=functools.partial(self._finished, self.with_parameters(fit), block.transformers, plan.finish),
            with_known=functools.partial(_with_known, plan.with_known),
        )

    def outcome_of(self, fitted: Any) -> Outcome | None:
        last = fitted.steps[-1][1]
        adapter = of_estimator(last)  # a search may put another estimator, or none, in place of the last step
        return adapter and adapter(last, self.X, self.y).outcome_of(last)

    def rebuilt(self, fit: Fit, outcome: Outcome) -> Any:
        if self.last in fit.candidate:
            raise UnsupportedError(f"the last step, `{self.last}`, is itself a parameter of the search")
        block = self.kept[self._place(fit)]
        if isinstance(block, Exception):
            raise block
        last = block.adapter.rebuilt(self._of_last(fit), outcome)
        pipeline = self.with_parameters(fit)
        pipeline.steps = [*block.transformers.steps, (self.last, last)]
        return pipeline

    def _of_last(self, fit: Fit) -> Fit:
        """Return the fit of the last step, on the rows of its adapter."""
        block = self.kept[self._place(fit)]
        rows = block.start + np.arange(len(block.X))
        return Fit(self._of_last_step(fit), rows[: len(fit.training)], rows[len(fit.training) :])

    def _of_last_step(self, fit: Fit) -> Candidate:
        prefix = f"{self.last}__"
        return Candidate({name.removeprefix(prefix): x for name, x in fit.candidate.items() if name.startswith(prefix)})

    def _place(self, fit: Fit) -> Hashable:
        return "block", key(self._of_transformers(fit)), fingerprint(fit.training), fingerprint(fit.outputs_for)

    def _of_transformers(self, fit: Fit) -> dict[str, Any]:
        return {name: x for name, x in fit.candidate.items() if name.split("__")[0] != self.last}

    def _block(self, fit: Fit) -> Block | Exception:
        """Fit the transformers on the training rows; return an error for `plan` to raise."""
        try:
            pipeline = clone(self.estimator).set_params(**clone(self._of_transformers(fit), safe=False))
            transformers = pipeline[:-1]
            X, y = _safe_indexing(self.X, fit.training), self.y[fit.training]
            parts = [transformers.fit_transform(X, y) if len(transformers) else X]
            if len(fit.outputs_for):
                others = _safe_indexing(self.X, fit.outputs_for)
                parts.append(transformers.transform(others) if len(transformers) else others)
            if any(map(issparse, parts)):
                raise UnsupportedError("the transformers of the pipeline give sparse output")
            rows = np.concatenate([fit.training, fit.outputs_for]).astype(int)
            return Block(transformers, np.concatenate([np.asarray(part) for part in parts]), rows)
        except Exception as error:  # of a transformer: scikit-learn's own fit will raise it
            return error

    def _finished(
        self, pipeline: Pipeline, transformers: Pipeline, finish: Callable[[Outcome], Any], outcome: Outcome
    ) -> Pipeline:
        pipeline.steps = [*transformers.steps, (self.last, finish(outcome))]
        return pipeline


class TransformedUnlessKnown(TransformerMixin, BaseEstimator):
    """Transforms X, but passes on `Rows` for which the outputs of the network are known."""

    def __init__(self, transformers: Any, outputs: Any) -> None:
        self.transformers, self.outputs = transformers, outputs

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> "TransformedUnlessKnown":
        """Do nothing: the transformers are fitted."""
        return self

    def transform(self, X: Any) -> Any:
        """Return X where outputs for it are known, else what the transformers give."""
        if isinstance(X, Rows) and self.outputs(X) is not None:
            return X
        return self.transformers.transform(read(X)) if len(self.transformers) else read(X)


def _with_known(
    of_last: Callable[..., Any], pipeline: Pipeline, outputs: Callable[[Any], np.ndarray | None]
) -> Pipeline:
    """Return a pipeline that asks `outputs(X)` for the outputs of the network first."""
    (name, last), transformers = pipeline.steps[-1], pipeline[:-1]
    return Pipeline([("transformed", TransformedUnlessKnown(transformers, outputs)), (name, of_last(last, outputs))])
