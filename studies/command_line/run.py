"""The command `run`: a study of the catalog."""

import argparse
import dataclasses

from studies.catalog import STUDIES, Study, SyntheticStudy
from studies.command_line.options import Commands, add_engine, add_out, add_sizes, count, engine_of
from studies.errors import StudyError, did_you_mean
from studies.extras import require
from studies.startup import import_keras


def add_run(commands: Commands) -> None:
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
    add_sizes(each, "as the source", "as the source")
    where = add_engine(each)
    each.add_argument(
        "--together", type=count, metavar="N", help="replicas in one program at most (default: an estimate)"
    )
    where.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler whose workers train, as tcp://host:8786")
    each.set_defaults(command=_run)


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.name not in STUDIES:
        near = did_you_mean(options.name, STUDIES) or f"; there are {', '.join(STUDIES)}"
        parser.error(f"there is no study {options.name!r}{near}")
    engine = engine_of(parser, options)
    study = _chosen_study(parser, options)
    if options.dask:
        require("dask")
    import_keras()  # without TensorFlow's notes, and so before anything else imports it
    from studies.run import run

    report = run(
        study,
        options.out,
        engine=engine,
        data_dir=options.data_dir,
        published=options.search == "published",
    )
    print(f"report: {report}")


def _chosen_study(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Study:
    study = STUDIES[options.name]
    if options.variant:
        try:
            study = study.as_variant(options.variant)
        except StudyError as error:
            parser.error(str(error))
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
