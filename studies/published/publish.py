"""Keep results beside the code: the records themselves, and the tables, figures and verdicts that come from them.

python studies/published/publish.py RESULTS              take a results folder in, and make everything here anew
python studies/published/publish.py --restore RESULTS    the other way: to draw the report, or to go on with a run
"""

import argparse
import shutil
import tarfile
from pathlib import Path

import pandas as pd
from PIL import Image

from studies import claims, tables
from studies.errors import StudyError
from studies.frames import judged
from studies.journal import Journal
from studies.report import facts, in_order, label_of, template, write_report

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
ORDER = (claims.SUPPORTED, claims.CONTRADICTED, claims.NO_DIFFERENCE, claims.INCONCLUSIVE, claims.NOT_RUN)
BEGIN, END = "<!-- verdicts, written by studies/published/publish.py -->\n", "<!-- end of verdicts -->\n"


def restore(results, kept=HERE):
    """Write the records kept here into the folder `results`, where it lacks them."""
    for path in sorted((kept / "records").glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            lacking = [member for member in archive if not (Path(results) / member.name).exists()]
            archive.extractall(results, lacking, filter="data")


def publish(results, to=HERE):
    """Add the records of the folder `results` to those in `to`, and make all that comes from them anew, in both.

    Raise StudyError, and change nothing, where there are none, or where those of a study would replace others.
    """
    for plan in tables.plans(results):
        _check_that_nothing_goes(plan, _archive(plan, to))
    restore(results, to)
    write_report(results)
    found = in_order(tables.with_records(results))
    for plan, _ in found:
        _pack(results, plan, _archive(plan, to))
    _copy_figures(Path(results) / "figures", to / "figures")
    verdicts = judged(found)
    _write_tables(tables.all_of([record for _, each in found for record in each]), claims.frame(verdicts), to)
    studies = [facts(*each) for each in found]
    page = template("published.md").render(verdicts=verdicts, studies=studies)
    (to / "README.md").write_text(page, encoding="utf-8")


def summary(verdicts):
    """Return what README.md says of rows of verdicts.csv: how many claims came out how, and a table of all."""
    counts = verdicts["verdict"].value_counts()
    words = [f"{counts[verdict]} {verdict}" for verdict in ORDER if verdict in counts]
    rows = [f"| {each.number} | {each.source} | {each.claim} | {each.verdict} |" for each in verdicts.itertuples()]
    table = "\n".join(["| | source | claim | verdict |", "|---|---|---|---|", *rows])
    return f"Of {len(verdicts)} claims, {', '.join(words)}:\n\n{table}\n"


def write_summary(verdicts, page):
    """Write the summary of verdicts.csv into a page, between its two marks."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    page.write_text(before + BEGIN + summary(verdicts) + END + rest.split(END)[1], encoding="utf-8")


def _archive(plan, to):
    return to / "records" / f"{label_of(plan['study'])}.tar.xz"


def _names(plan):
    return [f"records/{plan['study']['name']}/{key}.json" for key in sorted(plan["records"])]


def _check_that_nothing_goes(plan, path):
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


def _pack(results, plan, path):
    """Write the plan and the records of one study as one file: the same bytes for the same records."""
    study, journal = plan["study"], Journal(results)
    names = _names(plan)
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:xz") as archive:
        for name in [f"plans/{label_of(study)}.json", *names]:
            if (journal.folder / name).exists():
                archive.add(journal.folder / name, name, filter=_without_time_and_owner)


def _without_time_and_owner(member):
    member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode = 0, 0, 0, "", "", 0o644
    return member


def _write_tables(found, verdicts, to):
    """Write runs and verdicts as they are; curves and paths, which are long, compressed and with six digits."""
    found["runs"].to_csv(to / "runs.csv", index=False)
    verdicts.to_csv(to / "verdicts.csv", index=False)
    for name in ("curves", "paths"):
        compression = {"method": "gzip", "mtime": 0}
        found[name].to_csv(to / f"{name}.csv.gz", index=False, float_format="%.6g", compression=compression)


def _copy_figures(figures, to):
    """Copy the PNG figures, in 256 colours, which takes a third of the space."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    for path in sorted(figures.glob("*.png")):
        Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(to / path.name, optimize=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", metavar="RESULTS", help="a results folder of `python -m studies run`")
    parser.add_argument("--restore", action="store_true", help="write the records kept here into it")
    options = parser.parse_args()
    try:
        if options.restore:
            restore(options.results)
        else:
            publish(options.results)
            write_summary(pd.read_csv(HERE / "verdicts.csv"), README)
    except StudyError as error:
        parser.exit(1, f"publish.py: error: {error}\n")


if __name__ == "__main__":
    main()
