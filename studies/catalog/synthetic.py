"""Studies of one-dimensional online problems, and what theory says of them."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from studies.catalog.variant import PROTOCOL, HasVariants, Variant


@dataclass(frozen=True)
class Losses:
    """Linear losses f_t(x) = g_t x on [-1, 1]: g_t is `steep` at some steps and -`shallow` at all others.

    Steep are the steps 1, 1 + `period`, 1 + 2 `period`, ..., or each step with a `probability`: one of the two is set.
    """

    steep: float
    shallow: float
    period: int | None = None
    probability: float | None = None

    def slopes(self, t: np.ndarray, random: np.ndarray) -> np.ndarray:
        """Return g_t of the steps `t` (steps,), integers from 1; `random` (steps,) is uniform in [0, 1).

        >>> Losses(3.0, 1.0, period=3).slopes(np.arange(1, 6), np.zeros(5)).tolist()
        [3.0, -1.0, -1.0, 3.0, -1.0]
        """
        steep = t % self.period == 1 if self.period else random < self.probability
        return np.where(steep, self.steep, -self.shallow)

    @property
    def name(self) -> str:
        """The part of a variant that names the problem.

        >>> Losses(1.01e6, 1e4, period=101).name  # a "+" would begin another part
        'C=1.01e06'
        """
        return f"C={self.steep:g}".replace("+", "")

    @property
    def regret_at_worst(self) -> float:
        """Return the average regret of standing at +1 for ever, against -1: twice the mean slope.

        Theory has Adam tend to it, and AMSGrad to 0 (Reddi, Kale and Kumar 2018, Theorems 1, 3 and 4).

        >>> Losses(5.0, 1.0, period=3).regret_at_worst
        2.0
        """
        if self.period:
            return 2 * (self.steep - self.shallow * (self.period - 1)) / self.period
        probability = self.probability or 0.0
        return 2 * (self.steep * probability - self.shallow * (1 - probability))

    def __str__(self) -> str:
        when = f"if t mod {self.period} = 1" if self.period else f"with probability {self.probability:g}"
        return f"{self.steep:g}x {when}, else -{self.shallow:g}x"


@dataclass(frozen=True)
class SyntheticStudy(HasVariants):
    """Optimizers on one-dimensional online problems over [-1, 1], where the best fixed point is -1."""

    name: str
    title: str
    source: str  # a key of `SOURCES`
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
    own_command: None = None  # nobody brings a problem of their own
    variant: Variant = PROTOCOL  # empty: the source's own protocol
    variants: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)  # what each variant changes

    def as_variant(self, name: str) -> Self:
        """Return one of the variants of this study."""
        self.check_variant(name)
        return replace(self, variant=Variant.parse(name), **self.variants[name])

    def smoke(self) -> Self:
        """Return the same study with a hundredth of the steps."""
        return replace(self, steps=self.steps // 100, scale="smoke")

    def size(self) -> str:
        """Return the paper-scale size in words."""
        each = f"{len(self.problems)} problems x " if len(self.problems) > 1 else ""
        each += f"{self.seeds} seeds x " if self.seeds > 1 else ""
        return f"{len(self.optimizers)} optimizers x {each}{self.steps:.0e} steps"


def regrets_at_worst(study: SyntheticStudy) -> dict[str, float]:
    """Return {variant of a walk: average regret of standing at +1} of a study."""
    return {str(variant_of(study, problem)): problem.regret_at_worst for problem in study.problems}


def variant_of(study: SyntheticStudy, problem: Losses) -> Variant:
    """Return the variant of the walks on one of a study's problems: of several, each has a part C=STEEP."""
    return study.variant if len(study.problems) == 1 else study.variant + problem.name
