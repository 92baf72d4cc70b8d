"""Every study, as data: what its source says, in the source's order, and what we had to choose ourselves.

A text that ends in (D) is a default of ours, for something that the source leaves open. The report prints those.
"""

from studies.catalog import bushaev, korzeniowski, mcgill, perez, synthetic
from studies.catalog.network import Arm, NetworkStudy, Search, Setting
from studies.catalog.synthetic import Losses, SyntheticStudy

__all__ = ["STUDIES", "Arm", "Losses", "NetworkStudy", "Search", "Setting", "SyntheticStudy"]

SOURCES = (mcgill, synthetic, korzeniowski, perez, bushaev)
STUDIES = {study.name: study for source in SOURCES for study in source.STUDIES}
