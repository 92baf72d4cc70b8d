"""A finished piece of work with its outcome, and how both are read from JSON."""

import math
from dataclasses import dataclass
from typing import Any

import cattrs

from studies.catalog.fit import Fit
from studies.catalog.walk import Walk
from studies.records.outcome import Outcome, WalkOutcome


@dataclass(frozen=True)
class FitRecord:
    """A fit that was trained."""

    work: Fit
    outcome: Outcome


@dataclass(frozen=True)
class WalkRecord:
    """A walk that was taken."""

    work: Walk
    outcome: WalkOutcome


Work = Fit | Walk
Record = FitRecord | WalkRecord

_converter = cattrs.Converter(detailed_validation=False)  # of a field that is missing it raises KeyError
_converter.register_structure_hook(float, lambda number, _: math.nan if number is None else float(number))


def record_of(content: dict[str, Any]) -> Record:
    """Return the record from JSON; raise ValueError, KeyError or TypeError where it is none."""
    if "problem" in content["work"]:
        return _converter.structure(content, WalkRecord)
    return _converter.structure(content, FitRecord)
