"""The claims of each source: its words, our reading of them, and the evidence. ROPEs and tolerances are ours (D)."""

from studies.claims.sources import bennatan, bushaev, korzeniowski, perez, reddi

SOURCES = (reddi, bennatan, korzeniowski, perez, bushaev)
CLAIMS = tuple(sorted((claim for source in SOURCES for claim in source.CLAIMS), key=lambda claim: claim.number))
