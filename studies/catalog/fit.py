"""A fit: one training of one network, by everything that determines its outcome."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Protocol

from studies.catalog.network import Arm, NetworkStudy


@dataclass(frozen=True)
class Fit:
    """One training of one network, by everything that determines it."""

    study: str
    stage: str  # "search" or "repeat"
    data: str  # fingerprint of the prepared numbers
    model: str
    optimizer: str
    epochs: int
    batch_size: int
    loss: str
    seed: int
    learning_rate: float | None = None  # alpha; where there is a schedule, its value at the start
    beta_2: float | None = None
    bias_correction: bool | None = None  # None where the optimizer has no such choice
    schedule: str = ""
    options: dict[str, Any] = dataclasses.field(default_factory=dict, hash=False)  # further settings of the optimizer
    l2: float = 0.0  # l2 times the sum of all squared weights is added to the loss
    flip: bool = False  # training images are mirrored left to right at random
    fill_last_batch: bool = False
    patience: int | None = None  # training stops when its loss has not gone down for so many epochs
    variant: str = ""
    fold: int | None = None
    folds: int | None = None
    fold_seed: int | None = None


class Fingerprinted(Protocol):
    """Data as a `Fit` names it."""

    @property
    def fingerprint(self) -> str: ...


def fit_of(
    study: NetworkStudy, data: Fingerprinted, arm: Arm, stage: str, epochs: int, seed: int = 0, **of_search: Any
) -> Fit:
    """Return the study's `Fit` for one arm and stage; `of_search` are the fields that only a search has."""
    return Fit(
        study=study.name,
        stage=stage,
        data=data.fingerprint,
        model=arm.model or study.model,
        optimizer=arm.optimizer,
        epochs=epochs,
        batch_size=study.batch_size,
        loss=study.loss,
        seed=seed,
        learning_rate=arm.learning_rate,
        beta_2=arm.beta_2,
        bias_correction=arm.bias_correction,
        schedule=arm.schedule,
        options=arm.options,
        l2=arm.l2,
        flip=study.flip,
        fill_last_batch=study.fill_last_batch,
        variant=str(study.variant + arm.variant),
        **of_search,
    )
