"""The line-up: many small problems, on each of which every optimizer is tuned alike; as data.

The sources compare on one problem or a few. None of them has a line-up: everything here is a default of ours (D).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studies.catalog.network import Arm, NetworkStudy, Search
from studies.catalog.problems import PROBLEMS, Problem
from studies.catalog.variant import PROTOCOL

NAME = "lineup"
TUNING, FINAL, MONITOR = "tuning", "final", "monitor"  # stages
DIGITS = dict.fromkeys((TUNING, FINAL, MONITOR), 6)  # significant ones of the history of a fit, by its stage

ARMS = (
    Arm("Adam"),
    Arm("AMSGrad"),
    Arm("AMSGrad", bias_correction=False),
    Arm("AdaMax", bias_correction=None),
    Arm("Nadam", bias_correction=None, options={"momentum_decay": None}),
    Arm("NDAdam", bias_correction=None),
    Arm("SWATS", bias_correction=None),
    Arm("AdamW", bias_correction=None, options={"weight_decay": 0.01}),
    Arm("SGD", bias_correction=None, options={"momentum": 0.9}),
    Arm("RMSprop", bias_correction=None),
    Arm("Adam", schedule="inverse-sqrt-update"),
)
MONITORED = Arm("Adam", bias_correction=False)  # with bias correction alpha itself grows at first
RATES = tuple(float(f"{10 ** (k / 2 - 4):.4g}") for k in range(9))  # 1e-4 .. 1, half a decade apart
SEEDS_OF_TUNING = (1000, 1001, 1002)


@dataclass(frozen=True)
class Statement:
    """Where AMSGrad pays: on problems on which a measure of Adam's run under `OptimizerMonitor` lies on one side.

    To pay means a test loss that is lower than Adam's by more than the smallest difference that matters.
    """

    measure: str  # a key of `MEASURES`; empty: AMSGrad pays nowhere
    above: bool = True  # whether it pays above the threshold, or below it
    threshold: float = 0.0

    def predicts(self, value: float) -> bool:
        """Return whether AMSGrad pays on a problem on which the measure has this value."""
        return bool(self.measure) and (value > self.threshold if self.above else value < self.threshold)


MEASURES = {
    "train_negative_gamma": "the share of weights with a negative Γ",
    "train_tail_index": "the tail index of the gradients",
}
# Made by `studies.claims.paying.proposed` from the twelve problems that are not held out, before those that are were
# run: AMSGrad pays on none of the twelve, so the statement that is right on most is that it pays nowhere.
STATEMENT: Statement | None = Statement("")

LEFT_OPEN = (
    "A quarter of the rows is the test set; of the others a quarter validates and three quarters train, stratified "
    "where there are classes (D).",
    "Every optimizer is tuned alike: nine learning rates from 0.0001 to 1, half a decade apart, three seeds, which the "
    "final runs do not have. The rate with the lowest validation loss at each run's best epoch is kept, by the mean "
    "over the seeds; a rate with which a run diverges ranks last. Nothing else is tuned (D).",
    "Test rows choose nothing. They are measured in the final runs only: at the epoch with the lowest validation loss, "
    "as early stopping would have it, and at the last epoch (D).",
    "Nadam has a constant momentum, SWATS a tolerance of 1e-5, SGD a momentum of .9, AdamW a weight decay of .01; "
    "inverse-sqrt-update is alpha / sqrt(t) with the update t; the betas are .9 and .999 (D).",
    "Runs with the same seed start from the same weights and see the same batches (D).",
)


@dataclass(frozen=True)
class LineupStudy(NetworkStudy):
    """One problem of the line-up, as a variant of it; without a variant, all of them."""

    target: float = 0.0
    held_out: bool = False
    problems: dict[str, Any] = field(default_factory=dict, hash=False)  # each a `Problem`, by name

    @property
    def heading(self) -> str:
        """The title, which says what a problem is."""
        return self.title

    def as_variant(self, name: str) -> Self:
        """Return the line-up of a single problem."""
        self.check_variant(name)
        return replace(self, variant=PROTOCOL + name, problems={name: self.problems[name]}, **self.variants[name])

    def smoke(self) -> Self:
        """Return the same problems with few rows and epochs: every stage, no conclusion."""
        search = self.search and replace(self.search, learning_rates=self.search.learning_rates[3:5])
        search = search and replace(search, seeds=search.seeds[:1])
        few: dict[str, Any] = {"epochs": 2, "seeds": 2, "train_rows": 96, "test_rows": 32, "scale": "smoke"}
        return replace(self, search=search, **few)


def varied(problem: Problem) -> dict[str, Any]:
    """Return what the line-up of a single problem says of it, by field."""
    return {
        "title": problem.title,
        "data": _name(problem.data),
        "model": _name(problem.network),
        "loss": problem.loss,
        "epochs": problem.epochs,
        "batch_size": problem.batch_size,
        "target": problem.target,
        "held_out": problem.held_out,
    }


def _name(function: str | Callable[[], Any]) -> str:
    return function if isinstance(function, str) else f"{function.__module__}:{function.__qualname__}"


def lineup_of(problems: tuple[Problem, ...]) -> LineupStudy:
    """Return the line-up of some problems."""
    return LineupStudy(
        name=NAME,
        title="The line-up",
        source=NAME,
        question="Does AMSGrad, or any variant, beat Adam on problems of many kinds?",
        data=f"{len(problems)} problems",
        model="a network for each",
        arms=ARMS,
        search=Search(RATES, (0.999,), epochs=0, folds=4, seeds=SEEDS_OF_TUNING),
        epochs=0,  # those of each problem
        seeds=20,
        divide_by=None,
        left_open=LEFT_OPEN,
        problems={problem.name: problem for problem in problems},
        variants={problem.name: varied(problem) for problem in problems},
    )


STUDIES = (lineup_of(PROBLEMS),)
