"""Every study, as data: what its source says, in the source's order, and what we had to choose ourselves.

A text that ends in (D) is a default of ours, for something that the source leaves open. The report prints those.
"""

from studies.catalog import mcgill, synthetic
from studies.catalog.network import NetworkStudy, Search, Setting
from studies.catalog.synthetic import SyntheticStudy

__all__ = ["STUDIES", "NetworkStudy", "Search", "Setting", "SyntheticStudy"]

STUDIES = {study.name: study for study in (*mcgill.STUDIES, *synthetic.STUDIES)}
