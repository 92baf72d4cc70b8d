"""Keep results beside the code: the records themselves, and the tables, figures and verdicts that come from them.

python studies/published/publish.py RESULTS              take a results folder in, and make everything here anew
python studies/published/publish.py --restore RESULTS    the other way: to draw the report, or to go on with a run
"""

import argparse
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from studies import claims
from studies.catalog import STUDIES
from studies.catalog.problems import PROBLEMS
from studies.errors import StudyError
from studies.records import tables
from studies.records.plan import Plan
from studies.report import answer, lineup
from studies.report.counts import counts
from studies.report.page import by_source, in_order, write_page
from studies.report.rendering import template
from studies.report.section import facts
from studies.results import judged

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
ORDER = (
    claims.SUPPORTED,
    claims.CONTRADICTED,
    claims.NO_DIFFERENCE,
    claims.INCONCLUSIVE,
    claims.DEPENDS,
    claims.NOT_RUN,
)
COUNTED = {claims.DEPENDS: "depending on the reading", claims.NO_DIFFERENCE: "with no practical difference"}
COMPRESSION: Any = {"method": "gzip", "mtime": 0}
BEGIN, END = "<!-- {}, written by studies/published/publish.py -->\n", "<!-- end of {} -->\n"


def restore(results: Path | str, kept: Path = HERE) -> None:
    """Write the records kept here into the folder `results`, where it lacks them."""
    for path in sorted((kept / "records").glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            for member in archive:
                path = Path(results) / member.name
                if member.isfile() and not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(archive.extractfile(member).read())  # type: ignore[union-attr]


def publish(results: Path | str, to: Path = HERE) -> None:
    """Add the records of the folder `results` to those in `to`, and make all that comes from them anew, in both.

    Raise StudyError, and change nothing, where there are none, where a run has the smoke scale, or where the records of
    a study would replace others.
    """
    for plan in tables.plans(results):
        _check_scale(plan)
        _check_that_nothing_goes(plan, _archive(plan, to))
    restore(results, to)
    found = in_order(tables.with_records(results))
    verdicts = judged(found)
    write_page(results, found, verdicts)
    for plan, _ in found:
        _pack(results, plan, _archive(plan, to))
    _copy_figures(Path(results) / "figures", to / "figures")
    of_lineup, others = tables.apart(found)
    rows = tables.all_of([record for _, each in others for record in each])
    _write_tables(rows, claims.frame(verdicts), to)
    own = tables.runs([record for _, each in of_lineup for record in each]).dropna(axis="columns", how="all")
    if of_lineup:  # beside the others: its rows have columns of their own
        own.to_csv(to / "lineup.csv.gz", index=False, float_format="%.6g", compression=COMPRESSION)
    answer.tuned(rows["runs"]).to_csv(to / "answer.csv", index=False)
    studies = [facts(*each) for each in found]
    texts = {"counts": counts_of(rows["runs"], own), "answer": answer_of(rows["runs"], rows["paths"], own)}
    page = template("published.md").render(**texts, groups=by_source(verdicts), studies=studies)
    (to / "README.md").write_text(page, encoding="utf-8")


def counts_of(runs: pd.DataFrame, of_lineup: pd.DataFrame) -> str:
    """Return the short answer, which README.md and the page here begin with, from rows of the tables."""
    return template("counts.md").render(rows=counts(runs, of_lineup))


def answer_of(runs: pd.DataFrame, paths: pd.DataFrame, of_lineup: pd.DataFrame) -> str:
    """Return the whole answer on the page here: AMSGrad against Adam, from rows of the tables."""
    tuned = answer.tuned(runs).query("optimizer == 'AMSGrad'")
    held_out = [problem.name for problem in PROBLEMS if problem.held_out]
    beside = [] if of_lineup.empty else lineup.sentences(of_lineup, held_out)
    words = [*answer.sentences(tuned), *beside, *answer.more(runs, paths)]
    titles = {name: study.title for name, study in STUDIES.items()}
    return template("answer.md").render(sentences=words, rows=answer.in_words(tuned, titles))


def summary(verdicts: pd.DataFrame) -> str:
    """Return what README.md says of rows of verdicts.csv: how many claims came out how."""
    own = verdicts[verdicts["reading"].isna() & verdicts["part"].isna()]
    counts = own["verdict"].value_counts()
    words = [f"{counts[each]} {COUNTED.get(each, each)}" for each in ORDER if each in counts]
    return f"Verdicts on {len(own)} claims of the sources: {', '.join(words)}.\n"


def written(page: str, name: str) -> str:
    """Return what stands in a page's text between the two marks of this name."""
    return page.split(BEGIN.format(name))[1].split(END.format(name))[0]


def write(text: str, name: str, page: Path) -> None:
    """Write a text into a page, between the two marks of this name."""
    old = page.read_text(encoding="utf-8")
    before, after = old.split(BEGIN.format(name))[0], old.split(END.format(name))[1]
    page.write_text(before + BEGIN.format(name) + text + END.format(name) + after, encoding="utf-8")


def kept_tables(kept: Path = HERE) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the rows of runs.csv, paths.csv.gz and lineup.csv.gz that are kept; no rows where there is no line-up."""
    runs, paths = (pd.read_csv(kept / name) for name in ("runs.csv", "paths.csv.gz"))
    own = kept / "lineup.csv.gz"
    return runs, paths, pd.read_csv(own) if own.exists() else pd.DataFrame()


def write_readme(page: Path) -> None:
    """Write into a page what it says of results, from the tables that are kept here."""
    runs, _, of_lineup = kept_tables()
    cost = answer.cost_in_words(answer.times(runs))
    write(f"{counts_of(runs, of_lineup)}\n{cost}\n", "answer", page)
    write(summary(pd.read_csv(HERE / "verdicts.csv")), "verdicts", page)


def _archive(plan: Plan, to: Path) -> Path:
    return to / "records" / f"{plan.study.label}.tar.xz"


def _names(plan: Plan) -> list[str]:
    """Return the names in an archive of a plan's records."""
    return sorted(f"records/{plan.study.name}/{key}.json" for key in plan.keys)


def _check_scale(plan: Plan) -> None:
    if plan.is_small:
        raise StudyError(
            f"{plan.study.label} has the smoke scale, which shows that its stages work and gives no result. "
            "Run it at the scale of its source, or remove its plan from the folder."
        )


def _check_that_nothing_goes(plan: Plan, path: Path) -> None:
    """Refuse a plan without some of the records that are kept: a run of fewer seeds, or with other settings."""
    if not path.exists():
        return
    with tarfile.open(path) as archive:
        kept = {name for name in archive.getnames() if name.startswith("records/")}
    if gone := kept - set(_names(plan)):
        raise StudyError(
            f"{path} keeps {len(gone)} records that are not of this run, which has fewer seeds or other settings. "
            "Restore them and run the study with as many seeds; or delete the file, to keep this run in its place."
        )


def _pack(results: Path | str, plan: Plan, path: Path) -> None:
    """Write the plan and the records of one study as one file: the same bytes for the same records."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:xz") as archive:
        for name in [f"plans/{plan.study.label}.json", *_names(plan)]:
            if (Path(results) / name).exists():
                archive.add(Path(results) / name, name, filter=_without_time_and_owner)


def _without_time_and_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode = 0, 0, 0, "", "", 0o644
    return member


def _write_tables(found: Mapping[str, pd.DataFrame], verdicts: pd.DataFrame, to: Path) -> None:
    """Write runs and verdicts as they are; curves and paths, which are long, compressed and with six digits."""
    found["runs"].to_csv(to / "runs.csv", index=False)
    verdicts.to_csv(to / "verdicts.csv", index=False)
    for name in ("curves", "paths"):
        found[name].to_csv(to / f"{name}.csv.gz", index=False, float_format="%.6g", compression=COMPRESSION)


def _copy_figures(figures: Path, to: Path) -> None:
    """Copy the PNG figures, in 256 colours, which takes a third of the space."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    for path in sorted(figures.glob("*.png")):
        Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(to / path.name, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", metavar="RESULTS", help="a results folder of `python -m studies run`")
    parser.add_argument("--restore", action="store_true", help="write the records kept here into it")
    options = parser.parse_args()
    try:
        if options.restore:
            restore(options.results)
        else:
            publish(options.results)
            write_readme(README)
    except StudyError as error:
        parser.exit(1, f"publish.py: error: {error}\n")


if __name__ == "__main__":
    main()
