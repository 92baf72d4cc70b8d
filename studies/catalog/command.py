"""The commands that make numbers again, as data. They are printed here and nowhere else."""

import shlex
from dataclasses import dataclass, replace
from typing import Self

from studies.catalog.variant import PROTOCOL, PUBLISHED, Variant


@dataclass(frozen=True)
class Command:
    """`python -m studies run` with its options; None and False leave an option out.

    >>> str(Command("mcgill-logistic", Variant.parse("as-coded"), seeds=10))
    'python -m studies run mcgill-logistic --variant as-coded --seeds 10'
    """

    study: str
    variant: Variant = PROTOCOL
    smoke: bool = False
    seeds: int | None = None
    epochs: int | None = None

    def __str__(self) -> str:
        words = ["python", "-m", "studies", "run", self.study]
        for name in self.variant.parts:
            words += ["--search", "published"] if name == PUBLISHED else ["--variant", name]
        words += ["--scale", "smoke"] if self.smoke else []
        numbers = {"--seeds": self.seeds, "--epochs": self.epochs}
        return shlex.join(words + [str(word) for pair in numbers.items() if pair[1] for word in pair])

    def with_seeds(self, seeds: int) -> Self:
        return replace(self, seeds=seeds)


@dataclass(frozen=True)
class OwnCommand:
    """What makes a comparison of one's own again: `python -m studies compare`, or without `options` a call in Python.

    >>> str(OwnCommand("my_models:small", (("--data", "my data.npz"),), seeds=5))
    "python -m studies compare my_models:small --data 'my data.npz' --seeds 5"
    >>> str(OwnCommand("my_models:small", seeds=5, arguments=("epochs=3",)))
    'studies.compare(my_models.small, ..., epochs=3, seeds=5)'
    """

    function: str  # MODULE:FUNCTION
    options: tuple[tuple[str, ...], ...] = ()  # each a name, and a value where it has one
    seeds: int = 10
    arguments: tuple[str, ...] = ()  # of the call in Python, beside model, data and seeds: "epochs=3"

    def __str__(self) -> str:
        if not self.options:
            function = self.function.replace(":", ".").removeprefix("__main__.")
            return f"studies.compare({', '.join([function, '...', *self.arguments, f'seeds={self.seeds}'])})"
        words = ["python", "-m", "studies", "compare", self.function]
        return shlex.join([*words, *(word for option in self.options for word in option), "--seeds", str(self.seeds)])

    def with_seeds(self, seeds: int) -> Self:
        return replace(self, seeds=seeds)
