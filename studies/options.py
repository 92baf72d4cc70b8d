"""Options of the command line that several commands share, and the command `compare`."""

import argparse
import shlex
from pathlib import Path

from studies import own
from studies.errors import StudyError
from studies.startup import import_keras


def add_out(parser):
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("results"), help="results folder (default: results)"
    )


def add_sizes(parser):
    parser.add_argument("--seeds", type=count, metavar="N", help="repeated runs of each optimizer")
    parser.add_argument("--epochs", type=count, metavar="N", help="epochs of every fit")


def add_engine(parser):
    """Add --engine and --jobs; return the group of what excludes --jobs."""
    parser.add_argument(
        "--engine",
        choices=("replicas", "gridsearch"),
        help="replicas: all fits as one program (default); gridsearch: one after another, or in several processes",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=count, metavar="N", help="processes that train at the same time")
    return where


def engine_of(parser, options):
    """Return the engine that the options choose."""
    elsewhere = options.jobs or getattr(options, "dask", None)
    if options.engine == "replicas" and elsewhere:
        parser.error("--engine replicas is one program that keeps all cores busy; leave out --jobs and --dask")
    return options.engine or ("gridsearch" if elsewhere else "replicas")


def add_compare(commands):
    each = commands.add_parser("compare", help="the same comparison on your own model and data")
    each.add_argument(
        "model",
        metavar="MODULE:FUNCTION",
        type=_function,
        help="a function without arguments that returns an uncompiled Keras model",
    )
    each.add_argument(
        "--data", metavar="FILE.npz", required=True, help="x_train, y_train (whole-number labels), x_test, y_test"
    )
    each.add_argument("--name", type=_word, help="what to call the comparison (default: after function and file)")
    add_out(each)
    each.add_argument(
        "--optimizers",
        type=lambda text: tuple(text.split(",")),
        default=("Adam", "AMSGrad"),
        metavar="A,B,...",
        help=f"Adam and others of {', '.join(own.ARMS)} (default: Adam,AMSGrad)",
    )
    each.add_argument(
        "--grid",
        type=_grid,
        metavar="SETTING=A,B,...;...",
        help=f"what the search tries (default: {_grid_text(own.GRID)})",
    )
    add_sizes(each)
    each.add_argument("--batch-size", type=count, metavar="N", help="rows in a batch (default: 32)")
    each.add_argument("--from-logits", action="store_true", help="the model ends in logits, not in probabilities")
    add_engine(each)
    each.set_defaults(command=_compare)


def _compare(parser, options):
    engine = engine_of(parser, options)
    given = {name: getattr(options, name) for name in ("name", "grid", "seeds", "epochs", "batch_size", "from_logits")}
    given = {name: value for name, value in given.items() if value}
    try:
        own.check_choices(options.optimizers, given.get("grid", own.GRID))
    except StudyError as error:
        parser.error(str(error))
    from studies.own.data import read

    arrays = read(options.data)
    import_keras()
    own.compare(
        options.model,
        **arrays,
        data=options.data,
        optimizers=options.optimizers,
        out=options.out,
        engine=engine,
        jobs=options.jobs or 1,
        command=_command(options, given),
        **given,
    )
    print(f"report: {options.out / 'report.html'}")


def _command(options, given):
    """Return the command that makes a comparison's numbers again; {seeds} stands for their number."""
    words = ["python -m studies compare", shlex.quote(options.model), "--data", shlex.quote(options.data)]
    words += ["--optimizers", ",".join(options.optimizers)]
    for name, value in given.items():
        if name != "seeds":
            text = [] if value is True else [_grid_text(value) if name == "grid" else str(value)]
            words += [f"--{name.replace('_', '-')}", *map(shlex.quote, text)]
    return " ".join([*words, "--seeds {seeds}"])


def _function(text):
    module, _, function = text.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), *function.split(".")]):
        raise argparse.ArgumentTypeError(f"must be MODULE:FUNCTION, as my_models:small for my_models.py, not {text!r}")
    return text


def _grid(text):
    """Return {setting: values} from "learning_rate=1e-3,1e-2;beta_2=0.99"; a setting left out is as by default.

    >>> _grid("learning_rate=1e-3,0.1")
    {'learning_rate': (0.001, 0.1), 'beta_2': (0.99, 0.999)}
    """
    found = {}
    for part in text.split(";"):
        setting, _, values = part.partition("=")
        try:
            found[setting.strip()] = tuple(map(float, values.split(",")))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"must be as learning_rate=1e-3,1e-2;beta_2=0.99,0.999, not {text!r}"
            ) from None
    return own.GRID | found


def _grid_text(grid):
    return ";".join(f"{setting}={','.join(f'{value:g}' for value in values)}" for setting, values in grid.items())


def _word(text):
    if not text.replace("-", "").replace("_", "").isalnum():
        raise argparse.ArgumentTypeError(f"must be letters, digits, - and _, not {text!r}")
    return text


def count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)
