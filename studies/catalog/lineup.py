"""The line-up: many small problems, on each of which every optimizer is tuned alike; as data.

Source of the question: the comparisons that this project runs again end with "more problems are needed". No source did
this, so that everything here is a default of ours (D).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studies.catalog.metrics import SQUARED_ERROR
from studies.catalog.network import Arm, NetworkStudy, Search
from studies.catalog.variant import PROTOCOL

NAME = "lineup"
TUNING, FINAL, MONITOR = "tuning", "final", "monitor"  # stages
DIGITS = dict.fromkeys((TUNING, FINAL, MONITOR), 6)  # significant ones of the history of a fit, by its stage
CROSSENTROPY = "logits_crossentropy"
WHERE = "studies.lineup"  # the modules of the problems are below it


@dataclass(frozen=True)
class Problem:
    """A data set, a network, and how long it is trained: the same for every optimizer.

    `data` is a function without arguments that returns all rows, (x, y): the line-up divides them into rows that train,
    rows that validate, and rows that test. `network` is one that returns a new Keras model. Both may be given by name,
    "MODULE:FUNCTION".
    """

    name: str
    title: str
    data: str | Callable[[], Any]
    network: str | Callable[[], Any]
    loss: str  # CROSSENTROPY of classes, for networks that end in logits, or SQUARED_ERROR of numbers
    target: float  # a validation loss: how many epochs each optimizer takes to it is reported
    epochs: int
    batch_size: int = 32
    standardize: bool = False  # inputs to mean 0 and standard deviation 1, by the rows that train
    held_out: bool = False  # whether statements on where an optimizer pays are judged on it


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
# Made from the problems that are not held out, before those that are were run; `studies.claims.paying.proposed` gives
# the one that is right on most of them. None: not made yet.
STATEMENT: Statement | None = None

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


# The last four, as different as can be, are held out: statements are made from the others, and judged on these.
PROBLEMS = (
    Problem(
        name="breast-cancer",
        title="Breast cancer: 30 measurements, 2 classes, feed-forward",
        data=f"{WHERE}.tabular:breast_cancer",
        network=f"{WHERE}.tabular:breast_cancer_network",
        loss=CROSSENTROPY,
        target=0.06,
        epochs=25,
        batch_size=16,
        standardize=True,
    ),
    Problem(
        name="wine",
        title="Wine: 4 measurements, 3 classes, feed-forward",
        data=f"{WHERE}.tabular:wine",
        network=f"{WHERE}.tabular:wine_network",
        loss=CROSSENTROPY,
        target=0.6,
        epochs=40,
        batch_size=8,
        standardize=True,
    ),
    Problem(
        name="diabetes",
        title="Diabetes: a regression on 10 measurements, feed-forward",
        data=f"{WHERE}.tabular:diabetes",
        network=f"{WHERE}.tabular:diabetes_network",
        loss=SQUARED_ERROR,
        target=0.55,
        epochs=30,
        batch_size=16,
        standardize=True,
    ),
    Problem(
        name="imbalance",
        title="One row in a hundred is of the second class, feed-forward",
        data=f"{WHERE}.tabular:imbalance",
        network=f"{WHERE}.tabular:imbalance_network",
        loss=CROSSENTROPY,
        target=0.03,
        epochs=15,
    ),
    Problem(
        name="digits",
        title="Handwritten digits: feed-forward",
        data=f"{WHERE}.images:digits",
        network=f"{WHERE}.images:digits_network",
        loss=CROSSENTROPY,
        target=0.09,
        epochs=20,
    ),
    Problem(
        name="autoencoder",
        title="Handwritten digits through a bottleneck of 8: autoencoder",
        data=f"{WHERE}.images:copied_digits",
        network=f"{WHERE}.images:autoencoder_network",
        loss=SQUARED_ERROR,
        target=0.028,
        epochs=20,
    ),
    Problem(
        name="shifted-shapes",
        title="Series with a shape at any place: convolutional",
        data=f"{WHERE}.series:shifted_shapes",
        network=f"{WHERE}.series:convolutional_network",
        loss=CROSSENTROPY,
        target=0.6,
        epochs=12,
    ),
    Problem(
        name="bursts",
        title="The frequency of a burst in noise: attention",
        data=f"{WHERE}.series:bursts",
        network=f"{WHERE}.series:attention_network",
        loss=CROSSENTROPY,
        target=0.95,
        epochs=20,
    ),
    Problem(
        name="words-common",
        title="Texts in which a common word decides: embedding",
        data=f"{WHERE}.words:common",
        network=f"{WHERE}.words:embedding_network",
        loss=CROSSENTROPY,
        target=0.42,
        epochs=20,
    ),
    Problem(
        name="recurring-word",
        title="Whether the first word comes again: a Transformer block",
        data=f"{WHERE}.words:recurring",
        network=f"{WHERE}.words:transformer_network",
        loss=CROSSENTROPY,
        target=0.62,
        epochs=20,
    ),
    Problem(
        name="heavy-tails",
        title="Inputs with heavy tails and wrong labels: feed-forward",
        data=f"{WHERE}.made_up:heavy_tails",
        network=f"{WHERE}.made_up:heavy_tails_network",
        loss=CROSSENTROPY,
        target=0.38,
        epochs=20,
    ),
    Problem(
        name="deep-narrow",
        title="Two spirals: twelve layers of ten units",
        data=f"{WHERE}.made_up:spirals",
        network=f"{WHERE}.made_up:deep_narrow_network",
        loss=CROSSENTROPY,
        target=0.1,
        epochs=25,
    ),
    Problem(
        name="digits-convolutional",
        title="Handwritten digits: convolutional",
        data=f"{WHERE}.images:square_digits",
        network=f"{WHERE}.images:convolutional_network",
        loss=CROSSENTROPY,
        target=0.15,
        epochs=10,
        held_out=True,
    ),
    Problem(
        name="adding",
        title="The sum of two marked numbers in a series: GRU",
        data=f"{WHERE}.series:adding",
        network=f"{WHERE}.series:gru_network",
        loss=SQUARED_ERROR,
        target=0.015,
        epochs=20,
        held_out=True,
    ),
    Problem(
        name="words-rare",
        title="Texts in which a rare word decides: embedding",
        data=f"{WHERE}.words:rare",
        network=f"{WHERE}.words:embedding_network",
        loss=CROSSENTROPY,
        target=0.5,
        epochs=20,
        held_out=True,
    ),
    Problem(
        name="ill-conditioned",
        title="Least squares with a condition number of 100,000",
        data=f"{WHERE}.made_up:ill_conditioned",
        network=f"{WHERE}.made_up:linear_network",
        loss=SQUARED_ERROR,
        target=0.65,
        epochs=20,
        held_out=True,
    ),
)


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
