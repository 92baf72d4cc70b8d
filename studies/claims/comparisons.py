"""Claims that compare runs: one side of the comparison against the other, paired by seed."""

from dataclasses import replace

import numpy as np

from studies.catalog import STUDIES
from studies.claims.claim import INCONCLUSIVE
from studies.claims.statistics import effect
from studies.claims.words import advantage_in_words, between, names

SETTING = ("learning_rate", "beta_2", "bias_correction")  # columns that say where in a grid a run stands


def compare(claim, tables, *, sides, within=()):
    """Return a part for each pair of sides and each setting of the columns `within`.

    A side is a dictionary of the values that its rows have; the claim puts the first ahead of the second.
    """
    repeats = protocol(tables.runs)
    parts = []
    for first, second in sides:
        pairs = side(repeats, first).merge(side(repeats, second), on=[*within, "seed"], suffixes=("_first", "_second"))
        groups = pairs.groupby(list(within), dropna=False) if within and len(pairs) else [((), pairs)]
        for setting, group in groups:
            label = names(first, second, dict(zip(within, setting, strict=False)))
            parts.append(_part(claim, first, second, group, label))
    return parts


def against(study, first, second, **both):
    """Return two optimizers of a study as the sides of a comparison."""
    return {"study": study, **both, "optimizer": first}, {"study": study, **both, "optimizer": second}


def protocol(runs):
    """Return the repeated runs; those with published settings count as the protocol's where no others are."""
    repeats = runs[runs["stage"] == "repeat"]
    own = set(repeats.loc[repeats["variant"] == "", "study"])
    published = (repeats["variant"] == "published-settings") & ~repeats["study"].isin(own)
    return repeats.assign(variant=repeats["variant"].mask(published, ""))


def side(repeats, values):
    """Return the rows that have these values; of no variant, unless they name one."""
    chosen = np.ones(len(repeats), dtype=bool)
    for column, value in ({"variant": ""} | values).items():
        chosen &= (repeats[column] == value).to_numpy(dtype=bool)
    return repeats[chosen]


def advantage(metric, first, a, b):
    """Return how far the first side, values a (n,), is ahead of the second, b (n,).

    In a loss: relative to Adam's mean where the first side is Adam, else to the second's. In an accuracy: a - b.
    """
    if not metric.endswith("loss"):
        return a - b
    return (b - a) / np.mean(a if first.get("optimizer") == "Adam" else b) if len(a) else a


def shortened(study, variant, epochs, stage="repeat"):
    """Return in words how much less than the study's own epochs its runs were given, or an empty text."""
    if study not in STUDIES:
        return ""  # a comparison of one's own is as long as its user wants it
    base = STUDIES[study]
    changed = getattr(base, "variants", {}).get(variant.split("+")[0], {})
    planned = changed.get("search", base.search).epochs if stage == "search" else changed.get("epochs", base.epochs)
    return f"its runs had {epochs} of the study's {planned} epochs" if epochs < planned else ""


def inconclusive(part, reason):
    """Return the part without a verdict, for a reason; unchanged where there is none."""
    return replace(part, verdict=INCONCLUSIVE, reason=reason) if part.n and reason else part


def _part(claim, first, second, pairs, label):
    a, b = (pairs[f"{claim.metric}_{which}"].to_numpy(dtype=float) for which in ("first", "second"))
    whole = np.isfinite(a) & np.isfinite(b)
    differences = advantage(claim.metric, first, a[whole], b[whole])
    studies = {"study": first["study"], "other_study": second["study"]}
    part = effect(differences, rope=claim.rope, direction=claim.direction, label=label, **studies)
    if not part.n:
        return part
    text = advantage_in_words(claim.metric, part, *between(first, second))
    text += "" if whole.all() else f"; {(~whole).sum()} of the pairs diverged and are left out"
    reason = shortened(first["study"], first.get("variant", ""), pairs["epochs_first"].min())
    return inconclusive(replace(part, text=text), reason)
