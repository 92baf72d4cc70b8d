"""Checks of settings: one kind of error, which names the argument, what is allowed, and what came."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def rounded(value: float, dtype: str) -> float:
    """Return `value` as a type of floating-point numbers holds it; below the smallest normal number that is 0.

    >>> rounded(1 - 1e-9, "float32"), rounded(1e-50, "float32"), rounded(1e-40, "float32"), rounded(1e39, "float32")
    (1.0, 0.0, 0.0, inf)
    """
    with np.errstate(over="ignore", under="ignore"):
        result = float(np.dtype(dtype).type(value))
    return 0.0 if abs(result) < float(np.finfo(dtype).tiny) else result


def number(name: str, value: Any, allowed: str, holds: Callable[[float], bool], dtype: str | None = None) -> float:
    """Return `value` as a finite float for which `holds(value)` is true, else raise ValueError.

    With `dtype`, it must also be true of the number that acts, `value` in that type.

    >>> number("epsilon", 1, "a number > 0", lambda x: x > 0)
    1.0
    >>> number("epsilon", 0, "a number > 0", lambda x: x > 0)
    Traceback (most recent call last):
        ...
    ValueError: `epsilon` must be a number > 0. Received: epsilon=0
    """
    try:
        result = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError):
        result = math.nan
    if not (math.isfinite(result) and holds(result)):
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}")
    acting = result if dtype is None else rounded(result, dtype)
    if not (math.isfinite(acting) and holds(acting)):
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}, which is {acting} in {dtype}")
    return result
