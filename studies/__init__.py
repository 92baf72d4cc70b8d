"""The published comparisons of Adam and AMSGrad, re-run, drawn and judged; and the same on a model of one's own."""

from studies.errors import StudyError
from studies.frames import Results, results
from studies.own import compare

__all__ = ["Results", "StudyError", "compare", "results"]
