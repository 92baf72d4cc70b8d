"""The same comparison on a model and data of one's own."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from studies.arms import GRID, Grid, check_choices
from studies.catalog import SOURCES, STUDIES, Arm, NetworkStudy, OwnCommand
from studies.catalog.variant import named
from studies.errors import StudyError, check_folder
from studies.extras import require
from studies.startup import import_keras
from studies.training.engines import Replicas, engine_of

if TYPE_CHECKING:
    from studies.data.dataset import Dataset
    from studies.results import Results

# First words of the places to which the report's links lead.
ANCHORS = {"answer", "claim", "contents", "open", "source", "value", "verdicts", "words"}
SEEDS, EPOCHS, BATCH_SIZE = 10, 20, 32
# Arguments that decide the numbers of a comparison, beside the model, the data and the seeds.
OF_CALL = (
    *("name", "optimizers", "grid", "epochs", "batch_size", "from_logits", "task", "loss", "metrics", "callbacks"),
    "class_weight",
)

# How rows are divided, by what the targets ask for.
TASKS = {"classification": "stratified", "regression": "shuffled", "multilabel": "shuffled"}

LEFT_OPEN = (
    "The search is a grid of 3 {split} folds of the training rows, with as many epochs as the repeated runs; it "
    "keeps the setting with the lowest validation loss after the last epoch.",
    "By name, Nadam has a constant momentum, SWATS a tolerance of 1e-5, SGD a momentum of .9, Yogi no bias correction; "
    "epsilon is 1e-16 for AdaBelief, 1e-3 for Yogi, 1e-7 for Keras's own optimizers, else 1e-8; all else that the grid "
    "does not name is as each class has it by default (D).",
    "The same seed gives every optimizer the same initial weights and the same batches; inputs are taken as they come.",
)


def compare(
    model: Callable[[], Any] | str,
    x_train: Any,
    y_train: Any = None,
    x_test: Any = None,
    y_test: Any = None,
    *,
    name: str | None = None,
    out: Path | str = "results",
    optimizers: Sequence[Any] = ("Adam", "AMSGrad"),
    grid: Grid = GRID,
    seeds: int = SEEDS,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    from_logits: bool = False,
    task: str | None = None,
    loss: Any = None,
    metrics: Sequence[Any] | None = None,
    callbacks: Sequence[Any] | None = None,
    class_weight: Mapping[Any, float] | str | None = None,
    engine: str = "replicas",
    jobs: int = 1,
    verbose: int = 1,
    data: str = "arrays",
    command: OwnCommand | None = None,
) -> "Results":
    """Compare optimizers on a model of one's own: search, paired repeated runs, verdicts, report.

    Running it again in the same folder continues where it stopped, and trains nothing twice.

    Args:
        model: A function without arguments that returns a new Keras model with one output for each class, one sigmoid
            for two classes or for each of several labels, or for a regression one linear output for each number that
            it predicts; or its name, "MODULE:FUNCTION". Of a model that is compiled, loss and metrics count, and the
            optimizer does not.
        x_train: Inputs (rows, ...), an array or a DataFrame: floats, or whole numbers (tokens, say), which stay whole
            numbers. For a model with several inputs a dictionary {name: array} or a list of arrays. Or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of (x, y), which is read into memory, without
            `y_train`; one that shuffles is another in every run.
        y_train: Labels (rows,) or (rows, 1): integers, strings, booleans or whole floats; or one-hot. A line says how
            they became the classes 0 .. k - 1, in ascending order, unless they are these already. Floats that are not
            whole, or (rows, outputs) and not 0 and 1, are the numbers of a regression: its usual loss is the mean
            squared error, and R² takes the place of the accuracy. (rows, labels) of 0 and 1, where not every row has a
            single 1, are labels of which a row may have several: the usual loss is their mean binary cross-entropy.
        x_test, y_test: What every epoch validates on, and never chooses anything, likewise; without it, a quarter of
            the rows.
        name: What the comparison is called in tables and report; by default after the function and `data`. In one
            folder a comparison replaces an earlier one of the same name. Names of published studies are refused.
        out: The results folder; `out`/report.html is the report.
        optimizers: Two or more, with Adam, against which the others are judged: names (keys of `studies.arms.ARMS`),
            or optimizers of keras_amsgrad and keras.optimizers with settings of their own, which are numbers.
        grid: {name of a number: values}, "learning_rate", "beta_2", "weight_decay", "momentum", ...: every
            combination is tried, on 3 folds, of those numbers that an optimizer has. Nothing else is searched: a
            number that the grid does not name is as the optimizer has it.
        seeds: Repeated runs of each optimizer; fewer than 6 carry no verdict.
        epochs: Epochs of every fit.
        batch_size: Rows in a batch.
        from_logits: Whether the model ends in logits in place of probabilities.
        task: "classification", "regression" or "multilabel"; None decides by `y_train`.
        loss: A Keras loss, by name, as a function or an object; None for that of a compiled model, or else the usual
            one. One-hot classes and (rows, outputs) reach it as they are, labels as the classes 0 .. k - 1.
        metrics: Keras metrics to measure in every epoch beside the loss and the accuracy (or R²), which are what is
            judged: columns train_NAME and val_NAME of runs.csv and curves.csv. None for those of a compiled model.
        callbacks: Callbacks of every fit, which gets copies of its own. With EarlyStopping, ReduceLROnPlateau,
            LearningRateScheduler and TerminateOnNaN fits still train together.
        class_weight: What a row of each class counts in the loss of training: {label: weight}, 1 for those left out;
            or "balanced", as in scikit-learn. Validation counts all rows alike.
        engine: "replicas" (all fits as one program), or "gridsearch" (one after another, in `jobs` processes).
        jobs: Processes that train at the same time.
        verbose: 1 for progress on standard error (a bar on a terminal, lines elsewhere), 0 for none.
        data: What the arrays are called.
        command: The `OwnCommand` that makes the numbers again, for the report; None is this call.

    Returns:
        The folder's tables, as `studies.results` gives them.

    Raises:
        StudyError: What cannot be compared, in one line, before anything trains.

    >>> import keras, numpy as np, studies, tempfile
    >>> def model():
    ...     return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> found = studies.compare(
    ...     model, x, (x[:, 0] > 0).astype(int), out=tempfile.mkdtemp(), seeds=2, epochs=1,
    ...     grid={"learning_rate": [0.1], "beta_2": [0.999]})
    >>> found.runs.groupby(["stage", "optimizer"]).size().to_dict()
    {('repeat', 'AMSGrad'): 2, ('repeat', 'Adam'): 2, ('search', 'AMSGrad'): 3, ('search', 'Adam'): 3}
    """
    called = dict(locals())
    require("studies")
    arms, search = check_choices(optimizers, grid, epochs)
    check_name(name)
    check_folder(out)
    if isinstance(model, str):
        check_function(model)
    if task not in (None, *TASKS):
        raise StudyError(f"task must be one of {', '.join(TASKS)}, not {task!r}.")
    _check_sizes(seeds=seeds, epochs=epochs, batch_size=batch_size, jobs=jobs)
    trains = engine_of(engine, jobs=jobs)
    import_keras()  # without TensorFlow's notes, and so before anything else imports it
    from studies.data import own as own_data
    from studies.data.inputs import first_rows
    from studies.networks import own as models
    from studies.networks.parts import parts_of
    from studies.networks.targets import loss_for
    from studies.results import results
    from studies.run import run

    function = models.named(model)
    rows = x_train, y_train, x_test, y_test
    arrays, of_targets = own_data.dataset(data, *rows, folds=search.folds, task=task, class_weight=class_weight)
    if of_targets and verbose:
        print(f"studies: {of_targets}", file=sys.stderr)
    rows_shown = first_rows(arrays.x_train)
    network = models.built(function, rows_shown)
    of_loss, parts = loss_for(function, network, arrays, parts_of(network, loss, metrics, callbacks), from_logits)
    left_open = (
        *(line.format(split=TASKS[arrays.task]) for line in LEFT_OPEN),
        *((f"A quarter of the rows, {TASKS[arrays.task]}, is the test set (D).",) * (x_test is None)),
        *((of_targets,) * bool(of_targets)),
        *_of_weights(arrays),
        *_own_settings(arms[0]),
    )
    study = NetworkStudy(
        name=name or _name(function, data),
        title=name or f"{function.partition(':')[2]} on {Path(data).stem}",
        source="own",
        question=f"Does {' or '.join(named(arm.optimizer, arm.variant) for arm in arms[1:])} beat Adam on your model?",
        data=data,
        model=models.identified(function, rows_shown, parts),
        arms=arms,
        search=search,
        epochs=epochs,
        seeds=seeds,
        batch_size=batch_size,
        loss=of_loss,
        divide_by=None,
        left_open=left_open,
        own_command=command or OwnCommand(function, arguments=_arguments(called)),
    )
    _run(run, study, out, data=arrays, engine=trains, verbose=verbose)
    return results(out)


def check_name(name: str | None) -> None:
    """Raise StudyError for a name that published studies have: own runs would be evidence for published claims."""
    if name is None:
        return
    if not isinstance(name, str) or not re.fullmatch(r"[\w-]+", name):
        raise StudyError(f"name must be letters, digits, - and _, not {name!r}.")
    first = name.lower().partition("-")[0]  # file systems may not tell cases apart
    if name.lower() in {*STUDIES, *SOURCES} or first in ANCHORS:
        raise StudyError(
            f"The name {name} is taken: published studies, their sources and parts of the report have it. "
            f"Choose another, my-{name} say."
        )


def check_function(name: str) -> None:
    """Raise StudyError unless a name has the form MODULE:FUNCTION."""
    module, colon, function = name.partition(":")
    path = PurePath(module)
    if path.suffix == ".py":
        parts = [path.stem] if path.is_absolute() else path.with_suffix("").parts
        raise StudyError(f"Write the module without .py: {'.'.join(parts)}:{function or 'FUNCTION'}, not {name!r}.")
    if not all(part.isidentifier() for part in [*module.split("."), *function.split(".")]):
        near = f"; did you mean {':'.join(name.rsplit('.', 1))}?" if "." in name and not colon else "."
        raise StudyError(f"The model must be MODULE:FUNCTION, as my_models:small for my_models.py, not {name!r}{near}")


def _check_sizes(**sizes: int) -> None:
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise StudyError(f"{name} must be a whole number of at least 1, not {value!r}.")


def _arguments(called: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments of a call that decide its numbers, "epochs=3", where they are not the default."""
    usual = {name: each.default for name, each in inspect.signature(compare).parameters.items()}
    return tuple(f"{name}={_written(called[name])}" for name in OF_CALL if called[name] is not usual[name])


