"""Measure a wheel: how many bytes a user downloads.

    python benchmarks/wheel_size.py dist/*.whl

Prints one JSON line. The exit code is 1 where the wheel has 175 kB or more, or more than the library in it.
"""

import json
import os
import sys
import zipfile

ALLOWED = 175_000


def measure(path):
    """Return the size of the wheel `path` in bytes, and the folders in it."""
    with zipfile.ZipFile(path) as wheel:
        folders = {name.split("/")[0] for name in wheel.namelist()}
    return {"bytes": os.path.getsize(path), "folders": sorted(folders)}


if __name__ == "__main__":
    result = measure(sys.argv[1])
    print(json.dumps(result))
    others = [name for name in result["folders"] if name != "keras_amsgrad" and not name.endswith(".dist-info")]
    sys.exit(bool(result["bytes"] >= ALLOWED or others))
