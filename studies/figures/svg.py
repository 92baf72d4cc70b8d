"""A figure as inline SVG: small, with names of its own, and with what the page needs to show values on hover."""

import io
import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter
from numpy.typing import ArrayLike

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def svg_text(figure: Figure) -> str:
    """Return a figure as SVG text, the same for the same figure.

    Every axes gets the name "axes:X:Y", X and Y being a scale and the values at its ends.
    """
    memory = io.StringIO()
    for ax in figure.axes:
        ax.set_gid(f"axes:{_scale(ax, 'x')}:{_scale(ax, 'y')}")
    with matplotlib.rc_context({"path.simplify": False, "svg.fonttype": "none", "svg.hashsalt": "studies"}):
        figure.savefig(memory, format="svg", metadata=NO_METADATA)
    return memory.getvalue()


def inline(text: str, name: str, alt: str) -> str:
    """Return SVG text from `svg_text` as an HTML element; `name` is the page's name for it, `alt` says what it shows.

    Ids get the name as a prefix, for a page holds many figures. Axes carry their scales (`data-x`, `data-y`) and series
    that `hover` named their label (`data-series`): with these the page's script turns the place of a point into its
    value, so that no value is stored twice.
    """
    root = ElementTree.fromstring(text)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    for element in root.iter():
        _rename(element, name, used)
        _shorten(element)
    for defs in root.findall("defs"):  # the page has Matplotlib's style element once
        for element in defs.findall("style"):
            defs.remove(element)
    width = float(root.attrib.pop("width").removesuffix("pt"))
    del root.attrib["height"]
    root.attrib |= {"role": "img", "aria-label": alt, "style": f"--natural: {width:.0f}"}
    return ElementTree.tostring(root, encoding="unicode")


def _scale(ax: Axes, axis: str) -> str:
    """Return "scale,first value,last value" of an axis; "whole" where all points are, "" for names, symlog."""
    scale = getattr(ax, f"get_{axis}scale")()
    if scale not in ("linear", "log") or isinstance(getattr(ax, f"{axis}axis").get_major_formatter(), FixedFormatter):
        scale = ""
    elif scale == "linear" and all(_whole(getattr(line, f"get_{axis}data")()) for line in ax.get_lines()):
        scale = "whole"
    return ",".join([scale, *(f"{number:.8g}" for number in getattr(ax, f"get_{axis}lim")())])


def _whole(values: ArrayLike) -> bool:
    values = np.asarray(values, float)
    return np.array_equal(values, np.round(values), equal_nan=True)


def _rename(element: ElementTree.Element, name: str, used: set[str]) -> None:
    """Drop the namespaces, which HTML knows, and ids that nobody refers to; make the others the figure's own."""
    element.tag = element.tag.removeprefix(SVG)
    if LINK in element.attrib:
        element.attrib["href"] = element.attrib.pop(LINK).replace("#", f"#{name}-")
    own = element.attrib.pop("id", "")
    if own.startswith("axes:"):
        _, element.attrib["data-x"], element.attrib["data-y"] = own.split(":")
    elif own.startswith("series:"):
        element.set("data-series", own.removeprefix("series:"))
    elif own in used:
        element.set("id", f"{name}-{own}")
    for attribute, value in element.attrib.items():
        if "url(#" in value:
            element.attrib[attribute] = value.replace("url(#", f"url(#{name}-")


def _shorten(element: ElementTree.Element) -> None:
    """Leave out white space between elements and digits nobody sees: a third of the page's size."""
    if not (element.text or "").strip():
        element.text = None
    element.tail = None
    if element.tag == "path" and "d" in element.attrib:
        element.set("d", _short_path(element.attrib["d"]))


def _short_path(path: str) -> str:
    """Return path data rounded to a hundredth of a point, its straight lines in relative coordinates.

    >>> _short_path("M 1.234567 2 L 2 2.5 L 3 1")
    'M1.23,2l.77,.5,1,-1.5'
    >>> _short_path("M 0 0 C 1 1 2 2 3 3 z")
    'M 0 0 C 1 1 2 2 3 3 z'
    """
    if re.search(r"[^ML\d\s.-]", path):
        return " ".join(NUMBER.sub(lambda number: _short(round(100 * float(number[0]))), path).split())
    parts = []
    for line in filter(None, re.split(r"(?=M)", path.strip())):
        points = np.round(100 * np.array(NUMBER.findall(line), float)).astype(int).reshape(-1, 2)
        steps = np.diff(points, axis=0).ravel()
        parts.append("M" + ",".join(map(_short, points[0])))
        parts += ["l" + ",".join(map(_short, steps))] if len(steps) else []
    return "".join(parts)


def _short(hundredths: int) -> str:
    """Return a number of hundredths in as few characters as can be."""
    text = f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text) if text not in ("-0", "") else "0"
