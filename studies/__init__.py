"""The published comparisons of Adam and AMSGrad, re-run, drawn and judged."""
