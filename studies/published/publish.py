"""Copy what a results folder says to this one: tables, with six digits and compressed where they are long, and figures.

python studies/published/publish.py RESULTS
"""

import shutil
import sys
from pathlib import Path

from studies.frames import results as tables_of

HERE = Path(__file__).parent


def publish(results, to=HERE):
    """Write runs.csv, verdicts.csv, curves.csv.gz, paths.csv.gz and figures/*.png of the folder `results` into `to`."""
    tables = tables_of(results)
    for name in ("runs", "verdicts"):
        getattr(tables, name).to_csv(to / f"{name}.csv", index=False)
    for name in ("curves", "paths"):
        # No time in the archive: the same numbers are the same bytes.
        compression = {"method": "gzip", "mtime": 0}
        getattr(tables, name).to_csv(to / f"{name}.csv.gz", index=False, float_format="%.6g", compression=compression)
    shutil.rmtree(to / "figures", ignore_errors=True)
    (to / "figures").mkdir()
    for figure in sorted((Path(results) / "figures").glob("*.png")):
        shutil.copy(figure, to / "figures")


if __name__ == "__main__":
    publish(sys.argv[1])
