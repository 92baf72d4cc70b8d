"""The published comparisons of Adam and AMSGrad, re-run, drawn and judged; and the same on a model of one's own."""

from studies.compare import compare
from studies.errors import StudyError
from studies.results import Results, results

__all__ = ["Results", "StudyError", "compare", "results"]
