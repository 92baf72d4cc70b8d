"""What a results folder holds, as pandas frames: for notebooks. It never trains."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Results(NamedTuple):
    """The tables of a results folder: the columns of runs.csv, curves.csv, paths.csv and verdicts.csv."""

    runs: "pd.DataFrame"  # a row for each fit
    curves: "pd.DataFrame"  # a row for each fit and epoch
    paths: "pd.DataFrame"  # a row for each kept step of a walk
    verdicts: "pd.DataFrame"  # a row for each claim

    @property
    def own(self):
        """The verdicts on the questions of comparisons of one's own, without those on the claims of the sources."""
        from studies import claims

        return self.verdicts[self.verdicts["number"] > claims.CLAIMS[-1].number]


def results(out="results"):
    """Return the tables of every study in a results folder; raise StudyError where there is none.

    Plot functions of `studies.figures` take rows of them: `plot_curves(results().curves, "val_loss")`.
    """
    from studies import claims, tables

    found = tables.with_records(out)
    every = tables.all_of([record for _, each in found for record in each])
    return Results(**every, verdicts=claims.frame(judged(found)))


def judged(found):
    """Return the verdicts on the claims from (plan, records) pairs; a small run shows that it works, and no more."""
    from studies import claims, tables

    whole = [record for plan, each in found if plan["study"]["scale"] != "smoke" for record in each]
    return claims.verdicts(**tables.all_of(whole), of=[plan["study"] for plan, _ in found])
