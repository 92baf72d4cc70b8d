"""Studies of one-dimensional online problems, as data, and what theory says of them."""

from dataclasses import dataclass, field, replace

import numpy as np

from studies.catalog.bushaev import BUSHAEV
from studies.catalog.korzeniowski import KORZENIOWSKI
from studies.catalog.mcgill import BENNATAN


@dataclass(frozen=True)
class Losses:
    """Linear losses f_t(x) = g_t x on [-1, 1]: g_t is `steep` at some steps and -`shallow` at all others.

    Steep are the steps 1, 1 + `period`, 1 + 2 `period`, ..., or each step with a `probability`: one of the two is set.
    """

    steep: float
    shallow: float
    period: int | None = None
    probability: float | None = None

    def slopes(self, t, random):
        """Return g_t of the steps `t` (steps,), integers from 1; `random` (steps,) is uniform in [0, 1).

        >>> Losses(3.0, 1.0, period=3).slopes(np.arange(1, 6), np.zeros(5)).tolist()
        [3.0, -1.0, -1.0, 3.0, -1.0]
        """
        steep = t % self.period == 1 if self.period else random < self.probability
        return np.where(steep, self.steep, -self.shallow)

    @property
    def regret_at_worst(self):
        """Return the average regret of standing at +1 for ever, against -1: twice the mean slope.

        Theory has Adam tend to it, and AMSGrad to 0 (Reddi, Kale and Kumar 2018, Theorems 1, 3 and 4).

        >>> Losses(5.0, 1.0, period=3).regret_at_worst
        2.0
        """
        if self.period:
            return 2 * (self.steep - self.shallow * (self.period - 1)) / self.period
        probability = self.probability or 0.0
        return 2 * (self.steep * probability - self.shallow * (1 - probability))

    def __str__(self):
        when = f"if t mod {self.period} = 1" if self.period else f"with probability {self.probability:g}"
        return f"{self.steep:g}x {when}, else -{self.shallow:g}x"


