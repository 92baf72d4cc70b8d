"""The command `compare`: the comparison on a user's own model and data."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from studies.arms import ARMS, GRID, Grid, check_choices
from studies.catalog import OwnCommand
from studies.command_line.options import Commands, add_engine, add_out, add_sizes, count, engine_of
from studies.compare import BATCH_SIZE, EPOCHS, SEEDS, TASKS, check_function, check_name, compare
from studies.errors import StudyError
from studies.startup import import_keras

# Those that are arguments of `compare`.
OPTIONS = ("name", "grid", "seeds", "epochs", "batch_size", "from_logits", "task", "class_weight")


def add_compare(commands: Commands) -> None:
    each = commands.add_parser("compare", help="the same comparison on your own model and data")
    each.add_argument(
        "model",
        metavar="MODULE:FUNCTION",
        type=_function,
        help="a function without arguments that returns a Keras model",
    )
    each.add_argument(
        "--data",
        metavar="FILE.npz",
        required=True,
        help="x_train, y_train (labels: numbers, names or one-hot; numbers to predict), x_test, y_test",
    )
    each.add_argument("--name", type=_word, help="what to call the comparison (default: after function and file)")
    add_out(each)
    each.add_argument(
        "--optimizers",
        type=lambda text: tuple(text.split(",")),
        default=("Adam", "AMSGrad"),
        metavar="A,B,...",
        help=f"Adam and others of {', '.join(ARMS)} (default: Adam,AMSGrad)",
    )
    each.add_argument(
        "--grid",
        type=_grid,
        action="append",
        metavar="SETTING=A,B,...[;...]",
        help="values of learning_rate, beta_2, weight_decay, momentum, ... that the search tries, and no others; may "
        f"be given again, for another number (default: {_grid_text(GRID)})",
    )
    add_sizes(each, str(SEEDS), str(EPOCHS))
    each.add_argument("--batch-size", type=count, metavar="N", help=f"rows in a batch (default: {BATCH_SIZE})")
    each.add_argument("--from-logits", action="store_true", help="the model ends in logits, not in probabilities")
    each.add_argument("--task", choices=TASKS, help="what y_train asks for (default: what its values say)")
    each.add_argument(
        "--class-weight",
        type=_weights,
        metavar="LABEL=W,...",
        help="what a row of a class counts in the loss of training, or balanced (default: 1)",
    )
    add_engine(each)
    each.set_defaults(command=_compare)


def _compare(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    engine = engine_of(parser, options)
    given = {name: getattr(options, name) for name in OPTIONS}
    given = {name: value for name, value in given.items() if value}
    try:
        if options.grid:
            given["grid"] = _together(options.grid)
        check_choices(options.optimizers, given.get("grid", GRID))
        check_name(options.name)
    except StudyError as error:
        parser.error(str(error))
    from studies.data.own import read

    arrays: dict[str, Any] = read(options.data)
    import_keras()
    compare(
        options.model,
        **arrays,
        data=options.data,
        optimizers=options.optimizers,
        out=options.out,
        engine=engine.name,
        jobs=options.jobs or 1,
        command=_command(options, given),
        **given,
    )
    print(f"report: {options.out / 'report.html'}")


def _command(options: argparse.Namespace, given: dict[str, Any]) -> OwnCommand:
    """Return the command that makes a comparison's numbers again."""
    words: list[tuple[str, ...]] = [("--data", options.data), ("--optimizers", ",".join(options.optimizers))]
    for name, value in given.items():
        if name != "seeds":
            text = [] if value is True else [WRITTEN.get(name, str)(value)]
            words.append((f"--{name.replace('_', '-')}", *text))
    return OwnCommand(options.model, tuple(words))


def _function(text: str) -> str:
    try:
        check_function(text)
    except StudyError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _grid(text: str) -> Grid:
    """Return {setting: values} from "learning_rate=1e-3,1e-2;beta_2=0.99".

    >>> _grid("learning_rate=1e-3,0.1")
    {'learning_rate': (0.001, 0.1)}
    """
    parts = [part.partition("=") for part in text.split(";")]
    try:
        return _together([{setting.strip(): tuple(map(float, values.split(",")))} for setting, _, values in parts])
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be as learning_rate=1e-3,1e-2;beta_2=0.99,0.999, not {text!r}"
        ) from None
    except StudyError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _together(grids: Sequence[Grid]) -> Grid:
    """Return several grids as one; raise StudyError where two have the same setting."""
    names = [setting for grid in grids for setting in grid]
    for setting in names:
        if names.count(setting) > 1:
            raise StudyError(f"--grid has {setting} twice: name all its values at once.")
    return {setting: values for grid in grids for setting, values in grid.items()}


def _grid_text(grid: Grid) -> str:
    return ";".join(f"{setting}={','.join(f'{value:.12g}' for value in values)}" for setting, values in grid.items())


def _weights(text: str) -> dict[str, float] | str:
    """Return {label: weight} from "cat=1,dog=5", or "balanced" as it is.

    >>> _weights("cat=1,dog=5")
    {'cat': 1.0, 'dog': 5.0}
    """
    if text == "balanced":
        return text
    try:
        return {label: float(weight) for label, _, weight in (part.rpartition("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be balanced, or as cat=1,dog=5, not {text!r}") from None


def _weights_text(weights: dict[str, float] | str) -> str:
    return weights if isinstance(weights, str) else ",".join(f"{label}={w:.12g}" for label, w in weights.items())


def _word(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum():
        raise argparse.ArgumentTypeError(f"must be letters, digits, - and _, not {text!r}")
    return text


# How options that are no plain values are written again; others as `str` has them.
WRITTEN: dict[str, Callable[[Any], str]] = {"grid": _grid_text, "class_weight": _weights_text}
