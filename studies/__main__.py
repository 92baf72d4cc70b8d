"""Command line: python -m studies list | run NAME | compare MODULE:FUNCTION | report | export."""

import argparse
import dataclasses
import os
import sys

from studies.catalog import STUDIES, SyntheticStudy
from studies.errors import StudyError
from studies.options import add_compare, add_engine, add_out, add_sizes, count, engine_of


def main(arguments=None):
    """Run one command and return its exit code: 0 done, 1 the study failed, 2 bad usage, 130 interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    # Of TensorFlow's own messages only those of its end are for our reader: its errors come to us as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        options.command(parser, options)
    except KeyboardInterrupt:
        print(
            "studies: interrupted; finished fits are kept, and the same command continues",
            file=sys.stderr,
        )
        return 130
    except (StudyError, OSError) as error:
        if options.debug:
            raise
        print(f"studies: error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m studies", description="Adam and AMSGrad: the published comparisons, re-run."
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    each = commands.add_parser("list", help="list the studies: data, model, size, variants, source")
    each.set_defaults(command=_list)

    each = commands.add_parser("run", help="search, train repeatedly, report; continues where it stopped")
    each.add_argument("name", metavar="NAME", help="a study, as `list` shows it")
    add_out(each)
    each.add_argument("--data-dir", metavar="DIR", help="folder with the data files (default: $KERAS_AMSGRAD_DATA)")
    each.add_argument(
        "--scale", choices=("smoke", "paper"), default="paper", help="smoke: every stage on a small subset"
    )
    each.add_argument(
        "--search", choices=("run", "published"), default="run", help="published: train with the settings of the source"
    )
    each.add_argument("--variant", metavar="NAME", help="another form of the study, as `list` shows it")
    add_sizes(each)
    where = add_engine(each)
    each.add_argument(
        "--together", type=count, metavar="N", help="replicas in one program at most (default: an estimate)"
    )
    where.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler whose workers train, as tcp://host:8786")
    each.set_defaults(command=_run)

    add_compare(commands)

    each = commands.add_parser("report", help="write report.html, figures and tables; never trains")
    add_out(each)
    each.set_defaults(command=_report)

    each = commands.add_parser("export", help="write runs.csv, curves.csv, paths.csv")
    add_out(each)
    each.set_defaults(command=_export)
    return parser


def _list(parser, options):
    for study in STUDIES.values():
        print(study.name)
        print(f"    {study.data}, {study.model}; {study.size()}")
        if _variants(study):
            print(f"    variants: {', '.join(_variants(study))}")
        print(f"    {study.source}")


def _variants(study):
    return getattr(study, "variants", {})


def _run(parser, options):
    if options.name not in STUDIES:
        parser.error(f"there is no study {options.name!r}; there are {', '.join(STUDIES)}")
    engine = engine_of(parser, options)
    if options.together and engine == "gridsearch":
        parser.error("--together is for replicas; without them fits train one after another")
    study = _chosen_study(parser, options)
    from studies.run import run

    report = run(
        study,
        options.out,
        data_dir=options.data_dir,
        published=options.search == "published",
        engine=engine,
        jobs=options.jobs or 1,
        dask=options.dask,
        together=options.together,
    )
    print(f"report: {report}")


def _chosen_study(parser, options):
    study = STUDIES[options.name]
    if options.variant:
        if options.variant not in _variants(study):
            there = ", ".join(_variants(study)) or "none"
            parser.error(f"{study.name} has no variant {options.variant!r}; it has {there}")
        study = study.as_variant(options.variant)
    if options.scale == "smoke":
        study = study.smoke()
    if isinstance(study, SyntheticStudy):
        for name in ("seeds", "epochs"):
            if getattr(options, name) and not (name == "seeds" and study.seeds > 1):
                parser.error(f"{study.name} has no {name}; leave out --{name}")
        return dataclasses.replace(study, seeds=options.seeds or study.seeds)
    if options.search == "published" and not study.published:
        parser.error(f"no source reports settings for {study.name}; leave out --search published")
    if options.seeds:
        study = dataclasses.replace(study, seeds=options.seeds)
    if options.epochs:
        search = study.search and dataclasses.replace(study.search, epochs=options.epochs)
        study = dataclasses.replace(study, epochs=options.epochs, search=search)
    return study


def _report(parser, options):
    from studies.report import write_report

    print(f"report: {write_report(options.out)}")


def _export(parser, options):
    from studies.tables import write_tables

    for path in write_tables(options.out):
        print(path)


if __name__ == "__main__":
    sys.exit(main())
