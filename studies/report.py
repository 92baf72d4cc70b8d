"""The report: one page with tables and figures of every study in a results folder, from records only."""

import base64
import io
from pathlib import Path

import jinja2
import pandas as pd

from studies import figures, tables
from studies.catalog.synthetic import regrets_at_worst
from studies.journal import Journal

# What tells the arms of a study apart.
ARM = ["optimizer", "variant", "schedule", "bias_correction", "learning_rate", "beta_2", "model"]
RATES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")


def write_report(out):
    """Write report.html, figures/ and the tables for every study found in the folder `out`; return the page's path."""
    out = Path(out)
    sections = [_section(out, plan, Journal(out).records(plan)) for plan in tables.plans(out)]
    tables.write_tables(out)
    page = out / "report.html"
    page.write_text(_template().render(sections=sections), encoding="utf-8")
    return page


def _section(out, plan, records):
    """Return what the page says about one study."""
    study = plan["study"]
    section = {
        "study": study,
        "done": len(records),
        "planned": len(plan["records"]),
        "versions": _versions(records),
        "command": _command(study),
    }
    drawn = _network_section(study, records) if "search" in study else _synthetic_section(study, records)
    label = study["name"] + (f".{study['variant']}" if study["variant"] else "")
    drawn["figures"] = [
        _saved(figure, out / "figures" / f"{label}-{name}", caption) for name, figure, caption in drawn["figures"]
    ]
    return section | drawn


def _network_section(study, records):
    runs, curves = tables.runs(records), tables.curves(records)
    search, repeats = runs[runs["stage"] == "search"], runs[runs["stage"] == "repeat"]
    published = {name: (each["learning_rate"], each["beta_2"]) for name, each in study["published"].items()}
    drawn = []
    if len(search):
        caption = "Validation loss after the last epoch of the search, mean over the folds. Box: the lowest."
        caption += " Circle: the source's choice." if published else ""
        drawn.append(("search", figures.heat_maps(search, published), caption))
    if len(repeats):
        caption = "Every repeated run, one line a seed. The test set is never used to choose anything."
        drawn.append(("curves", figures.run_curves(curves[curves["stage"] == "repeat"]), caption))
    return {
        "figures": drawn,
        "choices": choices(repeats, published),
        "results": results(repeats),
        "seconds": runs["seconds"].sum(),
        "diverged": int((runs["status"] == "diverged").sum()),
    }


def _arm(run):
    return {name: run[name] for name in ("optimizer", "variant", "schedule", "bias_correction")}


def choices(repeats, published):
    """Return one row for each arm: the setting that it was trained with, beside the published one."""
    rows = []
    for _, group in repeats.groupby(ARM, sort=False, dropna=False):
        used = group.iloc[0]
        name = used["optimizer"]
        row = _arm(used) | {"learning rate α": f"{used['learning_rate']:g}", "β₂": f"{used['beta_2']:g}"}
        if name in published:
            row |= {"published α": f"{published[name][0]:g}", "published β₂": f"{published[name][1]:g}"}
        rows.append(row)
    return pd.DataFrame(rows)


def results(repeats):
    """Return one row for each arm: mean and standard deviation over n seeds."""
    rows = []
    for _, group in repeats.groupby(ARM, sort=False, dropna=False):
        row = _arm(group.iloc[0]) | {"n": len(group)}
        for rate, title in figures.RATES.items():
            row[title] = _mean_and_deviation(group[rate], digits=4)
        row["best test loss"] = _mean_and_deviation(group["best_val_loss"], digits=4)
        rows.append(row)
    return pd.DataFrame(rows)


def _synthetic_section(study, records):
    paths = tables.paths(records)
    if paths.empty:
        return {"figures": [], "results": pd.DataFrame()}
    theory = regrets_at_worst(study)
    caption = (
        "Where each optimizer stands at step t, and its average regret so far. The best point is −1; an average "
        "regret that tends to a number above 0 means that the optimizer never learns. Below: the lowest Γ so far, the "
        "change of the inverse step size; proofs of convergence need it never to be negative. Lines are medians over "
        "the seeds, bands reach from the lowest to the highest."
    )
    last = (
        paths[paths["t"] == paths["t"].max()]
        .drop(columns="seed")
        .groupby(["study", "variant", "optimizer"], sort=False)
    )
    last = last.median().reset_index()
    adam, amsgrad = (last["optimizer"] == name for name in ("Adam", "AMSGrad"))
    last.loc[adam, "in theory"] = last["variant"].map(theory)
    last.loc[amsgrad, "in theory"] = 0.0
    return {
        "figures": [("paths", figures.walk_paths(paths, theory), caption)],
        "results": last.drop(columns="study").rename(
            columns={"t": "steps", "x": "last x", "average_regret": "average regret"}
        ),
    }


def _mean_and_deviation(values, digits):
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def _versions(records):
    """Return each set of versions, backend and device that took part, in words."""
    found = dict.fromkeys(
        ", ".join(f"{name} {version}" for name, version in outcome.get("versions", {}).items())
        + f"; on {outcome['device']}"
        for outcome in (record["outcome"] for record in records)
    )
    return list(found)


def _command(study):
    options = "" if study["scale"] == "paper" else f" --scale {study['scale']}"
    names = study["variant"].split("+") if study["variant"] else []
    options += "".join(f" --variant {name}" for name in names if name != "published-settings")
    options += " --search published" if "published-settings" in names else ""
    return f"python -m studies run {study['name']}{options}"


def _saved(figure, stem, caption):
    """Save a figure as PNG and SVG; return its SVG as a data address, so that the page stands alone."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(stem.with_name(stem.name + ".png"), dpi=150)
    memory = io.BytesIO()
    figure.savefig(memory, format="svg")
    stem.with_name(stem.name + ".svg").write_bytes(memory.getvalue())
    address = "data:image/svg+xml;base64," + base64.b64encode(memory.getvalue()).decode()
    return {"address": address, "caption": caption, "name": stem.name}


def _template():
    loader = jinja2.PackageLoader("studies", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html")
