"""The same comparison on a model and data of one's own."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from studies.catalog import SOURCES, STUDIES, Arm, NetworkStudy, OwnCommand, Search
from studies.catalog.bushaev import VARIANTS_OF_ADAM
from studies.errors import StudyError
from studies.extras import require
from studies.training.engines import Replicas, engine_of

if TYPE_CHECKING:
    from studies.results import Results

Grid = Mapping[str, Sequence[float]]

# What can be compared: Adam and AMSGrad corrected, others as in `bushaev-variants`, the last three as their papers do.
CORRECTED = {name: Arm(name) for name in ("Adam", "AMSGrad")}
OF_NO_STUDY = {name: Arm(name, bias_correction=None) for name in ("RAdam", "AdaBelief")}
OF_NO_STUDY["Yogi"] = Arm("Yogi", bias_correction=False)
OF_STUDIES = {arm.optimizer: arm for arm in VARIANTS_OF_ADAM if arm.optimizer not in CORRECTED}
ARMS = CORRECTED | OF_STUDIES | OF_NO_STUDY
GRID = {"learning_rate": (1e-4, 1e-3, 1e-2, 0.1), "beta_2": (0.99, 0.999)}
# First words of the places to which the report's links lead.
ANCHORS = {"answer", "claim", "contents", "open", "source", "value", "verdicts", "words"}
SEEDS = 10

LEFT_OPEN = (
    "The search is a grid of 3 stratified folds of the training rows, with as many epochs as the repeated runs; it "
    "keeps the setting with the lowest validation loss after the last epoch.",
    "Nadam has a constant momentum, SWATS a tolerance of 1e-5, SGD a momentum of .9, Yogi no bias correction; epsilon "
    "is 1e-16 for AdaBelief, 1e-3 for Yogi, else 1e-8; all else Keras's defaults (D).",
    "The same seed gives every optimizer the same initial weights and the same batches; inputs are taken as they come.",
)


def compare(
    model: Callable[[], Any] | str,
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    *,
    name: str | None = None,
    out: Path | str = "results",
    optimizers: Sequence[str] = ("Adam", "AMSGrad"),
    grid: Grid = GRID,
    seeds: int = SEEDS,
    epochs: int = 20,
    batch_size: int = 32,
    from_logits: bool = False,
    engine: str = "replicas",
    jobs: int = 1,
    verbose: int = 1,
    data: str = "arrays",
    command: OwnCommand | None = None,
) -> "Results":
    """Compare optimizers on a classifier of one's own: search, paired repeated runs, verdicts, report.

    Running it again in the same folder continues where it stopped, and trains nothing twice.

    Args:
        model: A function without arguments that returns a new, uncompiled Keras model with one input and one output
            for each class; or its name, "MODULE:FUNCTION".
        x_train: Inputs (rows, ...): floats, or whole numbers (tokens, say), which stay whole numbers.
        y_train: Labels (rows,): whole numbers 0 .. classes - 1.
        x_test, y_test: What every epoch validates on, and never chooses anything; without it, a quarter of the rows.
        name: What the comparison is called in tables and report; by default after the function and `data`. In one
            folder a comparison replaces an earlier one of the same name. Names of published studies are refused.
        out: The results folder; `out`/report.html is the report.
        optimizers: Two or more of `ARMS`, with Adam, against which the others are judged.
        grid: {"learning_rate": values, "beta_2": values}: every pair is tried, on 3 folds.
        seeds: Repeated runs of each optimizer; fewer than 6 carry no verdict.
        epochs: Epochs of every fit.
        batch_size: Rows in a batch.
        from_logits: Whether the model ends in logits in place of probabilities.
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
    require("studies")
    arms, search = check_choices(optimizers, grid, epochs)
    check_name(name)
    _check_sizes(seeds=seeds, epochs=epochs, batch_size=batch_size, jobs=jobs)
    trains = engine_of(engine, jobs=jobs)
    from studies.data import own as own_data
    from studies.networks import own as models
    from studies.results import results
    from studies.run import run

    function = models.named(model)
    arrays = own_data.dataset(data, x_train, y_train, x_test, y_test, folds=search.folds)
    models.check(function, arrays.x_train, arrays.classes, from_logits)
    study = NetworkStudy(
        name=name or _name(function, data),
        title=name or f"{function.partition(':')[2]} on {Path(data).stem}",
        source="own",
        question=f"Does {' or '.join(arm.optimizer for arm in arms[1:])} beat Adam on your model?",
        data=data,
        model=models.identified(function),
        arms=arms,
        search=search,
        epochs=epochs,
        seeds=seeds,
        batch_size=batch_size,
        loss="logits_crossentropy" if from_logits else "sparse_categorical_crossentropy",
        divide_by=None,
        left_open=(*LEFT_OPEN, *(("A quarter of the rows, stratified, is the test set (D).",) * (x_test is None))),
        own_command=command or OwnCommand(function),
    )
    _run(run, study, out, data=arrays, engine=trains, verbose=verbose)
    return results(out)


def check_choices(optimizers: Sequence[str], grid: Grid, epochs: int = 1) -> tuple[tuple[Arm, ...], Search]:
    """Return the arms and the search of a comparison; raise StudyError for what there is not."""
    return _arms(optimizers), _search(grid, epochs)


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


def _check_sizes(**sizes: int) -> None:
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise StudyError(f"{name} must be a whole number of at least 1, not {value!r}.")


def _arms(optimizers: Sequence[str]) -> tuple[Arm, ...]:
    """Return the arms of these optimizers, Adam first."""
    unknown = [name for name in optimizers if name not in ARMS]
    if unknown:
        raise StudyError(f"There is no optimizer {unknown[0]!r}; there are {', '.join(ARMS)}.")
    if "Adam" not in optimizers or len(set(optimizers)) < 2:
        raise StudyError(
            f"optimizers must be Adam and one other at least, for they are judged against Adam; not {list(optimizers)}."
        )
    return tuple(ARMS[name] for name in sorted(dict.fromkeys(optimizers), key=lambda name: name != "Adam"))


def _search(grid: Grid, epochs: int) -> Search:
    if set(grid) != set(GRID):
        raise StudyError(f"grid must hold values for learning_rate and beta_2, not for {', '.join(grid) or 'nothing'}.")
    for setting, values in grid.items():
        good = [value > 0 and (setting == "learning_rate" or value < 1) for value in values]
        if not good or not all(good):
            allowed = "above 0" if setting == "learning_rate" else "between 0 and 1"
            raise StudyError(f"The grid's values of {setting} must be {allowed}, one at least; not {list(values)}.")
    return Search(tuple(map(float, grid["learning_rate"])), tuple(map(float, grid["beta_2"])), epochs=epochs)


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
