"""The published tables, and the statistics of docs/verdicts.md, without the project's own code."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

ROOT = Path(__file__).parents[1] / "studies"
HERE = ROOT / "published"


def read(name):
    table = pd.read_csv(HERE / name, keep_default_na=True)
    texts = [each for each in ("variant", "schedule", "reading", "part", "a", "b", "quantity", "unit") if each in table]
    return table.assign(**{each: table[each].fillna("") for each in texts})


RUNS, CURVES, PATHS = read("runs.csv"), read("curves.csv.gz"), read("paths.csv.gz")
REPEATS, SEARCHES = (RUNS[RUNS["stage"] == stage] for stage in ("repeat", "search"))
VERDICTS, ANSWER = read("verdicts.csv"), read("answer.csv")
PARTS = VERDICTS[(VERDICTS["part"] != "") & (VERDICTS["n"] > 0)]


def side(text):
    """Return {column: value} of a side."""
    return dict(each.split("=", 1) for each in text.split("; ")) if text else {}


def rows(table, values, skip=()):
    """Return the rows that have all values; of no variant, unless they name one."""
    for column, value in ({"variant": ""} | values).items():
        if column in skip:
            continue
        column_values = table[column]
        if column in ("learning_rate", "beta_2"):
            table = table[np.isclose(column_values.astype(float), float(value))]
        else:
            table = table[column_values.astype(str) == value]
    return table


def decays(values, table=REPEATS):
    """Return rows with any strength of the kind of decay that is the last part of the variant, and the strengths."""
    *study, way = values["variant"].split("+")
    found = rows(table, values, skip=("variant",))
    parts = found["variant"].str.split("+")
    wanted = way.split("=")[0]
    chosen = [set(study) <= set(each) and any(p.split("=")[0] == wanted for p in each) for each in parts]
    found = found[chosen]
    strength = [
        next(float(p.split("=")[1]) for p in each.split("+") if p.startswith(wanted)) for each in found["variant"]
    ]
    return found.assign(strength=strength)


def by_epoch(values, metric):
    return rows(CURVES[CURVES["stage"] == "repeat"], values).pivot(index="seed", columns="epoch", values=metric)


def interaction(found, metric):
    result = {}
    for seed, mine in found.groupby("seed"):
        grid = mine.pivot(index="learning_rate", columns="strength", values=metric).to_numpy()
        grid = grid if metric.endswith("accuracy") else np.log(grid)
        rest = grid - grid.mean(0) - grid.mean(1)[:, None] + grid.mean()
        result[seed] = np.sqrt((rest**2).mean())
    return pd.Series(result)


def of_seeds(values, metric, quantity):
    """Return the number of each seed that a quantity stands for."""
    if quantity == "":
        return rows(REPEATS, values).set_index("seed")[metric]
    if quantity == "sd over the grid":
        found = rows(REPEATS, values)
        return np.log(found[metric]).groupby(found["seed"]).std()
    if quantity == "gap of losses":
        found = rows(REPEATS, values).set_index("seed")
        return found["val_loss"] / found["train_loss"]
    if quantity in ("lowest", "fall at the end", "spread at the end"):
        epochs = by_epoch(values, metric)
        last = epochs.shape[1]
        return {
            "lowest": lambda: epochs.min(axis=1),
            "fall at the end": lambda: epochs[int(0.8 * last)] / epochs[last],
            "spread at the end": lambda: epochs.iloc[:, -5:].std(axis=1),
        }[quantity]()
    found = decays(values)
    if quantity == "interaction near the best":
        means = found.groupby(["learning_rate", "strength"])["val_accuracy"].mean().unstack().round(9)
        best = round(means.max().max() - 0.01, 9)
        found = found[found["learning_rate"].isin(means.index[means.max(axis=1) >= best])]
        found = found[found["strength"].isin(means.columns[means.max(axis=0) >= best])]
    if quantity.startswith("interaction"):
        return interaction(found, metric)
    found = found[found["strength"] > 0]
    best = found.loc[found.groupby("seed")[metric].idxmin()].set_index("seed")
    return best["strength"] * (np.sqrt(best["epochs"]) if "normalised" in quantity else 1)


def student(numbers):
    if len(numbers) < 5:
        return np.nan, np.nan
    if np.ptp(numbers) == 0:
        return numbers[0], numbers[0]
    return stats.t.interval(0.95, len(numbers) - 1, np.mean(numbers), stats.sem(numbers))


def flips(numbers):
    """Return the exact two-sided p of the sign-flip test of the mean."""
    if len(numbers) < 6:
        return np.nan
    n = len(numbers)
    means = (2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1) @ numbers / n
    tiny = 1e-12 * np.abs(means).max()
    tails = np.mean(means >= numbers.mean() - tiny), np.mean(means <= numbers.mean() + tiny)
    return min(1.0, 2 * min(tails))


def percent(log):
    return 100 * np.expm1(log)


def compared(a, b, row, points):
    pairs = pd.concat([a.rename("a"), b.rename("b")], axis=1, join="inner").dropna()
    a, b = pairs["a"].to_numpy(float), pairs["b"].to_numpy(float)
    differences = 100 * (a - b) if points else np.log(a / b)
    edge = {"not lower": -row.rope, "not higher": row.rope}.get(row.direction, 0)
    numbers = differences.mean(), *student(differences)
    estimate, low, high = numbers if points else map(percent, numbers)
    p = flips(differences - (edge if points else np.log1p(edge / 100)))
    return {
        "n": len(a),
        "value_a": a.mean(),
        "value_b": b.mean(),
        "estimate": estimate,
        "low": low,
        "high": high,
        "p": p,
    }
