"""Shows the examples and formulas in docstrings as code.

Markdown would take the prompts `>>>` for quotations, and the lines of a formula for one paragraph.
"""

import re
from typing import Any

from griffe import Alias, Extension, Module, Object

EXAMPLE = re.compile(r"^>>> .*?(?=\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)
FORMULA = re.compile(
    r"(?:^[^\s`]+(?:, \S+)* +(?:<-|=) .*\n?(?:^  .*\n?)*)+(?=\n|\Z)", re.MULTILINE
)  # lines w <- ... or step = ...


def fenced(docstring: str) -> str:
    """Return a docstring with each example, up to the next empty line, and each formula as a block of code.

    >>> fenced("Add.\\n\\n>" ">> 1 + 1").splitlines()[2]
    '``` pycon'
    >>> fenced("Halve.\\n\\nw <- w / 2").splitlines()[2]
    '``` text'
    """
    formulas = FORMULA.sub(lambda formula: f"``` text\n{formula[0].rstrip()}\n```\n", docstring)
    return EXAMPLE.sub(lambda example: f"``` pycon\n{example[0]}\n```", formulas)


class Doctests(Extension):
    """Fences the examples of a package and of all that is in it, once it is loaded."""

    def on_package(self, *, pkg: Module, **arguments: Any) -> None:
        self._visit(pkg)

    def _visit(self, thing: Object | Alias) -> None:
        if thing.is_alias:
            return
        if thing.docstring:
            thing.docstring.value = fenced(thing.docstring.value)
        for member in thing.members.values():
            self._visit(member)
