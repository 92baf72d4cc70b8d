"""Pérez's figures: losses of each model and optimizer, dropout against none, all models, ours beside the table."""

import pandas as pd

from studies.catalog.perez import PUBLISHED
from studies.figures import dots, lines
from studies.figures.network import of_last_epochs
from studies.figures.style import RATES, Drawing, grid_of, legend_above, line_style, said, text

MODEL_LINES = {"perez-logistic": ":", "perez-mlp": "--", "perez-cnn": "-"}
ONE_T = "t in α/√t is the epoch or the update."


def drawings(study, runs, curves):
    """Return the figures of one study's rows: every curve, Adam against AdaMax, and where runs end."""
    caption = f"Every run: Adam against AdaMax. A column for each variant and meaning of t. {ONE_T}"
    figure = lines.side_by_side(curves, ["variant", "schedule"], tuple(RATES))
    base = runs[runs["optimizer"] == "Adam"]
    pair = ("study", "variant", "schedule", "seed")
    return [Drawing("curves", figure, caption, curves), *of_last_epochs(runs, base, pair)]


def together(runs, curves):
    """Return the figures over all of the source's studies."""
    first = lines.first_runs(curves)
    found = [_beside_published(runs), _models(first[first["variant"].map(text) == ""])]
    with_dropout = first[first["study"].isin(first.loc[has_dropout(first["variant"]), "study"])]
    return found + ([_dropout(with_dropout)] if len(with_dropout) else [])


def has_dropout(variants):
    """Return, for each variant, whether it is one with dropout."""
    return variants.map(text).str.contains("dropout")


def accuracies(runs):
    """Return one row for each optimizer, model and variant: test accuracy in percent, the source's and ours (mean over
    n seeds, 95 % interval)."""
    rows = []
    for names, mine in runs.groupby(["study", "variant", "schedule", "optimizer"], sort=False, dropna=False):
        study, variant, schedule, optimizer = map(text, names)
        ours, low, high = (100 * each for each in dots.mean_interval(mine["val_accuracy"]))
        # A variant of ours is beside what it varies.
        theirs = PUBLISHED[study, "dropout" if "dropout" in variant else "", optimizer]
        cell = {"study": study, "variant": variant, "schedule": schedule, "optimizer": optimizer, "published": theirs}
        rows.append(cell | {"ours": ours, "difference": ours - theirs, "low": low, "high": high, "n": len(mine)})
    return pd.DataFrame(rows)


def _beside_published(runs):
    rows = accuracies(runs)
    words = rows[["optimizer", "schedule", "variant"]].map(said)
    rows["label"] = [", ".join(filter(None, each)) for each in words.itertuples(index=False)]
    studies = list(rows.groupby("study", sort=False))
    longest = max(len(mine) for _, mine in studies)
    figure, panels = grid_of(1, len(studies), width=1.5 + 3.5 * len(studies), height=0.8 + 0.28 * longest)
    for ax, (study, mine) in zip(panels[0], studies, strict=True):
        dots.plot_beside_published(mine, ax).set(xlabel="test accuracy (%)", title=study)
    legend_above(figure, panels[0, :1])
    caption = (
        "Test accuracy after the last epoch, the source's table (diamonds) beside ours (dots: means over the seeds, "
        f"with the 95 % interval where there is more than one). {ONE_T} The same numbers: the table."
    )
    return Drawing("published", figure, caption, rows)


def _models(first):
    figure = lines.side_by_side(first, ["optimizer", "schedule"], ("train_loss", "val_loss"), _by_model, lw=1.4)
    caption = "The models on one axis: losses of the first run of each, without dropout. Deeper should be lower."
    return Drawing("models", figure, caption, first)


def _by_model(names):
    look = line_style(names["optimizer"]) | {"linestyle": MODEL_LINES.get(names["study"], "-.")}
    return f"{names['study'].removeprefix('perez-')}, {names['optimizer']}", look


def _dropout(first):
    figure = lines.side_by_side(first, ["study", "schedule"], ("train_loss", "val_loss"), _by_dropout)
    caption = (
        "Dropout (broad, pale) against none, first run of each. It raises the training loss; look at the test loss."
    )
    return Drawing("dropout", figure, caption, first)


def _by_dropout(names):
    dropout = "dropout" in text(names["variant"])
    look = line_style(names["optimizer"]) | ({"lw": 3, "alpha": 0.45} if dropout else {"lw": 1.2})
    return f"{names['optimizer']}, {'dropout' if dropout else 'no dropout'}", look
