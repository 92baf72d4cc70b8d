"""Trains planned fits: those whose plans are alike together, as replicas."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from keras_amsgrad.model_selection.adapter import Adapter
from keras_amsgrad.model_selection.fits import Fit, OwnFit, RebuiltFit, Rows, StoredFit, TrainedReplica
from keras_amsgrad.model_selection.kept_fits import ResumeError
from keras_amsgrad.model_selection.plans import Plan, train_plans
from keras_amsgrad.model_selection.progress import SearchProgress
from keras_amsgrad.model_selection.resumption import Batch, NothingKept, Part, Resumption
from keras_amsgrad.model_selection.tasks import SharedBatch, WorkersError
from keras_amsgrad.model_selection.workers import SearchWorkers
from keras_amsgrad.replicas import random_state
from keras_amsgrad.replicas.chunks import Chunk, Chunking
from keras_amsgrad.replicas.errors import UnsupportedError
from keras_amsgrad.replicas.program_cache import ProgramCache
from keras_amsgrad.replicas.replica import Outcome
from keras_amsgrad.replicas.settings import check_optimizer


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
    `resumption` knows which fits an earlier search kept, and keeps those that finish; `progress` is told of all.
    `workers` train the chunks; None: this process does.
    """

    def __init__(
        self,
        adapter: Adapter,
        continues: bool = False,
        resumption: Resumption | NothingKept | None = None,
        progress: SearchProgress | None = None,
        workers: SearchWorkers | None = None,
    ) -> None:
        self.adapter, self.continues = adapter, continues
        self.resumption, self.progress = resumption or NothingKept(), progress or SearchProgress("", quiet=True)
        self.workers, self.shared = workers, SharedBatch([], None)
        self.last: dict[Hashable, Outcome] = {}  # of the call before, by `Plan.key_without_epochs`
        self.programs: dict[Hashable, ProgramCache] = {}  # of all calls, by `Plan.program_key`

    def train(self, fits: Sequence[Fit]) -> list[TrainedReplica | OwnFit | StoredFit]:
        """Train the fits that can be replicas; return what became of each."""
        self.adapter.draw(fits)
        self.adapter.prepare(fits)
        starts, self.last = self.last, {}
        self.shared = SharedBatch(fits, self.adapter.drawn_seed)
        with random_state.preserved():
            batch = self.resumption.batch(fits)
            found: dict[int, Any] = dict(batch.stored)
            self.progress.add(len(fits), [fits[i] for i in batch.stored])
            if batch.parts:
                starts |= {
                    self.adapter.plan(fit).key_without_epochs: outcome for fit, outcome in self.resumption.starts(batch)
                }
                self._add_earlier()
            for part in batch.parts:
                found = {**self._trained_part(part, batch, starts), **found}
        for i, each in found.items():
            if isinstance(each, OwnFit):
                each.name = batch.names[i]
        return [found[i] for i in range(len(fits))]

    def read(self, stored: StoredFit) -> TrainedReplica | OwnFit | RebuiltFit:
        """Return a fit that was kept. One that is damaged, or another network's, is trained again."""
        fit = stored.batch[stored.index]
        with random_state.preserved():
            kept = self.resumption.read(stored)
            try:
                if kept is not None and kept.is_own:
                    return RebuiltFit(self.adapter.rebuilt(fit, kept.outcome), kept.outcome.seconds)
                plan = None if kept is None else self.adapter.plan(fit)
            except Exception:  # whatever building a model may raise: its own `fit` will raise it again
                return OwnFit(name=stored.name)
        if plan is None or kept is None:
            return self._trained_again(stored)
        return PlannedReplica(plan, dataclasses.replace(kept.outcome, state=None), kept.rows)

    def ended(self, own: OwnFit) -> None:
        """Note that the estimator's own `fit` has ended, whether it succeeded or not."""
        self.progress.finish([id(own)])

    def keep(self, own: OwnFit, fitted: Any) -> None:
        """Keep what the estimator's own `fit` has trained."""
        if own.name is not None:
            self.resumption.keep_own(own, self.adapter.outcome_of(fitted))

    def scored(self, results: dict[str, Any]) -> None:
        """Note the results so far of scikit-learn's search; raise the error with which a fit could not be kept."""
        self.resumption.check()
        self.progress.score(results.get("mean_test_score", ()))

    def _trained_again(self, stored: StoredFit) -> TrainedReplica | OwnFit:
        """Train a fit whose record is damaged, in the chunk in which it trained before."""
        last, self.last = self.last, {}
        again = self.train(stored.batch)[stored.index]
        self.last |= last
        assert not isinstance(again, StoredFit)
        return again

    def _add_earlier(self) -> None:
        """Let programs be those of a process that had trained all calls itself: chunks may use a larger program."""
        for call, fits in self.resumption.finished_calls():
            first = self.adapter.plan(fits[0])
            programs = self.programs.setdefault(first.program_key, ProgramCache(first.network.build))
            programs.template_for(first.seed)
            for number in call.firsts:
                part, size = call.chunking.parts[number]
                replicas = [self.adapter.plan(fits[part[0]]).replica()] * len(part)
                programs.earlier.append((Chunk([], replicas, size), call.chunking.steps))

    def _plan(self, fit: Fit) -> Plan | OwnFit:
        try:
            plan = self.adapter.plan(fit)
            check_optimizer(plan.optimizer)
        except UnsupportedError as error:
            return OwnFit(_reason(error))
        except Exception as error:  # of a model function or a setting: the estimator's own `fit` raises it, most likely
            return OwnFit(if_it_succeeds=f"planning them together failed ({_reason(error)})")
        return plan

    def _trained_part(self, part: Part, batch: Batch, starts: dict[Hashable, Outcome]) -> dict[int, Any]:
        """Train a part of a batch; return what became of each fit, by its position, that was not finished before."""
        found: dict[int, Any] = {}
        groups: dict[Hashable, dict[int, Plan]] = {}
        for i in part.positions:
            plan = self._plan(batch.fits[i])
            if isinstance(plan, Plan):
                groups.setdefault(plan.key, {})[i] = plan
            else:
                found[i] = plan
        alike = [len(plans) for plans in groups.values()] == [len(part.positions)]
        chunking = part.chunking if alike else None
        for plans in groups.values():
            try:
                outcomes = self._outcomes(plans, batch, starts, chunking)
            except (ResumeError, WorkersError):
                raise
            except UnsupportedError as error:
                found |= {i: OwnFit(_reason(error)) for i in plans}
            except Exception as error:  # of a layer that the backend cannot map, say: slower is better than nothing
                found |= {i: OwnFit(f"training them together failed ({_reason(error)})") for i in plans}
            else:
                found |= {
                    i: PlannedReplica(plan, dataclasses.replace(outcome, state=None), batch.fits[i].outputs_for)
                    for (i, plan), outcome in zip(plans.items(), outcomes, strict=True)
                }
        return found

    def _outcomes(
        self,
        plans_by_position: dict[int, Plan],
        batch: Batch,
        starts: dict[Hashable, Outcome],
        chunking: Chunking | None,
    ) -> list[Outcome]:
        """Train replicas of plans that are alike, and remember the outcomes from which others may continue."""
        positions, plans = list(plans_by_position), list(plans_by_position.values())
        names = [batch.names[i] for i in positions]
        finished = {k for k, i in enumerate(positions) if i in batch.stored}
        plan = plans[0]
        keys = [each.key_without_epochs if self.continues else None for each in plans]
        shorter = [starts.get(key) for key in keys]
        programs = self.programs.setdefault(plan.program_key, ProgramCache(plan.network.build))
        of_programs = plan.network.strengths if programs.strengths is None else programs.strengths
        differ = any(each.network.strengths != of_programs for each in plans)
        continued = [
            start if start and start.epochs <= each.epochs else None for each, start in zip(plans, shorter, strict=True)
        ]
        how: dict[str, Any] = {"starts": continued, "own_strengths": differ, "resumable": self.continues}
        fits = [batch.fits[i] for i in positions]
        hooks = self.resumption.hooks(names, [fit.outputs_for for fit in fits], finished)
        outcomes = train_plans(
            plans,
            programs,
            **how,
            chunking=chunking,
            workers=self.workers and self.workers.for_call(self.shared, positions, **how),
            **self.progress.added_to(hooks, fits, [each.epochs for each in plans]),
        )
        self.last |= {key: each for key, each in zip(keys, outcomes, strict=True) if each.state is not None}
        return outcomes


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:500].rstrip(".")
    return text if isinstance(error, UnsupportedError) else f"{type(error).__name__}: {text}"
