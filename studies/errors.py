"""Errors that end a study with one clear line, and what such lines have in common."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class StudyError(Exception):
    """A study cannot go on; the message says why and what to do.

    >>> import studies, tempfile
    >>> try:
    ...     studies.results(tempfile.mkdtemp())
    ... except studies.StudyError as error:
    ...     print("holds no study" in str(error))
    True
    """


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that asks for the most similar of `names`; empty where none is similar.

    >>> did_you_mean("digts", ["digits", "mcgill-logistic"])
    '; did you mean digits?'
    >>> did_you_mean("other", ["digits"])
    ''
    """
    by_lower = {each.lower(): each for each in names}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


def check_folder(path: Path | str) -> None:
    """Raise StudyError where a results folder cannot be made because a file has its name, or a parent's."""
    for each in (Path(path), *Path(path).parents):
        if each.is_file():
            raise StudyError(f"The results folder cannot be {path}: {each} is a file; name a folder, results say.")
