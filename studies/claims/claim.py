"""What a claim is: a source's words, and the readings of them, each with its evidence."""

from dataclasses import dataclass, field

from studies.catalog import SOURCES, Command, OwnCommand
from studies.claims.evidence import Evidence


@dataclass(frozen=True)
class Reading:
    """One way to take a claim, where its source leaves a choice: pieces of evidence, and how they add up.

    `agreement` is "all": every piece must support it; "most": more than half; "mixed": the claim is that the
    pieces do not agree. What stands `beside` is shown, and counts only where nothing else was run.
    """

    name: str
    evidence: tuple[Evidence, ...]
    agreement: str = "all"
    beside: bool = False


@dataclass(frozen=True)
class Claim:
    """One statement of a source.

    quote        the source's words; empty where they are not at hand
    text         what we take them to say
    readings     where the source leaves a choice, a reading for each
    exceptions   what the source itself excepts
    note         what readers should know: a misprint, or a contradiction within the source
    """

    number: int
    source: str  # a key of `SOURCES`, or a question of one's own
    text: str
    readings: tuple[Reading, ...]
    quote: str = ""
    place: str = ""  # section or figure of the quote
    exceptions: str = ""
    note: str = ""
    commands: tuple[Command | OwnCommand, ...] = field(default=())  # what to run; empty: the studies of the evidence

    @property
    def source_name(self) -> str:
        return SOURCES[self.source].name if self.source in SOURCES else self.source

    @property
    def studies(self) -> tuple[str, ...]:
        names = [name for reading in self.readings for each in reading.evidence for name in each.studies]
        return tuple(dict.fromkeys(names))


def single(*evidence: Evidence, agreement: str = "all") -> tuple[Reading, ...]:
    """Return the only reading of a claim."""
    return (Reading("", evidence, agreement),)
