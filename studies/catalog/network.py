"""Studies of networks, as data."""

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
