"""Run one study: search, repeated training, report. What the journal holds already is not done again."""

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from studies.catalog import STUDIES, Arm, NetworkStudy, Setting, Study, SyntheticStudy
from studies.catalog.fit import Fit, fit_of
from studies.catalog.lineup import FINAL, TUNING, LineupStudy
from studies.catalog.variant import PUBLISHED
from studies.catalog.walk import walks_of
from studies.data import official
from studies.data.dataset import Dataset
from studies.records.journal import Journal
from studies.records.plan import Findings
from studies.startup import import_keras
from studies.training.engines import Engine, Processes, Replicas
from studies.training.progress import Progress
from studies.training.workspace import Workspace


def run(
    study: Study,
    out: Path | str,
    *,
    engine: Engine | None = None,
    data: Dataset | None = None,
    data_dir: Path | str | None = None,
    published: bool = False,
    verbose: int = 1,
) -> Path:
    """Run a study into the folder `out` and write the report of everything found there. Returns the report's path.

    `engine` trains the fits, see `studies.training.engines`; None is `Replicas()`. `data` is a `Dataset` in place of
    the one that the study names, which is looked for in `data_dir`. `published` skips the search and trains with the
    settings that the source reports. `verbose` is 1 for progress on standard error, 0 for none.
    """
    from studies.report.page import write_report

    journal = Journal(out)
    with journal.locked():
        if isinstance(study, SyntheticStudy):
            _run_synthetic(study, journal, verbose)
        elif isinstance(study, LineupStudy):
            _run_lineup(study, journal, engine or Replicas(), verbose)
        else:
            loaded = data or official.load(study.data, data_dir)
            _run_network(study, loaded, journal, engine or Replicas(), published, verbose)
        return write_report(out)


def _run_synthetic(study: SyntheticStudy, journal: Journal, verbose: int) -> None:
    _let_xla_compile_loops_whole()
    import_keras()
    from studies.training.walks import walk_all

    walks = walks_of(study)
    journal.plan(study, walks)
    with Progress(f"{study.name}: walks", journal, walks, quiet=not verbose):
        walk_all(study, journal)


def _let_xla_compile_loops_whole() -> None:
    """Ask XLA to make one function of a loop whose step touches up to 200 kB, not only 1 kB: 6 times faster walks.

    XLA reads the variable once, before it first compiles, and passes over an option that it does not know.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        option = "xla_cpu_small_while_loop_byte_threshold=200000"
        os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_extra_options={option}".strip()


def _run_network(
    study: NetworkStudy, loaded: Dataset, journal: Journal, engine: Engine, published: bool, verbose: int
) -> None:
    """Search for each arm's setting, unless the study has no search or the source's settings are asked for; repeat."""
    data = loaded.prepared(study)
    import_keras()
    from studies.training import repeats, search

    arms: Sequence[Arm] = study.arms
    searched: list[Fit] = []
    findings = _findings(study, loaded, data)
    if published:
        study, arms = study.as_variant(PUBLISHED), [arm.at(study.published[arm.optimizer]) for arm in arms]
    train = _stages(study, data, journal, engine, verbose)
    if study.search and not published:
        searched = [fit for arm in arms for fit in search.search_fits(study, data, arm)]
        journal.plan(study, searched, findings)
        if study.own_command and verbose and not all(journal.path(fit).exists() for fit in searched):
            _say_cost(study, data, engine)
        progress = train("search", searched)
        chosen = [search.tune(study, data, arm, journal) for arm in arms]
        _note_chosen(progress, arms, chosen)
        arms = [arm.at(setting) for arm, setting in zip(arms, chosen, strict=True)]
    repeated = repeats.repeat_fits(study, data, arms)
    journal.plan(study, searched + repeated, findings)
    train("repeated training", repeated)


def _run_lineup(study: LineupStudy, journal: Journal, engine: Engine, verbose: int) -> None:
    """Tune every arm on each problem, and run each at the learning rate that was chosen; monitor Adam."""
    import_keras()
    from studies import lineup

    for problem in study.problems.values():
        one, data = lineup.study_of(problem, study)
        _run_problem(one, data, journal, engine, verbose)


def _run_problem(study: LineupStudy, data: Dataset, journal: Journal, engine: Engine, verbose: int) -> None:
    from studies.training import lineup, monitor

    train = _stages(study, data, journal, engine, verbose)
    tuning = [fit for arm in study.arms for fit in lineup.tuning_fits(study, data, arm)]
    findings = Findings(data_rows=(len(data.y_train), len(data.y_test)))
    journal.plan(study, tuning, findings)
    progress = train(TUNING, tuning)
    chosen = [lineup.tune(study, data, arm, journal) for arm in study.arms]
    _note_chosen(progress, study.arms, chosen)
    arms = [arm.at(setting) for arm, setting in zip(study.arms, chosen, strict=True)]
    final = [fit for arm in arms for fit in lineup.final_fits(study, data, arm)]
    monitored = lineup.monitor_fit(study, data, chosen[0])
    journal.plan(study, [*tuning, *final, monitored], findings)
    train(FINAL, final)
    monitor.train(monitored, data, journal)


def _stages(
    study: NetworkStudy, data: Dataset, journal: Journal, engine: Engine, verbose: int
) -> Callable[[str, list[Fit]], Progress]:
    """Return a function that trains the fits of a stage of a study, and returns their progress."""

    def train(stage: str, fits: list[Fit]) -> Progress:
        with Progress(f"{study.label}: {stage}", journal, fits, quiet=not verbose) as progress:
            engine.train(fits, Workspace(data, journal, progress))
        return progress

    return train


def _note_chosen(progress: Progress, arms: Sequence[Arm], chosen: Sequence[Setting]) -> None:
    progress.note("chose " + "; ".join(f"{s} for {arm.label}" for arm, s in zip(arms, chosen, strict=True)))


def _say_cost(study: NetworkStudy, data: Dataset, engine: Engine) -> None:
    """Say how long a comparison will take at most. Replicas take less, how much less depends on the network."""
    from studies.training import estimate

    jobs = engine.jobs if isinstance(engine, Processes) else 1
    text = estimate.in_words(study, len(data.y_train), estimate.speed_of(study, data), jobs)
    if text:
        print(f"studies: {study.label} takes {text}.", file=sys.stderr)


def _findings(study: NetworkStudy, loaded: Dataset, data: Dataset) -> Findings:
    """Return what only a run finds out about its data and network, for the report."""
    from studies.report import cost
    from studies.training.build import network_of

    findings = Findings(loaded.note, (len(loaded.y_train), len(loaded.y_test)))
    if study.name not in STUDIES:  # layers of one's own may mean anything by `kernel`
        return findings
    model = network_of(fit_of(study, data, study.arms[0], "repeat", study.epochs), data)()
    return dataclasses.replace(findings, row_operations=cost.of_row(model))
