"""Studies of networks, as data."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studies.catalog.command import OwnCommand
from studies.catalog.optimizers import numbers_of
from studies.catalog.variant import PROTOCOL, PUBLISHED, HasVariants, Variant

INVERSE_SQRT = ("inverse-sqrt-epoch", "inverse-sqrt-update")  # schedules: what t in alpha / sqrt(t) may mean


@dataclass(frozen=True)
class Setting:
    """One choice of an optimizer's hyper-parameters: `learning_rate` is the papers' alpha."""

    learning_rate: float
    beta_2: float | None
    options: dict[str, Any] = field(default_factory=dict, hash=False)  # further numbers, by their names

    def __str__(self) -> str:
        beta_2 = "" if self.beta_2 is None else f", β₂ = {self.beta_2:g}"
        return f"α = {self.learning_rate:g}{beta_2}" + "".join(f", {name} = {x}" for name, x in self.options.items())


@dataclass(frozen=True)
class Arm:
    """One of the things that a study compares: an optimizer with all its settings.

    `learning_rate` and `beta_2` are None where a search is to find them. Batches, epochs and seeds are the study's.
    """

    optimizer: str  # the class: of keras_amsgrad, or else of keras.optimizers
    learning_rate: float | None = None
    beta_2: float | None = None
    bias_correction: bool | None = True  # None where the optimizer has no such choice
    schedule: str = ""  # constant; linear, inverse-sqrt-epoch, inverse-sqrt-update, warm-restarts
    options: dict[str, Any] = field(default_factory=dict, hash=False)  # further settings of the optimizer
    l2: float = 0.0  # l2 times the sum of all squared weights is added to the loss
    variant: str = ""  # what the columns of `runs.csv` do not say otherwise
    model: str = ""  # where it is not the study's

    @property
    def label(self) -> str:
        words = [self.optimizer, *(text for text in (self.variant, self.schedule) if text)]
        return ", ".join(words + ["not corrected"] * (self.bias_correction is False))

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the numbers that a grid may search over."""
        return numbers_of(self.optimizer) + ("ema_momentum",) * bool(self.options.get("use_ema"))

    def at(self, setting: Setting) -> Self:
        """Return the arm with a `Setting`."""
        options = self.options | setting.options
        return replace(self, learning_rate=setting.learning_rate, beta_2=setting.beta_2, options=options)


@dataclass(frozen=True)
class Search:
    """A grid of learning rate x beta_2 x others, judged by cross-validation after the last epoch.

    Of a number without values, and of one that an optimizer does not have, an arm keeps its own.
    """

    learning_rates: tuple[float, ...]
    beta_2s: tuple[float, ...]
    epochs: int
    folds: int = 3
    fold_seed: int = 0
    patience: int | None = None  # a fit stops when its training loss has not gone down for so many epochs
    select: str = "val_loss"  # the column that chooses: the lowest loss, or the highest accuracy
    of_protocol: bool = False  # the fits are those of the study's own protocol; only the choice is another
    loss: str = ""  # where it is not the study's
    schedule: str = ""  # where it is not the arm's
    others: dict[str, tuple[float, ...]] = field(default_factory=dict, hash=False)  # values of further numbers
    seeds: tuple[int, ...] = ()  # of the line-up: fold 0 alone validates, once for each of these

    def settings(self, arm: Arm) -> tuple[Setting, ...]:
        """Return every `Setting` to try for an arm."""
        grid = {"learning_rate": self.learning_rates, "beta_2": self.beta_2s, **self.others}
        names = [name for name, values in grid.items() if values and name in arm.numbers]
        return tuple(
            _setting(arm, dict(zip(names, values, strict=True)))
            for values in itertools.product(*(grid[name] for name in names))
        )


def _setting(arm: Arm, values: dict[str, float]) -> Setting:
    """Return the `Setting` of an arm with the values of a grid; its own learning rate and beta_2 where it has none."""
    alpha, beta_2 = values.pop("learning_rate", arm.learning_rate), values.pop("beta_2", arm.beta_2)
    assert alpha is not None, "neither the grid nor the arm has a learning rate"
    return Setting(alpha, beta_2, values)


@dataclass(frozen=True)
class Smoke:
    """What the smoke scale of a study leaves of it."""

    train_rows: int = 1200
    test_rows: int = 400
    epochs: int = 3
    seeds: int = 2
    arms: int | None = None  # the first so many; None: all
    beta_2s: int = 2


@dataclass(frozen=True)
class NetworkStudy(HasVariants):
    """Arms compared on one network. With a search: each gets the setting it chose; without, the arms are a grid."""

    name: str
    title: str
    source: str  # a key of `SOURCES`
    question: str
    data: str
    model: str
    epochs: int
    seeds: int
    left_open: tuple[str, ...]
    arms: tuple[Arm, ...] = (Arm("Adam"), Arm("AMSGrad"))
    search: Search | None = None
    published: dict[str, Setting] = field(default_factory=dict, hash=False)  # by optimizer
    published_note: str = ""
    batch_size: int = 128
    fill_last_batch: bool = False  # with random repeats; else it is short
    loss: str = "sparse_categorical_crossentropy"
    split: str = ""  # which rows train and which test: see `studies.data.official`
    divide_by: float | None = 255  # None: inputs are taken as they come, whole numbers as whole numbers
    center: bool = False  # subtract the training rows' mean, pixel by pixel
    flip: bool = False  # training images are mirrored left to right at random
    train_rows: int | None = None  # None: all rows
    test_rows: int | None = None
    scale: str = "paper"
    smoke_scale: Smoke = Smoke()
    own_command: OwnCommand | None = None  # what makes a comparison of one's own again; None: a study of the catalog
    variant: Variant = PROTOCOL  # empty: the source's own protocol
    variants: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)  # what each changes, by field

    def as_variant(self, name: str) -> Self:
        """Return the study as one of its variants, or with the settings that its source reports (`PUBLISHED`)."""
        if name != PUBLISHED:
            self.check_variant(name)
        return replace(self, variant=self.variant + name, **self.variants.get(name, {}))

    def smoke(self) -> Self:
        """Return the same study on a small subset: every stage, no conclusion."""
        small = self.smoke_scale
        search = self.search and replace(
            self.search,
            learning_rates=self.search.learning_rates[1:3],
            beta_2s=(self.search.beta_2s[0], self.search.beta_2s[-1])[: min(small.beta_2s, len(self.search.beta_2s))],
            epochs=2,
        )
        return replace(
            self,
            search=search,
            arms=self.arms[: small.arms],
            epochs=small.epochs,
            seeds=small.seeds,
            train_rows=small.train_rows,
            test_rows=small.test_rows,
            scale="smoke",
        )

    def size(self) -> str:
        """Return the paper-scale size in words."""
        runs = f"{len(self.arms)} x {self.seeds} runs of {self.epochs} epochs"
        if self.search is None:
            return runs
        fits = sum(len(self.search.settings(arm)) for arm in self.arms) * self.search.folds
        return f"{fits} search fits of {self.search.epochs} epochs, {runs}"
