"""What a study consists of, as the journal keeps it: its description, what its run found out, and its records."""

from dataclasses import dataclass
from typing import Any

import cattrs

from studies.catalog import SOURCES, STUDIES, NetworkStudy, SyntheticStudy, Variant
from studies.catalog.lineup import LineupStudy

KINDS = {kind.__name__: kind for kind in (NetworkStudy, LineupStudy, SyntheticStudy)}


@dataclass(frozen=True)
class Findings:
    """What a run finds out about its data and network."""

    data_note: str = ""  # what readers should know of the data
    data_rows: tuple[int, int] = (0, 0)  # training and test rows of the whole data set
    row_operations: int = 0  # to take one row through the network, see `studies.report.cost`


@dataclass(frozen=True)
class Plan:
    """A study as it was run, and the names of the records that belong to it."""

    study: NetworkStudy | SyntheticStudy
    keys: tuple[str, ...]
    findings: Findings = Findings()

    @property
    def is_small(self) -> bool:
        """Whether the run only shows that every stage works."""
        return self.study.scale == "smoke"


_converter = cattrs.Converter()
_converter.register_structure_hook(Variant, lambda text, _: Variant.parse(text))
_converter.register_unstructure_hook(Variant, str)


def to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON has it. Variants of the study that were not run are left out."""
    study = _converter.unstructure(plan.study)
    del study["variants"]
    if isinstance(plan.study, LineupStudy):
        del study["problems"]  # which hold functions
    findings = _converter.unstructure(plan.findings)
    return {"kind": type(plan.study).__name__, "study": study, "findings": findings, "records": list(plan.keys)}


def from_json(content: dict[str, Any]) -> Plan:
    """Return the plan from JSON, also from that of earlier versions; raise ValueError where it is none."""
    study = dict(content["study"])
    kind = KINDS[content.get("kind") or ("SyntheticStudy" if "problems" in study else "NetworkStudy")]
    if "findings" not in content:  # of earlier versions: findings and the variants stood in the study
        study = _of_an_earlier_version(study)
    findings = _converter.structure(content.get("findings", content["study"]), Findings)
    try:
        described: Any = _converter.structure(study, kind)
        return Plan(described, tuple(content["records"]), findings)
    except cattrs.BaseValidationError as error:
        raise ValueError("it does not describe a study") from error


def _of_an_earlier_version(study: dict[str, Any]) -> dict[str, Any]:
    """Return a description in today's form: its source was a text, the command of a comparison was one, too."""
    if study.pop("command", ""):
        raise ValueError("it is a comparison of an earlier version, which has to be run again")
    citations = {source.citation: key for key, source in SOURCES.items()}
    known = STUDIES.get(study["name"])
    study["source"] = citations.get(study["source"], known.source if known else "own")
    study.pop("variants", None)
    return study
