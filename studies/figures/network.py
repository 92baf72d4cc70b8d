"""The figures of a comparison on one network: its search, then its repeated runs. Bennatan and others drew these."""

from studies.figures import dots, grids, lines
from studies.figures.style import Drawing, with_series


def drawings(study, runs, curves, base=None):
    """Return the figures of one study's rows; a stage without rows has none. See `of_last_epochs` for `base`."""
    search, repeats = runs[runs["stage"] == "search"], runs[runs["stage"] == "repeat"]
    found = of_search(study, search) if search["val_loss"].notna().any() else []
    if repeats["val_loss"].notna().any():
        caption = "Every repeated run, one line a seed. The test set is never used to choose anything."
        rows = curves[curves["stage"] == "repeat"]
        found.append(Drawing("curves", lines.four_rates(rows), caption, rows))
        found += of_last_epochs(repeats, base)
    return found


def together(runs, curves):
    """Return the figures that set all studies of a source side by side."""
    first = lines.first_runs(curves[curves["stage"] == "repeat"])
    if first.empty:
        return []
    caption = (
        "Loss of the first run (seed 0) of each experiment, training above, test below. The source shows one run of "
        "each; a gap between two lines may be smaller than what another seed changes. Each panel has its own scale."
    )
    figure = lines.side_by_side(first, ["study", "variant"], sharey=False, lw=1.4)
    return [Drawing("first-runs", figure, caption, first)]


def of_search(study, search):
    """Return the search's heat maps (where it has two settings) and its sensitivity."""
    search, found = with_series(search), []
    label = "validation loss (mean over folds)"
    if search["beta_2"].nunique() > 1:
        published = {name: (each["learning_rate"], each["beta_2"]) for name, each in study["published"].items()}
        maps = {name: grids.loss_grid(rows) for name, rows in search.groupby("series", sort=False)}
        caption = "Validation loss after the last epoch of the search, mean over the folds. Box: the lowest."
        caption += " Circle: the source's choice." if published else ""
        found.append(Drawing("search", grids.heat_maps(maps, published, label), caption, grids.cells(search)))
    return [*found, of_sensitivity(search)]


def of_sensitivity(rows):
    """Return how much the settings of a grid matter."""
    near = grids.robustness(rows, tolerances=[0.05])
    shares = "; ".join(f"{each.series} {each.share:.0%} of {each.settings}" for each in near.itertuples())
    caption = (
        "How much the settings matter: the validation loss against each setting (line: the best over the others; dots: "
        f"all), and the share of the grid that comes near the best of all. Within 5 %: {shares}."
    )
    return Drawing("sensitivity", grids.sensitivity(rows), caption, grids.cells(rows))


def of_last_epochs(repeats, base=None, pair=("study", "seed")):
    """Return where runs end, and differences from the runs `base` (default: Adam's) with the same `pair` columns."""
    caption = (
        "Where every run ends, after the last epoch: a dot a seed; below the dots, the mean and its 95 % interval "
        "(Student). Compare the width of a cloud of dots with the distance between the clouds."
    )
    found = [Drawing("final", dots.final_values(repeats), caption, repeats)]
    base = repeats[repeats["optimizer"] == "Adam"] if base is None else base
    if len(base) and len(base) < len(repeats):
        rows = dots.differences(repeats, base, pair=pair)
        caption = (
            "Differences between runs of the same seed (same initial weights, same batches): left of the line is lower "
            "than Adam's. Grey: too small to matter, half a percent of Adam's loss or 0.1 points of accuracy (D)."
        )
        found.append(Drawing("paired", dots.paired_differences(rows, base), caption, rows))
    return found