def _written(value: Any) -> str:
    """Return a value as Python has it, objects by their class.

    >>> _written({"learning_rate": (0.1, 0.01)}), _written([print, object()])
    ("{'learning_rate': [0.1, 0.01]}", '[print, object(...)]')
    """
    if value is None or isinstance(value, (str, bool)):
        return repr(value)
    if isinstance(value, Real):
        return f"{value:.12g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {_written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Iterable):
        return "[" + ", ".join(map(_written, value)) + "]"
    return getattr(value, "__name__", f"{type(value).__name__}(...)")


def _of_weights(data: "Dataset") -> tuple[str, ...]:
    if data.class_weight is None:
        return ()
    weights = ", ".join(f"{weight:.4g}" for weight in data.class_weight)
    return (f"In the loss of training, a row of the classes 0, 1, ... counts {weights}; in validation all count 1.",)


def _own_settings(reference: Arm) -> tuple[str, ...]:
    """Return what the reference has of its own, in a line, where it has anything: unlike others, it is called Adam."""
    told = ", ".join(f"{name} = {value}" for name, value in reference.options.items())
    return (f"Adam, with which the others are compared, has {told} in all its runs.",) * bool(told)


def _name(function: str, data: str) -> str:
    """Return the name of a comparison, for files and links: compare-FUNCTION-DATA."""
    words = (function.rpartition(":")[2], Path(data).stem)
    return "-".join(["compare", *(re.sub(r"\W+", "_", word).strip("_") for word in words)])


def _run(run: Callable[..., Path], study: NetworkStudy, out: Path | str, **how: Any) -> None:
    """Run a study; where training as replicas fails, the error stays what it is, and names the other engine."""
    try:
        run(study, out, **how)
    except (StudyError, OSError):
        raise
    except Exception as error:
        if isinstance(how["engine"], Replicas):
            error.add_note("The engine gridsearch trains each fit by Keras's own `fit`.")
        raise
