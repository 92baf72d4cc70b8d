"""Errors that end a study with one clear line."""


class StudyError(Exception):
    """A study cannot go on; the message says why and what to do."""