@dataclass(frozen=True)
class SyntheticStudy:
    """Optimizers on one-dimensional online problems over [-1, 1], where the best fixed point is -1."""

    name: str
    title: str
    source: str
    question: str
    problems: tuple[Losses, ...]
    alpha: float
    beta_1: float
    beta_2: float | None  # None: 1 / (1 + C^2) of a problem whose steep slope is C
    start: float
    steps: int
    left_open: tuple[str, ...]
    schedule: str = "inverse-sqrt"  # the step size is alpha / sqrt(t); "constant": alpha
    seeds: int = 1
    optimizers: tuple[str, ...] = ("Adam", "AMSGrad", "AdaMax", "Nadam", "SGD", "AdaGrad", "RMSProp")
    bias_corrected: tuple[str, ...] = ()  # which of Adam and AMSGrad are
    epsilon: float = 1e-8
    data: str = "none"
    model: str = "x in [-1, 1]"
    scale: str = "paper"
    variant: str = ""  # empty: the source's own protocol
    variants: dict[str, dict] = field(default_factory=dict, hash=False)  # what each variant changes

    @property
    def label(self):
        return f"{self.name}.{self.variant}" if self.variant else self.name

    def as_variant(self, name):
        """Return the variant `name` of this study."""
        return replace(self, variant=name, **self.variants[name])

    def smoke(self):
        """Return the same study with a hundredth of the steps."""
        return replace(self, steps=self.steps // 100, scale="smoke")

    def size(self):
        """Return the paper-scale size in words."""
        each = f"{len(self.problems)} problems x " if len(self.problems) > 1 else ""
        each += f"{self.seeds} seeds x " if self.seeds > 1 else ""
        return f"{len(self.optimizers)} optimizers x {each}{self.steps:.0e} steps"


REDDI = 'Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond", ICLR 2018'


def regrets_at_worst(study):
    """Return {variant: average regret of standing at +1} of a study as a plan holds it: a dictionary."""
    problems = [Losses(**problem) for problem in study["problems"]]
    if len(problems) == 1:
        return {study["variant"]: problems[0].regret_at_worst}
    return {f"C={problem.steep:g}": problem.regret_at_worst for problem in problems}


LEFT_OPEN = (
    "Epsilon is 1e-8, added to the root (D).",
    "AdaMax and Nadam, which the source does not try, are corrected as their own papers define them, Nadam with "
    "constant momentum (D). SGD, AdaGrad and RMSProp are members of the source's general frame, RMSProp with Adam's "
    "beta_2 (D).",
    "Left out: ND-Adam, whose weight vectors of norm 1 have nowhere to go in one dimension; and SWATS, which ends as "
    "SGD at a rate it finds, so that it has no step size alpha / sqrt(t) to compare (D).",
)
CONSTANT = (
    "AdaGrad's psi is the mean of all squared gradients, which with alpha / sqrt(t) makes the usual AdaGrad. With the "
    "constant alpha of this variant its steps do not shrink, and its Gamma falls below zero (D).",
    *LEFT_OPEN,
)
FROM_ZERO = "x starts at 0 (D)."
BY_CHANCE = (
    "20 seeds; each draws its own losses, the same for every optimizer (D).",
    "The regret is against -1, the best point in expectation; while few steep losses have come, +1 may have been "
    "better so far, and the regret negative (D).",
)
READ_OFF = "The step size .5 / sqrt(t) is read off the figure of Reddi, Kale and Kumar (D)."
AS_CODED = {"source": BENNATAN, "beta_2": 0.999, "bias_corrected": ("Adam",)}
KORZENIOWSKI_SETTINGS = {
    "source": KORZENIOWSKI,
    "alpha": 0.001,
    "schedule": "constant",
    "start": 0.0,
    "steps": 9_000_000,
}

STUDIES = (
    SyntheticStudy(
        name="synthetic-online",
        title="The counterexample with one steep loss in 101",
        source=REDDI,
        question="Does Adam move away from the best point of a convex problem at the settings used in practice?",
        problems=(Losses(1010.0, 10.0, period=101),),
        alpha=0.5,
        beta_1=0.9,
        beta_2=0.99,
        start=0.0,
        steps=7_000_000,
        left_open=(
            READ_OFF,
            FROM_ZERO,
            *LEFT_OPEN,
        ),
        variants={
            "as-coded": AS_CODED | {"alpha": 0.01, "schedule": "constant", "left_open": (FROM_ZERO, *CONSTANT)},
            "korzeniowski": KORZENIOWSKI_SETTINGS | {"left_open": CONSTANT},
            "scaled": {"source": BUSHAEV, "problems": (Losses(101_000.0, 1000.0, period=101),)},
        },
    ),
    SyntheticStudy(
        name="synthetic-stochastic",
        title="The counterexample with steep losses by chance",
        source=REDDI,
        question="Does Adam also go wrong where the losses are independent draws from one distribution?",
        problems=(Losses(1010.0, 10.0, probability=0.01),),
        alpha=0.5,
        beta_1=0.9,
        beta_2=0.99,
        start=1.0,
        steps=10_000_000,
        seeds=20,
        left_open=(
            READ_OFF,
            *BY_CHANCE,
            *LEFT_OPEN,
        ),
        variants={
            "as-coded": AS_CODED,
            "korzeniowski": KORZENIOWSKI_SETTINGS | {"left_open": (*BY_CHANCE, *CONSTANT)},
        },
    ),
    SyntheticStudy(
        name="synthetic-mod3",
        title="The counterexample with period three",
        source=REDDI,
        question="Can Adam go to the worst point of a convex problem, where AMSGrad goes to the best?",
        problems=tuple(Losses(slope, 1.0, period=3) for slope in (3.0, 5.0, 10.0)),
        alpha=0.1,
        beta_1=0.0,
        beta_2=None,
        start=0.0,
        steps=1_000_000,
        left_open=(
            FROM_ZERO,
            "With beta_1 = 0, Adam and RMSProp are the same rule.",
            *LEFT_OPEN,
        ),
    ),
)
