"""What a results folder holds, as pandas frames: for notebooks. It never trains."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from studies.extras import require

if TYPE_CHECKING:
    import pandas as pd

    from studies.claims import Verdict
    from studies.records.record import Record
    from studies.records.tables import Found


class Results(NamedTuple):
    """The tables of a results folder: the columns of runs.csv, curves.csv, paths.csv and verdicts.csv.

    >>> Results._fields
    ('runs', 'curves', 'paths', 'verdicts')
    """

    runs: "pd.DataFrame"  # a row for each fit
    curves: "pd.DataFrame"  # a row for each fit and epoch
    paths: "pd.DataFrame"  # a row for each kept step of a walk
    verdicts: "pd.DataFrame"  # a row for each claim, reading and comparison: see docs/verdicts.md

    @property
    def own(self) -> "pd.DataFrame":
        """The verdicts on the questions of comparisons of one's own, without those on the claims of the sources."""
        from studies.claims.own import ASKED

        mine = self.verdicts[self.verdicts["source"].str.startswith(ASKED)]
        return mine[(mine["reading"] == "") & (mine["part"] == "")]


def results(out: Path | str = "results") -> Results:
    """Return the tables of every study in a results folder; raise StudyError where there is none.

    Plot functions of `studies.figures` take rows of them: `plot_curves(results().curves, "val_loss")`.

    >>> import shutil, studies, tempfile
    >>> records = Path(studies.__file__).parent / "published" / "records" / "perez-mlp.tar.xz"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shutil.unpack_archive(records, folder)
    ...     runs = results(folder).runs
    >>> runs.groupby("optimizer").size().to_dict()
    {'AdaMax': 4, 'Adam': 4}
    """
    require("studies")
    from studies import claims
    from studies.records import tables

    found = tables.with_records(out)
    every = tables.all_of([record for _, each in found for record in each])
    return Results(**every, verdicts=claims.frame(judged(found)))


def judged(found: "Found") -> "list[Verdict]":
    """Return the verdicts on the claims from (plan, records) pairs; a small run shows that it works, and no more."""
    from studies import claims
    from studies.records import tables

    _, others = tables.apart(found)  # no claim of a source is about the line-up
    return claims.verdicts(**tables.all_of(whole(others)), of=[plan.study for plan, _ in others])


def whole(found: "Found") -> "list[Record]":
    """Return the records of (plan, records) pairs, without those of runs at the smoke scale."""
    return [record for plan, each in found if not plan.is_small for record in each]
