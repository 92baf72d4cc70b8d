"""The packages that studies need beyond the library's own, by the extra of setup.cfg that installs them."""

import importlib.util

PACKAGES = {
    "studies": (
        "cattrs",
        "filelock",
        "jinja2",
        "joblib",
        "matplotlib",
        "pandas",
        "rich",
        "scikeras",
        "sklearn",
        "scipy",
    ),
    "dask": ("distributed",),
}


def require(extra: str) -> None:
    """Raise ImportError unless the packages of an extra can be imported; the message names the extra."""
    missing = [name for name in PACKAGES[extra] if not _is_there(name)]
    if missing:
        raise ImportError(
            f"{', '.join(missing)} not found. Install what is missing: pip install --editable '.[{extra}]'"
        )


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
