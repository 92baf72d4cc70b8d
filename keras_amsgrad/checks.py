"""Checks of settings: one kind of error, which names the argument, what is allowed, and what came."""

import math
from collections.abc import Callable
from typing import Any


def number(name: str, value: Any, allowed: str, holds: Callable[[float], bool]) -> float:
    """Return `value` as a finite float for which `holds(value)` is true, else raise ValueError.

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
    return result
