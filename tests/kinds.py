"""Every kind of evidence as docs/verdicts.md defines it, from the published tables, without the project's own code.

A function takes a row of verdicts.csv and returns what it computes of its columns.
"""

import numpy as np
import pandas as pd
from scipy import stats

from tests.recomputed import (
    CURVES,
    PATHS,
    REPEATS,
    ROOT,
    SEARCHES,
    by_epoch,
    compared,
    decays,
    flips,
    of_seeds,
    percent,
    rows,
    side,
    student,
)

AUTHOR = {
    "model": {
        "korzeniowski-logistic": "logreg",
        "korzeniowski-cifarnet": "cifarnet",
        "korzeniowski-smallvgg": "small_vgg",
        "korzeniowski-vgg": "vgg",
    },
    "column": {
        "train_loss": "train_loss",
        "val_loss": "val_loss",
        "val_accuracy": "val_acc",
        "best_val_loss": "min_val_loss",
        "best_val_accuracy": "best_val_acc",
    },
}


def pairs(row):
    a, b = (of_seeds(side(each), row.metric, row.quantity) for each in (row.a, row.b))
    return compared(a, b, row, row.metric.endswith("accuracy") and row.quantity == "")


def tuned_pairs(row):
    found = []
    for values in map(side, (row.a, row.b)):
        searched = decays(values, SEARCHES)
        if "=" in values["variant"].split("+")[-1]:
            searched = searched[searched["variant"] == values["variant"]]
        means = searched.groupby(["variant", "learning_rate"])["val_accuracy"].mean()
        found.append(rows(REPEATS, values | {"variant": means.round(9).idxmax()[0]}).set_index("seed")[row.metric])
    return compared(*found, row, row.metric.endswith("accuracy"))


def share_of_pairs(row):
    both = [rows(REPEATS, side(each)).set_index("seed")[row.metric] for each in (row.a, row.b)]
    a, b = pd.concat(both, axis=1, join="inner").to_numpy().T
    lower, n = int((a < b).sum()), len(a)
    low, high = stats.binomtest(lower, n).proportion_ci(method="wilson") if n >= 5 else (np.nan, np.nan)
    numbers = {"n": n, "value_a": lower, "value_b": n - lower, "estimate": 100 * lower / n}
    return numbers | {"low": 100 * low, "high": 100 * high}


def better_run(row):
    both = [rows(REPEATS, side(each)).set_index("seed")[row.metric] for each in (row.a, row.b)]
    a, b = pd.concat(both, axis=1, join="inner").to_numpy().T
    wins, losses = ((a > b).sum(), (a < b).sum())[:: 1 if row.metric.endswith("accuracy") else -1]
    test, n = stats.binomtest(int(wins), int(wins + losses)), wins + losses
    low, high = test.proportion_ci(method="wilson") if n >= 5 else (np.nan, np.nan)
    numbers = {"n": len(a), "value_a": wins, "value_b": losses, "estimate": 100 * wins / n - 50}
    return numbers | {"low": 100 * low - 50, "high": 100 * high - 50, "p": test.pvalue if n >= 6 else np.nan}


def departures(row):
    epochs = [by_epoch(side(each), row.metric) for each in (row.a, row.b)]
    settings = [rows(REPEATS, side(each)).set_index("seed")[["learning_rate", "beta_2"]] for each in (row.a, row.b)]
    alike = (settings[0] == settings[1]).all(axis=1)
    away = (epochs[0] / epochs[1] - 1).abs().max(axis=1)[alike[alike].index]
    left, n = int((100 * away > row.rope).sum()), len(away)
    low, high = stats.binomtest(left, n).proportion_ci(method="wilson")
    return {
        "n": n,
        "value_a": left,
        "value_b": n - left,
        "estimate": 100 * left / n,
        "low": 100 * low,
        "high": 100 * high,
    }


