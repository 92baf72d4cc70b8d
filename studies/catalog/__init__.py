"""Every study, as data: what its source says, in the source's order, and what we had to choose ourselves.

A text that ends in (D) is a default of ours, for something that the source leaves open. The report prints those.
"""

from dataclasses import replace

from studies.catalog import bennatan, bushaev, korzeniowski, lineup, perez, reddi
from studies.catalog.command import Command, OwnCommand
from studies.catalog.network import Arm, NetworkStudy, Search, Setting
from studies.catalog.source import SOURCES
from studies.catalog.synthetic import Losses, SyntheticStudy
from studies.catalog.variant import Variant

__all__ = [
    "SOURCES",
    "STUDIES",
    "Arm",
    "Command",
    "Losses",
    "NetworkStudy",
    "OwnCommand",
    "Search",
    "Setting",
    "Study",
    "SyntheticStudy",
    "Variant",
    "catalogued",
    "command_of",
    "heading_of",
]

Study = NetworkStudy | SyntheticStudy
MODULES = (bennatan, reddi, korzeniowski, perez, bushaev, lineup)
STUDIES: dict[str, Study] = {study.name: study for module in MODULES for study in module.STUDIES}


def catalogued(study: Study) -> Study | None:
    """Return the catalog's study of the name, variant and scale of another; None where it has none.

    Problems that were registered in another process are not in it.
    """
    if study.name not in STUDIES:
        return None
    found = STUDIES[study.name]
    if study.name == lineup.NAME and not set(study.variant.parts) <= set(found.variants):
        return None
    for name in study.variant.parts:
        found = found.as_variant(name)
    return found.smoke() if study.scale == "smoke" else found


def heading_of(name: str, variant: object = "") -> str:
    """Return the title of a study, with a variant of it or of its runs in words; a name that is not here stays.

    >>> heading_of("mcgill-logistic", "by-accuracy"), heading_of("perez-mlp", "dropout"), heading_of("mine")
    ('Logistic regression on MNIST (chosen by accuracy)', 'A network with two hidden layers on MNIST, Adam and AdaMax \
(dropout)', 'mine')
    """
    if name not in STUDIES:
        return name
    study = STUDIES[name]
    for part in Variant.parse(variant).parts:
        study = study.as_variant(part) if part in study.variants else replace(study, variant=study.variant + part)
    return study.heading


def command_of(study: Study) -> Command | OwnCommand:
    """Return the command that makes the numbers of a study again, as it was run."""
    if study.own_command:
        return study.own_command.with_seeds(study.seeds)
    usual = catalogued(study)
    changed = {name: getattr(study, name, None) for name in ("seeds", "epochs")}
    changed = {name: value for name, value in changed.items() if usual and value != getattr(usual, name, None)}
    return Command(study.name, study.variant, study.scale == "smoke", **changed)
