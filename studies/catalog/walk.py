"""A walk: one path of one optimizer on a one-dimensional problem, by everything that determines it."""

from dataclasses import dataclass

from studies.catalog.synthetic import Losses, SyntheticStudy, variant_of


@dataclass(frozen=True)
class Walk:
    """One path of one optimizer, by everything that determines it."""

    study: str
    problem: Losses
    optimizer: str
    alpha: float
    schedule: str
    beta_1: float
    beta_2: float
    epsilon: float
    bias_correction: bool | None  # None where the optimizer has no such choice
    start: float
    steps: int
    seed: int
    variant: str = ""
    stage: str = "walk"


def walks_of(study: SyntheticStudy) -> list[Walk]:
    """Return every walk of a study."""
    return [
        Walk(
            study=study.name,
            variant=str(variant_of(study, problem)),
            problem=problem,
            optimizer=optimizer,
            alpha=study.alpha,
            schedule=study.schedule,
            beta_1=study.beta_1,
            beta_2=1 / (1 + problem.steep**2) if study.beta_2 is None else study.beta_2,
            epsilon=study.epsilon,
            bias_correction=optimizer in study.bias_corrected if optimizer in ("Adam", "AMSGrad") else None,
            start=study.start,
            steps=study.steps,
            seed=seed,
        )
        for optimizer in study.optimizers
        for problem in study.problems
        for seed in range(study.seeds)
    ]
