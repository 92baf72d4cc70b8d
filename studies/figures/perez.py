"""Pérez's figures: losses of each model and optimizer, dropout against none, all models, ours beside the table."""

import pandas as pd

from studies.catalog import NetworkStudy, heading_of
from studies.catalog.metrics import names_of
from studies.catalog.perez import PUBLISHED
from studies.catalog.variant import Variant
from studies.claims.statistics import mean_interval
from studies.figures import dots, lines
from studies.figures.bennatan import of_last_epochs
from studies.figures.lines import Run
from studies.figures.style import Drawing, Look, grid_of, legend_above, line_style, said, text

MODELS = {
    "perez-logistic": ("logistic regression", ":"),
    "perez-mlp": ("two hidden layers", "--"),
    "perez-cnn": ("convolutional network", "-"),
}
ONE_T = "t in α/√t is the epoch or the update."


def drawings(study: NetworkStudy, runs: pd.DataFrame, curves: pd.DataFrame) -> list[Drawing]:
    """Return the figures of one study's rows: every curve, Adam against AdaMax, and where runs end."""
    caption = f"Every run: Adam against AdaMax. A column for each variant and meaning of t. {ONE_T}"
    figure = lines.side_by_side(curves, ["variant", "schedule"], tuple(names_of("test")))
    base = runs[runs["optimizer"] == "Adam"]
    pair = ("study", "variant", "schedule", "seed")
    return [Drawing("curves", figure, caption, curves), *of_last_epochs(runs, base, pair)]


def together(runs: pd.DataFrame, curves: pd.DataFrame) -> list[Drawing]:
    """Return the figures over all of the source's studies."""
    first = lines.first_runs(curves)
    plain = runs[~runs["variant"].map(_is_penalized)]
    found = [_beside_published(plain), _models(first[first["variant"].map(text) == ""])]
    with_dropout = first[first["study"].isin(first.loc[has_dropout(first["variant"]), "study"])]
    return found + ([_dropout(with_dropout)] if len(with_dropout) else [])


def _is_penalized(variant: str | float) -> bool:
    return "l2" in Variant.parse(text(variant))


def has_dropout(variants: pd.Series) -> pd.Series:
    """Return, for each variant, whether it is one with dropout."""
    return variants.map(lambda each: "dropout" in Variant.parse(each))


def accuracies(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each optimizer, model and variant: test accuracy in percent, the source's and ours (mean over
    n seeds, 95 % interval where there are five or more)."""
    rows = []
    for names, mine in runs.groupby(["study", "variant", "schedule", "optimizer"], sort=False, dropna=False):
        study, variant, schedule, optimizer = map(text, names)
        ours = 100 * mine["val_accuracy"].mean()
        low, high = (100 * each for each in mean_interval(mine["val_accuracy"]))
        # A variant of ours is beside what it varies.
        theirs = PUBLISHED[study, "dropout" if "dropout" in Variant.parse(variant) else "", optimizer]
        cell = {"study": study, "variant": variant, "schedule": schedule, "optimizer": optimizer, "published": theirs}
        rows.append(cell | {"ours": ours, "difference": ours - theirs, "low": low, "high": high, "n": len(mine)})
    return pd.DataFrame(rows)


def _beside_published(runs: pd.DataFrame) -> Drawing:
    rows = accuracies(runs)
    words = zip(rows["optimizer"], (Variant.parse(each).words for each in rows["variant"]), rows["n"], strict=True)
    rows["label"] = [", ".join(filter(None, each)) + f" (n = {n})" for *each, n in words]
    studies, schedules = (list(dict.fromkeys(rows[name])) for name in ("study", "schedule"))
    longest = rows.groupby(["study", "schedule"]).size().max()
    figure, panels = grid_of(len(schedules), len(studies), width=1.5 + 3.5 * len(studies), height=0.9 + 0.27 * longest)
    for row, schedule in zip(panels, schedules, strict=True):
        for ax, study in zip(row, studies, strict=True):
            mine = rows[(rows["study"] == study) & (rows["schedule"] == schedule)]
            dots.plot_beside_published(mine, ax).set_title("\n".join(filter(None, (named(study), said(schedule)))))
    for ax in panels[-1]:
        ax.set_xlabel("test accuracy (%)")
    legend_above(figure, panels[0, :1])
    caption = (
        "Test accuracy after the last epoch, the source's table (diamonds) beside ours (dots: means over the seeds, "
        f"with the 95 % interval where there are five or more). {ONE_T} Each panel has its own scale. "
        "The same numbers: the table."
    )
    return Drawing("published", figure, caption, rows)


def named(study: str) -> str:
    """Return what the network of a study is called."""
    return MODELS.get(study, (heading_of(study), ""))[0]


def _models(first: pd.DataFrame) -> Drawing:
    figure = lines.side_by_side(first, ["optimizer", "schedule"], ("train_loss", "val_loss"), _by_model, lw=1.4)
    caption = (
        "The models beside each other: losses of the first run of each, without dropout. A column for each optimizer "
        f"and meaning of t; the panels of a row have one scale. {ONE_T}"
    )
    return Drawing("models", figure, caption, first)


def _by_model(names: Run) -> tuple[str, Look]:
    _, line = MODELS.get(names["study"], ("", "-."))
    return f"{named(names['study'])}, {names['optimizer']}", line_style(names["optimizer"]) | {"linestyle": line}


def _dropout(first: pd.DataFrame) -> Drawing:
    figure = lines.side_by_side(first, ["study", "schedule"], ("train_loss", "val_loss"), _by_dropout)
    caption = "Losses of the first run of each model with dropout (broad, pale lines) and without it (narrow lines)."
    return Drawing("dropout", figure, caption, first)


def _by_dropout(names: Run) -> tuple[str, Look]:
    dropout = "dropout" in Variant.parse(names["variant"])
    look = line_style(names["optimizer"]) | ({"lw": 3, "alpha": 0.45} if dropout else {"lw": 1.2})
    return f"{names['optimizer']}, {'dropout' if dropout else 'no dropout'}", look