def standardised_gap(row):
    both = [rows(REPEATS, side(each)).set_index("seed")[row.metric] for each in (row.a, row.b)]
    a, b = pd.concat(both, axis=1, join="inner").to_numpy().T
    differences, n = np.log(a / b), len(a)
    size = abs(differences.mean()) / differences.std(ddof=1)
    t = size * np.sqrt(n)
    numbers = {"n": n, "value_a": percent(differences.std(ddof=1)), "value_b": percent(abs(differences.mean()))}
    if n < 5:
        return numbers
    sizes = np.linspace(0, 3 * size + 5, 20001)
    tails = stats.nct.sf(t, n - 1, sizes * np.sqrt(n))
    low, high = np.interp([0.025, 0.975], tails, sizes)
    return numbers | {"estimate": size - 1, "low": low - 1, "high": high - 1}


def published_value(row):
    values = 100 * rows(REPEATS, side(row.a))[row.metric].to_numpy()
    apart = values - 100 * row.value_b
    low, high = student(apart)
    return {
        "n": len(values),
        "value_a": values.mean() / 100,
        "estimate": apart.mean(),
        "low": low,
        "high": high,
        "p": flips(apart),
    }


def choice(row):
    means = rows(SEARCHES, side(row.a)).groupby(["learning_rate", "beta_2"])[row.metric].mean()
    best = means.max() if row.metric.endswith("accuracy") else means.min()
    assert np.isclose(means, row.value_a).any()
    difference = 100 * abs(row.value_a - best)
    return {"value_b": best, "estimate": difference if row.metric.endswith("accuracy") else difference / best}


def ratio_of_sds(row):
    a, b = (rows(REPEATS, side(each))[row.metric] for each in (row.a, row.b))
    return f_ratio(a.std(), len(a), b.std(), len(b))


def f_ratio(sd_a, n_a, sd_b, n_b):
    square, f = (sd_a / sd_b) ** 2, stats.f(n_a - 1, n_b - 1)
    low, high = np.sqrt(square / f.ppf(0.975)), np.sqrt(square / f.ppf(0.025))
    p = 2 * min(f.cdf(square), f.sf(square))
    numbers = {"value_a": sd_a, "value_b": sd_b, "estimate": 100 * (sd_a / sd_b - 1)}
    return numbers | {"low": 100 * (low - 1), "high": 100 * (high - 1), "p": p}


def rank_correlation(row):
    found = rows(REPEATS, side(row.a))
    means = found.groupby(["learning_rate", "beta_2", "bias_correction", "optimizer"])[
        ["train_loss", "val_loss", "val_accuracy"]
    ].mean()
    return spearman(means[means["val_accuracy"] >= 0.5], row)


def spearman(means, row, accuracy="val_accuracy"):
    other = accuracy if row.part.endswith("accuracy") else "val_loss"
    n, found = len(means), stats.spearmanr(means["train_loss"], means[other])
    middle, half = np.arctanh(found.statistic), stats.norm.ppf(0.975) * 1.03 / np.sqrt(n - 3)
    low, high = np.tanh([middle - half, middle + half])
    return {"n": n, "estimate": found.statistic, "low": low, "high": high, "p": found.pvalue}


def range_(row):
    means = rows(CURVES[CURVES["stage"] == "repeat"], side(row.a)).groupby(["optimizer", "epoch"])[row.metric].mean()
    return {"value_a": means.min(), "value_b": means.max()}


def walks(row):
    values = [one_walk(walk.sort_values("t"), row.quantity) for _, walk in rows(PATHS, side(row.a)).groupby("seed")]
    values = np.array(values)
    low, high = student(values) if len(values) > 1 else (values[0], values[0])
    claimed = row.value_b
    numbers = {"n": len(values), "value_a": values.mean(), "estimate": values.mean() - claimed}
    return numbers | {"low": low - claimed, "high": high - claimed}


def one_walk(walk, quantity):
    if quantity == "end":
        return walk["x"].iloc[-1]
    if quantity == "largest step":
        return walk["largest_step"].max()
    if quantity == "lowest gamma":
        return np.sign(walk["gamma_min"].min())
    regret = walk.set_index("t")["average_regret"].abs()
    return regret.iloc[-1] / regret[regret.index <= walk["t"].max() / 10].iloc[-1]


