"""Measure a wheel: how many bytes a user downloads, for the library and for the studies.

    python benchmarks/wheel_size.py dist/*.whl

Prints one JSON line. The exit code is 1 where the library's part is 100 kB or more.
"""

import json
import os
import sys
import zipfile
from collections import Counter

ALLOWED = 100_000


def measure(path):
    """Return {top folder: compressed bytes} of the wheel `path`, and its "total" with the tables of the archive."""
    sizes = Counter()
    with zipfile.ZipFile(path) as wheel:
        for entry in wheel.infolist():
            sizes[entry.filename.split("/")[0]] += entry.compress_size
    return {**sizes, "total": os.path.getsize(path)}


if __name__ == "__main__":
    result = measure(sys.argv[1])
    print(json.dumps(result))
    sys.exit(result["keras_amsgrad"] >= ALLOWED)
