"""The sources: who made the comparisons that are run again. Studies, claims and figures name them by their keys."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Where a study comes from."""

    key: str
    name: str  # of the authors, as claims have it
    title: str  # of the publication, as the report has it
    place: str = ""  # where it was published
    rows: str = "test"  # what it calls the rows that it validates on

    @property
    def citation(self) -> str:
        return ", ".join(filter(None, (self.name, f'"{self.title}"', self.place))) if self.name else self.title


# In the report's order.
SOURCES = {
    source.key: source
    for source in (
        Source("reddi", "Reddi, Kale and Kumar", "On the Convergence of Adam and Beyond", "ICLR 2018"),
        Source("bennatan", "Bennatan, Collin and Ng", "A Closer Look At The Convergence of Adam and AMSGrad"),
        Source("korzeniowski", "Korzeniowski", "Experiments with AMSGrad", rows="validation"),
        Source("perez", "Pérez", "An Investigation of ADAM: A Stochastic Optimization Method"),
        Source("bushaev", "Bushaev", "Adam - latest trends in deep learning optimization"),
        Source("lineup", "", "The line-up: every optimizer on problems of many kinds"),
        Source("digits", "", "The protocol of Bennatan, Collin and Ng, at a size for a first look"),
        Source("own", "", "Your own models and data"),
    )
}
