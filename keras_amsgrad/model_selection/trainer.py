"""Trains planned fits: those whose plans are alike together, as replicas."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from keras_amsgrad.model_selection.adapter import Adapter
from keras_amsgrad.model_selection.fits import Fit, OwnFit, Rows, TrainedReplica
from keras_amsgrad.model_selection.plans import Plan
from keras_amsgrad.replicas import random_state
from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome
from keras_amsgrad.replicas.settings import check_optimizer
from keras_amsgrad.replicas.training import train


@dataclasses.dataclass(eq=False)
class PlannedReplica:
    """A trained fit: its plan, the outcome of its replica, and the rows that `outcome.outputs` belong to."""

    plan: Plan
    outcome: Outcome
    rows: np.ndarray

    @property
    def seconds(self) -> float:
        return self.outcome.seconds

    def fitted(self) -> Any:
        """Return the estimator as `fit` would have left it. Fits share a model, which has the last one's weights."""
        for variable, value in zip(self.plan.network.model.variables, self.outcome.weights, strict=True):
            variable.assign(value)
        return self.plan.finish(self.outcome)

    def scored(self) -> Any:
        """Return the fitted estimator with its outputs looked up, where the program has computed them already."""

        def outputs(X: Any) -> np.ndarray | None:
            known = self._outputs(X) if isinstance(X, Rows) else None
            if known is None:
                self.fitted()  # the weights of the model may be those of another fit by now
            return known

        return self.plan.with_known(self.fitted(), outputs)

    def _outputs(self, X: Rows) -> np.ndarray | None:
        """Return the network's outputs for some rows of the search, or None where they have not been computed."""
        if self.outcome.outputs is None or not np.isin(X.rows, self.rows).all():
            return None
        order = np.argsort(self.rows)
        return np.asarray(self.outcome.outputs)[order[np.searchsorted(self.rows, X.rows, sorter=order)]]


class PlannedTrainer:
    """Trains fits as replicas: those whose plans are alike together, and none that cannot be planned.

    If it `continues`, a fit starts where one of the call before ended that differs in its number of epochs only.
    """

    def __init__(self, adapter: Adapter, continues: bool = False) -> None:
        self.adapter, self.continues = adapter, continues
        self.last: dict[Hashable, Outcome] = {}  # of the call before, by `Plan.key_without_epochs`
        self.programs: dict[Hashable, ProgramCache] = {}  # of all calls, by `Plan.program_key`

    def train(self, fits: Sequence[Fit]) -> list[TrainedReplica | OwnFit]:
        """Train the fits that can be replicas; return what became of each."""
        found: dict[int, TrainedReplica | OwnFit] = {}
        groups: dict[Hashable, list[tuple[int, Plan]]] = {}
        starts, self.last = self.last, {}
        self.adapter.prepare(fits)
        with random_state.preserved():
            for i, fit in enumerate(fits):
                plan = self._plan(fit)
                if isinstance(plan, OwnFit):
                    found[i] = plan
                else:
                    groups.setdefault(plan.key, []).append((i, plan))
            for members in groups.values():
                found |= self._trained([(i, fits[i], plan) for i, plan in members], starts)
        return [found[i] for i in range(len(fits))]

    def _plan(self, fit: Fit) -> Plan | OwnFit:
        try:
            plan = self.adapter.plan(fit)
            check_optimizer(plan.optimizer)
        except UnsupportedError as error:
            return OwnFit(_reason(error))
        except Exception as error:  # of a model function or a setting: the estimator's own `fit` raises it, most likely
            return OwnFit(if_it_succeeds=f"planning them together failed ({_reason(error)})")
        return plan

    def _trained(
        self, members: list[tuple[int, Fit, Plan]], starts: dict[Hashable, Outcome]
    ) -> dict[int, TrainedReplica | OwnFit]:
        """Train fits whose plans are alike; return what became of each, by its number."""
        plans = [plan for _, _, plan in members]
        try:
            outcomes = self._outcomes(plans, starts)
        except UnsupportedError as error:
            return {i: OwnFit(_reason(error)) for i, _, _ in members}
        except Exception as error:  # of a layer that the backend cannot map, say: slower is better than nothing
            return {i: OwnFit(f"training them together failed ({_reason(error)})") for i, _, _ in members}
        return {
            i: PlannedReplica(plan, dataclasses.replace(outcome, state=None), fit.outputs_for)
            for (i, fit, plan), outcome in zip(members, outcomes, strict=True)
        }

    def _outcomes(self, plans: list[Plan], starts: dict[Hashable, Outcome]) -> list[Outcome]:
        """Train replicas of plans that are alike, and remember the outcomes from which others may continue."""
        plan = plans[0]
        keys = [each.key_without_epochs if self.continues else None for each in plans]
        shorter = [starts.get(key) for key in keys]
        programs = self.programs.setdefault(plan.program_key, ProgramCache(plan.network.build))
        of_programs = plan.network.strengths if programs.strengths is None else programs.strengths
        differ = any(each.network.strengths != of_programs for each in plans)
        replicas = [
            each.replica(
                start if start and start.epochs <= each.epochs else None, each.network.strengths if differ else None
            )
            for each, start in zip(plans, shorter, strict=True)
        ]
        metrics, weighted_metrics = plan.network.metrics
        outcomes = train(
            programs,
            replicas,
            plan.x,
            plan.y,
            loss=plan.network.model.loss,
            metrics=metrics or [],
            weighted_metrics=weighted_metrics,
            batch_size=plan.batch_size,
            validation_batch_size=plan.validation_batch_size,
            shuffle=plan.shuffle,
            callbacks=plan.callbacks,
            resumable=self.continues,
        )
        self.last |= {key: each for key, each in zip(keys, outcomes, strict=True) if each.state is not None}
        return outcomes


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:500].rstrip(".")
    return text if isinstance(error, UnsupportedError) else f"{type(error).__name__}: {text}"
