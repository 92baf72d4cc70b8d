"""How the pages are written: their templates, numbers in their tables, figures as SVG."""

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from studies.catalog.metrics import ROPES
from studies.figures import Drawing
from studies.figures.svg import inline, svg_text

SMALL = 2500  # rows: more than these stay in the large tables, and have no CSV beside the figure


def saved(drawing: Drawing, folder: Path, label: str) -> dict[str, Any]:
    """Save a figure as PNG and SVG, and its rows; return what the page shows of it."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{label}-{drawing.name}"
    drawing.figure.savefig(folder / f"{name}.png", dpi=150)
    drawing.figure.set_layout_engine("none")  # it is laid out
    content = svg_text(drawing.figure)
    (folder / f"{name}.svg").write_text(content, encoding="utf-8")
    if len(drawing.rows) <= SMALL:
        drawing.rows.to_csv(folder / f"{name}.csv", index=False)
    return {
        "name": name,
        "caption": drawing.caption,
        "svg": Markup(inline(content, name.replace(".", "-"), drawing.caption)),  # Matplotlib escapes its texts
        "rows": drawing.rows,
        "file": f"figures/{name}.csv" if len(drawing.rows) <= SMALL else _table_of(drawing.rows),
    }


def _table_of(rows: pd.DataFrame) -> str:
    """Return which of the large tables holds rows."""
    return "paths.csv" if "t" in rows else "curves.csv" if "epoch" in rows else "runs.csv"


def template(name: str) -> jinja2.Template:
    """Return a page's template, with the filters `cell` and `number`; in HTML, names are escaped."""
    loader = jinja2.PackageLoader("studies.report")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"cell": cell, "number": number}
    environment.globals["ropes"] = {what: f"{100 * rope:g}" for what, rope in ROPES.items()}
    return environment.get_template(name)


def cell(value: Any) -> Any:
    """Return a table's value as the page shows it: four significant digits, nothing for what is missing."""
    if value is None or value is pd.NA or value != value:
        return ""
    return number(value) if isinstance(value, float) else value


def number(value: float) -> str:
    """Return a number with four significant digits, "–" where there is none.

    >>> number(-0.012345), number(float("nan"))
    ('−0.01235', '–')
    """
    return "–" if value != value else f"{value:.4g}".replace("-", "−")
