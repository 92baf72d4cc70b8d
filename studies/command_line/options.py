"""Options of the command line that several commands share."""

import argparse
from pathlib import Path
from typing import TypeAlias

from studies.errors import StudyError
from studies.training import engines

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("results"), help="results folder (default: results)"
    )


def add_sizes(parser: argparse.ArgumentParser, seeds: str, epochs: str) -> None:
    """Add --seeds and --epochs, with what their help says of the defaults."""
    parser.add_argument("--seeds", type=count, metavar="N", help=f"repeated runs of each optimizer (default: {seeds})")
    parser.add_argument("--epochs", type=count, metavar="N", help=f"epochs of every fit (default: {epochs})")


def add_engine(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Add --engine and --jobs; return the group of what excludes --jobs."""
    parser.add_argument(
        "--engine",
        choices=("replicas", "gridsearch"),
        help="replicas: all fits as one program (default); gridsearch: one after another, or in several processes",
    )
    parser.set_defaults(dask=None, together=None)  # of which not every command has options
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=count, metavar="N", help="processes that train at the same time")
    return where


def engine_of(parser: argparse.ArgumentParser, options: argparse.Namespace) -> engines.Engine:
    """Return the engine that the options choose, or end with what is wrong about them."""
    given = {name: getattr(options, name) for name in ("jobs", "dask", "together")}
    try:
        return engines.engine_of(options.engine, **given, option="--{}")
    except StudyError as error:
        parser.error(str(error))


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)
