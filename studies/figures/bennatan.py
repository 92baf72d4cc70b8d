"""The figures of a comparison on one network: its search, then its repeated runs. Bennatan and others drew these."""

from collections.abc import Sequence

import pandas as pd

from studies.catalog import NetworkStudy
from studies.catalog.metrics import in_words, score_in
from studies.figures import dots, grids, lines
from studies.figures.style import RATES, Drawing, grid_of, legend_above, settings_of, text, with_series


def drawings(
    study: NetworkStudy, runs: pd.DataFrame, curves: pd.DataFrame, base: pd.DataFrame | None = None
) -> list[Drawing]:
    """Return the figures of one study's rows; a stage without rows has none. See `of_last_epochs` for `base`.

    By default it holds the runs of Adam that have no variant but the study's.
    """
    search, repeats = runs[runs["stage"] == "search"], runs[runs["stage"] == "repeat"]
    found = of_search(study, search) if search["val_loss"].notna().any() else []
    if repeats["val_loss"].notna().any():
        caption = "Every repeated run, one line a seed. The test set is never used to choose anything."
        rows = curves[curves["stage"] == "repeat"]
        found.append(Drawing("curves", lines.four_rates(rows), caption, rows))
        if base is None:
            own = repeats["variant"].map(text) == str(study.variant)
            base = repeats[(repeats["optimizer"] == "Adam") & own]
        found += of_last_epochs(repeats, base)
    return found


def of_answer(curves: pd.DataFrame) -> list[Drawing]:
    """Return the pictures of a comparison's answer: the test loss and the test score of every repeated run."""
    found = []
    for rate in ("val_loss", f"val_{score_in(curves)}"):
        figure, panels = grid_of(1, 1, width=5, height=3)
        lines.plot_curves(curves, rate, panels[0, 0]).set(xlabel="epoch", title=RATES[rate])
        legend_above(figure, panels[0])
        caption = f"The {RATES[rate]} of every repeated run against the epoch, one line a seed."
        found.append(Drawing(f"answer-{rate.removeprefix('val_')}", figure, caption, curves))
    return found


def together(runs: pd.DataFrame, curves: pd.DataFrame) -> list[Drawing]:
    """Return the figures that set all studies of a source side by side."""
    first = lines.first_runs(curves[curves["stage"] == "repeat"])
    if first.empty:
        return []
    caption = (
        "Loss of the first run (seed 0) of each experiment, training above, test below. The source shows one run of "
        "each; a gap between two lines may be smaller than what another seed changes. "
    )
    figure = lines.by_study(first, lw=1.4)
    return [Drawing("first-runs", figure, caption + lines.scales_in_words(figure), first)]


def of_search(study: NetworkStudy, search: pd.DataFrame) -> list[Drawing]:
    """Return the search's heat maps (where it has these two settings alone) and its sensitivity."""
    search, found = with_series(search), []
    label = "validation loss (mean over folds)"
    if search["beta_2"].nunique() > 1 and not (study.search and study.search.others):
        published = {name: (each.learning_rate, each.beta_2) for name, each in study.published.items()}
        maps = {name: grids.loss_grid(rows) for name, rows in search.groupby("series", sort=False)}
        caption = "Validation loss after the last epoch of the search, mean over the folds. Box: the lowest."
        caption += " Circle: the source's choice." if published else ""
        found.append(Drawing("search", grids.heat_maps(maps, published, label), caption, grids.cells(search)))
    return [*found, of_sensitivity(search)]


def of_sensitivity(rows: pd.DataFrame) -> Drawing:
    """Return how much the settings of a grid matter."""
    near = grids.robustness(rows, tolerances=[0.05])
    shares = "; ".join(f"{each.series} {each.share:.0%} of {each.settings}" for each in near.itertuples())
    caption = (
        "How much the settings matter: the validation loss against each setting (line: the best over the others; dots: "
        f"all), and the share of the grid that comes near the best of all. Within 5 %: {shares}."
    )
    return Drawing("sensitivity", grids.sensitivity(rows), caption, grids.cells(rows))


def of_last_epochs(
    repeats: pd.DataFrame, base: pd.DataFrame | None = None, pair: Sequence[str] = ("study", "seed")
) -> list[Drawing]:
    """Return where runs end, and differences from the runs `base` (default: Adam's) with the same `pair` columns."""
    caption = (
        "Where every run ends, after the last epoch: a dot a seed; below the dots, the mean and, of five runs or more, "
        "its 95 % interval (Student's t). Compare the width of a cloud of dots with the distance between the clouds."
    )
    found = [Drawing("final", dots.final_values(repeats), caption, repeats)]
    base = repeats[repeats["optimizer"] == "Adam"] if base is None else base
    if len(base) and len(base) < len(repeats):
        rows = dots.differences(repeats, base, pair=pair)
        caption = (
            "Differences between runs of the same seed (same initial weights, same batches): what is left of the line "
            f"is below Adam's{_settings_of(repeats, base)}. Losses are compared by their log ratios. "
            f"Grey: too small to matter, {in_words([score_in(repeats)])} (D)."
        )
        found.append(Drawing("paired", dots.paired_differences(rows, base), caption, rows))
    return found


def _settings_of(repeats: pd.DataFrame, base: pd.DataFrame) -> str:
    """Return the settings of the runs `base` in parentheses, where those of the others differ."""
    rows = with_series(repeats)
    found = settings_of(rows).get(rows.loc[base.index[0], "series"])
    return f" ({found})" if found else ""
