"""The line-up: its problems, and how each is made a study. `register` adds one of your own."""

from studies.lineup.problems import data_of, register, study_of

__all__ = ["data_of", "register", "study_of"]
