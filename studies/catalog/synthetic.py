"""Studies of one-dimensional online problems, as data."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class SyntheticStudy:
    """Optimizers on a one-dimensional online problem over [-1, 1], where the best point is -1."""

    name: str
    title: str
    source: str
    question: str
    problem: str
    slopes: tuple[float, ...]  # C of the problem
    alpha: float  # the step size is alpha / sqrt(t)
    beta_1: float
    start: float
    steps: int
    left_open: tuple[str, ...]
    optimizers: tuple[str, ...] = ("Adam", "AMSGrad", "AdaMax")
    epsilon: float = 1e-8
    data: str = "none"
    model: str = "x in [-1, 1]"
    scale: str = "paper"
    variant: str = ""

    @property
    def label(self):
        return self.name

    def smoke(self):
        """Return the same study with a hundredth of the steps."""
        return replace(self, steps=self.steps // 100, scale="smoke")

    def size(self):
        """Return the paper-scale size in words."""
        return f"{len(self.optimizers)} optimizers x {len(self.slopes)} slopes x {self.steps:.0e} steps"


REDDI = 'Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond", ICLR 2018'

STUDIES = (
    SyntheticStudy(
        name="synthetic-mod3",
        title="The counterexample with period three",
        source=REDDI,
        question="Can Adam go to the worst point of a convex problem, where AMSGrad goes to the best?",
        problem="f_t(x) = C x if t mod 3 = 1, else -x",
        slopes=(3.0, 5.0, 10.0),
        alpha=0.1,
        beta_1=0.0,
        start=0.0,
        steps=1_000_000,
        left_open=(
            "x starts at 0 (D).",
            "Epsilon is 1e-8 (D).",
            "No bias correction for Adam and AMSGrad, as in the source; AdaMax, which the source does not try, is "
            "corrected as its own paper defines it (D).",
        ),
    ),
)
