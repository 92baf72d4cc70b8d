"""A variant of a study: how its name is made, and what it says."""

from dataclasses import dataclass
from typing import Any, Self

from studies.errors import StudyError

PUBLISHED = "published-settings"  # trained with the settings that the source reports, without a search

# Parts of variants in words, as titles and legends have them; other parts are their own words.
WORDS = {
    PUBLISHED: "the source's settings",
    "adamw": "normalised decay",
    "alpha-of-the-paper": "AdaMax's own α",
    "as-coded": "as the source's code has it",
    "by-accuracy": "chosen by accuracy",
    "binary-crossentropy": "binary cross-entropy",
    "corrected": "with bias correction",
    "decay": "decay",
    "decoupled": "decoupled decay",
    "korzeniowski": "Korzeniowski's settings",
    "l2": "L2 penalty",
    "mnist": "MNIST",
    "restarts": "restarts",
    "unscaled": "inputs not scaled",
}


@dataclass(frozen=True)
class Variant:
    """What sets runs apart from the source's own protocol, as a list of parts; without parts it is that protocol.

    A part is a name ("dropout"), or a name with a value ("l2=0.001"). Tables and options have it as text, with "+"
    between the parts.

    >>> variant = Variant.parse("decay+l2=0.001")
    >>> "decay" in variant, variant.value("l2"), variant.value("decoupled")
    (True, '0.001', None)
    >>> str(variant.without(Variant.parse("decay")) + "dropout")
    'l2=0.001+dropout'
    """

    parts: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Return the variant that a text names; an empty cell of a table, None or NaN, is the source's own protocol."""
        return cls(tuple(filter(None, text.split("+"))) if isinstance(text, str) else ())

    def __str__(self) -> str:
        return "+".join(self.parts)

    @property
    def words(self) -> str:
        """What the parts say, in words.

        >>> Variant.parse("by-accuracy+l2=1e-05").words
        'chosen by accuracy, L2 penalty = 1e-05'
        """
        pairs = [part.partition("=") for part in self.parts]
        return ", ".join(WORDS.get(name, name) + (f" = {value}" if value else "") for name, _, value in pairs)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __contains__(self, name: str) -> bool:
        return any(part.partition("=")[0] == name for part in self.parts)

    def __add__(self, text: object) -> "Variant":
        """Return this variant with the parts of another, given as a text."""
        return Variant(self.parts + Variant.parse(str(text)).parts)

    def value(self, name: str) -> str | None:
        """Return the value that a part of this name has, as text; None where there is no such part."""
        return next((part.partition("=")[2] for part in self.parts if part.partition("=")[0] == name), None)

    def without(self, other: "Variant") -> "Variant":
        """Return this variant without the parts that another has too."""
        return Variant(tuple(part for part in self.parts if part not in other.parts))

    def apart_from(self, name: str) -> "Variant":
        """Return this variant without the parts of a name.

        >>> str(Variant.parse("corrected+C=3").apart_from("C"))
        'corrected'
        """
        return Variant(tuple(part for part in self.parts if part.partition("=")[0] != name))


def named(optimizer: str, variant: object = "") -> str:
    """Return the name of one of several arms with the same optimizer.

    >>> named("AdamW", "weight_decay=0.01"), named("Adam")
    ('AdamW (weight_decay = 0.01)', 'Adam')
    """
    words = Variant.parse(variant).words
    return optimizer + f" ({words})" * bool(words)


PROTOCOL = Variant()  # the source's own


def common(variants: list[Variant]) -> Variant:
    """Return the parts that all of several variants have, as a variant.

    >>> str(common([Variant.parse("mnist+adamw"), Variant.parse("mnist")]))
    'mnist'
    """
    first, *others = variants or [PROTOCOL]
    return Variant(tuple(part for part in first.parts if all(part in other.parts for other in others)))


class HasVariants:
    """What studies of networks and synthetic ones do alike with their variants."""

    name: str
    title: str
    variant: Variant
    variants: dict[str, dict[str, Any]]

    @property
    def heading(self) -> str:
        """The title, with the variant in words where it has no title of its own."""
        untold = [part for part in self.variant.parts if "title" not in self.variants.get(part, {})]
        return f"{self.title} ({Variant(tuple(untold)).words})" if untold else self.title

    @property
    def label(self) -> str:
        """The name with the variant, as files and links have it."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    def check_variant(self, name: str) -> None:
        """Raise StudyError unless there is a variant of this name."""
        if name not in self.variants:
            there = ", ".join(self.variants) or "none"
            raise StudyError(f"{self.name} has no variant {name!r}; it has {there}.")
