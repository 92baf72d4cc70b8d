"""Evidence from the one-dimensional problems. Without chance one walk is the answer; else seeds are repetitions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.catalog import STUDIES, SyntheticStudy
from studies.catalog.synthetic import variant_of
from studies.claims.evidence import Evidence, Found, Tables, rows_of
from studies.claims.statistics import mean_interval
from studies.claims.words import Side, interval_in_words, number

TENTH = 10  # a regret that vanishes falls while the steps grow by this factor
NEAR = -0.9  # x below it is near the best point, -1


def end(walk: pd.DataFrame) -> float:
    """Return the last x."""
    return float(walk["x"].iloc[-1])


def regret_left(walk: pd.DataFrame) -> float:
    """Return what is left of the average regret over the last tenfold of steps; as t^-1/2 it falls to .32."""
    regret = walk["average_regret"]
    before = regret[walk["t"] <= walk["t"].iloc[-1] / TENTH].iloc[-1]
    return float(abs(regret.iloc[-1]) / max(abs(before), 1e-300))


def lowest_gamma(walk: pd.DataFrame) -> float:
    """Return the sign of the lowest change of the inverse step size: -1 where it falls at some step."""
    return float(np.sign(walk["gamma_min"].dropna().min()))


def largest_step(walk: pd.DataFrame) -> float:
    """Return the largest step, in units of its alpha."""
    return float(walk["largest_step"].max())


def steps_until_near(walk: pd.DataFrame) -> float:
    """Return the first kept step from which on x < -.9; infinite where there is none."""
    far = walk.loc[walk["x"] >= NEAR, "t"].max()
    near = walk.loc[walk["t"] > far, "t"] if far == far else walk["t"]
    return float(near.iloc[0]) if len(near) else np.inf


MEASURES: dict[str, tuple[Callable[[pd.DataFrame], float], str]] = {
    "end": (end, "x ends at {}"),
    "regret left": (regret_left, "{} times the average regret is left after ten times the steps"),
    "lowest gamma": (lowest_gamma, "the sign of the lowest Γ is {}"),
    "largest step": (largest_step, "the largest step is {} α"),
}


@dataclass(frozen=True, kw_only=True)
class OfWalks(Evidence):
    """A number of each walk a, beside the one that is claimed; the estimate is their difference."""

    kind = "walks"
    unit = ""
    quantity: str = "end"  # a key of `MEASURES`
    claimed: float = 0.0

    def measure(self, tables: Tables) -> Found:
        measure, words = MEASURES[self.quantity]
        rows = rows_of(tables.walks, self.a)
        values = np.array([measure(walk) for _, walk in rows.groupby("seed")])
        n = len(values)
        if not n or not np.isfinite(values).any():
            return Found()
        mean, study = float(values.mean()), STUDIES[self.a["study"]]
        exact = isinstance(study, SyntheticStudy) and study.seeds == 1
        low, high = (mean, mean) if exact else mean_interval(values)
        text = words.format(number(mean)) + ("" if exact else f" {interval_in_words(low, high, '')}")
        return Found(
            n=n,
            value_a=mean,
            value_b=self.claimed,
            estimate=mean - self.claimed,
            low=low - self.claimed,
            high=high - self.claimed,
            text=text + (", nothing being left to chance" if exact else ""),
            reason=_unfinished(self.a, rows),
        )


@dataclass(frozen=True, kw_only=True)
class Apart(Evidence):
    """How far a walk a is at most from a walk b, over the steps that both have."""

    kind = "walks apart"
    unit = ""

    def measure(self, tables: Tables) -> Found:
        a, b = (rows_of(tables.walks, side) for side in (self.a, self.b))
        both = a.merge(b, on=["seed", "t"], suffixes=("_a", "_b"))
        if both.empty:
            return Found()
        apart = float((both["x_a"] - both["x_b"]).abs().max())
        text = f"the two walks are {number(apart)} apart at most, nothing being left to chance"
        return Found(1, estimate=apart, low=apart, high=apart, text=text)


@dataclass(frozen=True, kw_only=True)
class Sooner(Evidence):
    """Whether the walk a comes near the best point in fewer steps than the walk b: the difference in percent of b's."""

    kind = "steps until near"

    def measure(self, tables: Tables) -> Found:
        sides = [rows_of(tables.walks, side) for side in (self.a, self.b)]
        steps = [np.array([steps_until_near(walk) for _, walk in rows.groupby("seed")]) for rows in sides]
        n = min(map(len, steps))
        if not n:
            return Found()
        means = [float(np.median(each)) for each in steps]
        estimate = 100 * (means[0] / means[1] - 1) if np.isfinite(means[1]) else -100.0
        text = f"x stays below −.9 from step {number(means[0])} on, against step {number(means[1])} (medians)"
        return Found(n, means[0], means[1], estimate, estimate, estimate, text=text)


def _unfinished(side: Side, rows: pd.DataFrame) -> str:
    study = STUDIES[side["study"]]
    for name, changed in study.variants.items():
        if name == str(side.get("variant", "")).split("+")[0] and "steps" in changed:
            study = study.as_variant(name)
    if isinstance(study, SyntheticStudy) and rows["t"].max() < study.steps:
        return f"The walks took {rows['t'].max():.0e} of {study.steps:.0e} steps."
    return ""


def walks(
    quantity: str,
    optimizer: str,
    claimed: float,
    direction: str,
    rope: float = 0.0,
    studies: tuple[tuple[str, str], ...] = (),
) -> tuple[OfWalks, ...]:
    """Return a piece of evidence for each problem of each (study, variant)."""
    found = []
    for name, variant in studies:
        study = STUDIES[name].as_variant(variant) if variant else STUDIES[name]
        assert isinstance(study, SyntheticStudy)
        for problem in study.problems:
            side = {"study": name, "variant": str(variant_of(study, problem)), "optimizer": optimizer}
            label = ", ".join(filter(None, side.values()))
            found.append(
                OfWalks(label=label, quantity=quantity, claimed=claimed, direction=direction, rope=rope, a=side)
            )
    return tuple(found)
