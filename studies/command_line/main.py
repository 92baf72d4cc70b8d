"""Command line: python -m studies list | run NAME | compare MODULE:FUNCTION | report | export."""

import argparse
import os
import sys
from collections.abc import Sequence

from studies.catalog import SOURCES, STUDIES
from studies.command_line.compare import add_compare
from studies.command_line.options import add_out
from studies.command_line.run import add_run
from studies.errors import StudyError
from studies.extras import require


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the study failed, 2 bad usage, 130 interrupted."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    # Of TensorFlow's own messages only those of its end are for our reader: its errors come to us as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        if options.command is not _list:
            require("studies")
        options.command(parser, options)
    except KeyboardInterrupt:
        print(
            "studies: interrupted; finished fits are kept, and the same command continues",
            file=sys.stderr,
        )
        return 130
    except (StudyError, OSError, ImportError) as error:
        if options.debug:
            raise
        print(f"studies: error: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        if options.debug:
            raise
        print(f"studies: unexpected error: {_in_one_line(error)}", file=sys.stderr)
        return 1
    return 0


def _in_one_line(error: Exception) -> str:
    """Return what is known of an error that nobody foresaw: its type and message, its notes, and what to do."""
    words = [f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", *getattr(error, "__notes__", [])]
    words.append("--debug before the command shows the traceback; please report it unless it is of your own model.")
    return " ".join(words)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m studies", description="Adam and AMSGrad: the published comparisons, re-run."
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    each = commands.add_parser("list", help="list the studies: data, model, size, variants, source")
    each.set_defaults(command=_list)

    add_run(commands)
    add_compare(commands)

    each = commands.add_parser("report", help="write report.html, figures and tables; never trains")
    add_out(each)
    each.set_defaults(command=_report)

    each = commands.add_parser("export", help="write runs.csv, curves.csv, paths.csv")
    add_out(each)
    each.set_defaults(command=_export)
    return parser


def _list(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    for study in STUDIES.values():
        print(study.name)
        print(f"    {study.data}, {study.model}; {study.size()}")
        if study.variants:
            print(f"    variants: {', '.join(study.variants)}")
        print(f"    {SOURCES[study.source].citation}")


def _report(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    from studies.report.page import write_report

    print(f"report: {write_report(options.out)}")


def _export(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    from studies.records import tables

    for path in tables.write_tables(tables.all_of(tables.records(options.out)), options.out):
        print(path)