def walks_apart(row):
    a, b = (rows(PATHS, side(each)).set_index(["seed", "t"])["x"] for each in (row.a, row.b))
    return {"estimate": (a - b).abs().max()}


def steps_until_near(row):
    found = []
    for each in (row.a, row.b):
        steps = []
        for _, walk in rows(PATHS, side(each)).groupby("seed"):
            walk = walk.sort_values("t")
            far = walk.loc[walk["x"] >= -0.9, "t"].max()
            later = walk.loc[walk["t"] > far, "t"]
            steps.append(later.iloc[0] if len(later) else np.inf)
        found.append(np.median(steps))
    return {"value_a": found[0], "value_b": found[1]}


def author_row(text):
    values = side(text)
    table = pd.read_csv(ROOT / "claims" / "data" / "korzeniowski_runs.csv")
    table = table[table["model"] == AUTHOR["model"][values.pop("study")]]
    values = {name: value for name, value in values.items() if name not in ("schedule", "variant")}
    if "optimizer" in values:
        values["optimizer"] = values["optimizer"].lower()
    return rows(table.assign(variant=""), values)


def author(row):
    column, points = AUTHOR["column"][row.metric], row.metric.endswith("accuracy")
    a, b = (author_row(each).iloc[0] for each in (row.a, row.b))
    if points:
        numbers = (a[column], a[f"{column}_sd"], 5, b[column], b[f"{column}_sd"], 5)
    else:
        numbers = (
            np.log(a[column]),
            a[f"{column}_sd"] / a[column],
            5,
            np.log(b[column]),
            b[f"{column}_sd"] / b[column],
            5,
        )
    estimate, low, high, p = welch(*numbers)
    if not points:
        estimate, low, high = map(percent, (estimate, low, high))
    scale = 100 if points else 1
    values = {"value_a": a[column] / scale, "value_b": b[column] / scale}
    return values | {"estimate": estimate, "low": low, "high": high, "p": p}


def welch(mean_a, sd_a, n_a, mean_b, sd_b, n_b):
    u, v = sd_a**2 / n_a, sd_b**2 / n_b
    if u + v == 0:
        return (mean_a - mean_b,) * 3 + (float(mean_a == mean_b),)
    freedom = (u + v) ** 2 / (u**2 / (n_a - 1) + v**2 / (n_b - 1))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(u + v)
    difference = mean_a - mean_b
    p = 2 * stats.t.sf(abs(difference) / np.sqrt(u + v), freedom)
    return difference, difference - half, difference + half, p


def author_spread(row):
    a, b = (author_row(each).iloc[0][f"{AUTHOR['column'][row.metric]}_sd"] for each in (row.a, row.b))
    return f_ratio(a, 5, b, 5)


def author_correlation(row):
    table = author_row(row.a)
    return spearman(table[table["val_acc"] >= 50], row, accuracy="val_acc")


def author_failures(row):
    found = author_row(row.a).iloc[0]
    estimate, low, high, p = welch(found["val_acc"], found["val_acc_sd"], 5, 20, 0, 5)
    return {"value_a": found["val_acc"] / 100, "estimate": estimate, "low": low, "high": high, "p": p}


KINDS = {
    "pairs": pairs,
    "tuned pairs": tuned_pairs,
    "share of pairs": share_of_pairs,
    "probability of the better run": better_run,
    "departures": departures,
    "standardised gap": standardised_gap,
    "published value": published_value,
    "choice": choice,
    "ratio of sds": ratio_of_sds,
    "rank correlation": rank_correlation,
    "range": range_,
    "walks": walks,
    "walks apart": walks_apart,
    "steps until near": steps_until_near,
    "author": author,
    "author, ratio of sds": author_spread,
    "author, rank correlation": author_correlation,
    "author, failures": author_failures,
}
