"""Every study, as data: what its source says, in the source's order, and what we had to choose ourselves.

A text that ends in (D) is a default of ours, for something that the source leaves open. The report prints those.
"""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Setting:
    """One choice of an optimizer's hyper-parameters: `learning_rate` is the papers' alpha."""

    learning_rate: float
    beta_2: float

    def __str__(self):
        return f"α = {self.learning_rate:g}, β₂ = {self.beta_2:g}"


@dataclass(frozen=True)
class Search:
    """A grid of learning rate x beta_2, judged by cross-validation: lowest validation loss after the last epoch."""

    learning_rates: tuple[float, ...]
    beta_2s: tuple[float, ...]
    epochs: int
    folds: int = 3
    fold_seed: int = 0

    @property
    def settings(self):
        return tuple(Setting(a, b) for a in self.learning_rates for b in self.beta_2s)


@dataclass(frozen=True)
class NetworkStudy:
    """Optimizers compared on one network: a search for settings, then repeated training with what it chose."""

    name: str
    title: str
    source: str
    question: str
    data: str
    model: str
    search: Search
    epochs: int
    seeds: int
    published: dict[str, Setting] = field(hash=False)
    published_note: str
    left_open: tuple[str, ...]
    optimizers: tuple[str, ...] = ("Adam", "AMSGrad")
    batch_size: int = 128
    loss: str = "sparse_categorical_crossentropy"
    divide_by: float = 255
    train_rows: int | None = None  # None: all rows
    test_rows: int | None = None
    scale: str = "paper"
    variant: str = ""  # empty: the source's own protocol

    @property
    def label(self):
        return f"{self.name}.{self.variant}" if self.variant else self.name

    def smoke(self):
        """Return the same study on a small subset: every stage, no conclusion."""
        betas = self.search.beta_2s
        search = replace(
            self.search, learning_rates=self.search.learning_rates[1:3], beta_2s=(betas[0], betas[-1]), epochs=2
        )
        return replace(self, search=search, epochs=3, seeds=2, train_rows=1200, test_rows=400, scale="smoke")

    def size(self):
        """Return the paper-scale size in words."""
        fits = len(self.search.settings) * self.search.folds
        return (
            f"{len(self.optimizers)} x {fits} search fits of {self.search.epochs} epochs, "
            f"{len(self.optimizers)} x {self.seeds} runs of {self.epochs}"
        )


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


BENNATAN = 'Bennatan, Collin and Ng, "A Closer Look At The Convergence of Adam and AMSGrad"'
REDDI = 'Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond", ICLR 2018'

MCGILL_GRID = {"learning_rates": (1e-4, 1e-3, 1e-2, 0.1, 1.0), "beta_2s": (0.99, 0.9925, 0.995, 0.9975, 0.999)}

LEFT_OPEN_IN_NETWORKS = (
    "Both optimizers are bias-corrected, with epsilon 1e-8 (D).",
    "Initial weights are Glorot uniform, biases zero (D).",
    "Folds are stratified and shuffled with a fixed seed; the same seed gives every optimizer the same folds, initial "
    "weights and order of batches (D).",
    "The search keeps the setting with the lowest validation loss after the last epoch, averaged over the folds (D).",
    "Training loss and accuracy are means over an epoch while it trains, as Keras reports them (D).",
)

STUDIES = {
    study.name: study
    for study in (
        NetworkStudy(
            name="digits",
            title="Adam and AMSGrad on handwritten digits",
            source="The protocol of Bennatan, Collin and Ng, at a size for a first look",
            question="Does AMSGrad beat Adam on a small network, once each has the settings that suit it?",
            data="digits",
            model="feedforward",
            search=Search(learning_rates=(1e-3, 1e-2, 0.1, 1.0), beta_2s=(0.99, 0.999), epochs=15),
            epochs=30,
            seeds=5,
            divide_by=16,
            published={},
            published_note="No source reports this study: the data are scikit-learn's bundled digits, 8 x 8 pixels.",
            left_open=("A quarter of the 1,797 images, stratified, is the test set (D).", *LEFT_OPEN_IN_NETWORKS),
        ),
        NetworkStudy(
            name="mcgill-logistic",
            title="Logistic regression on MNIST",
            source=BENNATAN,
            question="Is there a discernible difference between Adam and AMSGrad on a convex problem?",
            data="mnist",
            model="logistic",
            search=Search(**MCGILL_GRID, epochs=30),
            epochs=50,
            seeds=5,
            published={"Adam": Setting(0.001, 0.99), "AMSGrad": Setting(0.001, 0.99)},
            published_note="Table I of the source.",
            left_open=(
                "Pixels are divided by 255 (D).",
                "The loss is categorical cross-entropy on probabilities; the text says binary cross-entropy (D).",
                "The official split, 60,000 training and 10,000 test images (D).",
                *LEFT_OPEN_IN_NETWORKS,
            ),
        ),
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
}
