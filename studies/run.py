"""Run one study: search, repeated training, report. What the journal holds already is not done again."""

import dataclasses
import functools
import os

from studies import datasets
from studies.catalog import STUDIES, SyntheticStudy
from studies.journal import Journal, fit_of
from studies.progress import Progress
from studies.startup import import_keras
from studies.workers import processes, train_on_dask


def run(
    study,
    out,
    *,
    data=None,
    data_dir=None,
    published=False,
    jobs=1,
    engine="replicas",
    dask=None,
    together=None,
    verbose=1,
):
    """Run a study into the folder `out` and write the report of everything found there. Returns the report's path.

    `data` is a `Dataset` in place of the one that the study names, which is looked for in `data_dir`. `published` skips
    the search and trains with the settings that the source reports. `engine` is "replicas" (all fits as one program) or
    "gridsearch" (one after another by scikit-learn, in `jobs` processes); `dask` is the address of a Dask scheduler
    whose workers train instead, and see the same results folder. At most `together` replicas train as one chunk; None
    leaves that to the engine. `verbose` is 1 for progress on standard error, 0 for none.
    """
    from studies.report import write_report

    journal, shown = Journal(out), functools.partial(Progress, quiet=not verbose)
    with journal.locked(), processes(jobs):
        if isinstance(study, SyntheticStudy):
            _run_synthetic(study, journal, shown)
        else:
            loaded = data or datasets.load(study.data, data_dir)
            _run_network(study, journal, shown, loaded, data_dir, published, engine, dask, together)
        return write_report(out)


def _run_synthetic(study, journal, shown):
    _let_xla_compile_loops_whole()
    import_keras()
    from studies import synthetic

    walks = synthetic.walks(study)
    journal.plan(study, walks)
    with shown(f"{study.name}: walks", journal, walks):
        synthetic.walk_all(study, journal)


def _let_xla_compile_loops_whole():
    """Ask XLA to make one function of a loop whose step touches up to 200 kB, not only 1 kB: 6 times faster walks.

    XLA reads the variable once, before it first compiles, and passes over an option that it does not know.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        option = "xla_cpu_small_while_loop_byte_threshold=200000"
        os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_extra_options={option}".strip()


def _run_network(study, journal, shown, loaded, data_dir, published, engine, dask, together):
    data = loaded.prepared(study)
    import_keras()
    from studies import cost, search, training
    from studies.parts import network_of
    from studies.replicas import train_as_replicas

    study = dataclasses.replace(study, data_note=loaded.note, data_rows=(len(loaded.y_train), len(loaded.y_test)))
    if study.name in STUDIES:  # layers of one's own may mean anything by `kernel`
        model = network_of(fit_of(study, data, study.arms[0], "repeat", study.epochs), data)()
        study = dataclasses.replace(study, row_operations=cost.of_row(model))

    def train_ahead(fits, progress):
        if dask:
            train_on_dask(dask, fits, study, data_dir, journal)
        elif engine == "replicas":
            train_as_replicas(fits, study, data, journal, progress, together)

    searched, arms = [], study.arms
    if published:
        study, arms = study.as_variant("published-settings"), [arm.at(study.published[arm.optimizer]) for arm in arms]
    elif study.search:
        searched = [fit for arm in arms for fit in search.search_fits(study, data, arm)]
        journal.plan(study, searched)
        with shown(f"{study.label}: search", journal, searched) as progress:
            train_ahead(searched, progress)
            chosen = [search.tune(study, data, arm, journal) for arm in arms]
            progress.note("chose " + "; ".join(f"{s} for {arm.label}" for arm, s in zip(arms, chosen, strict=True)))
        arms = [arm.at(setting) for arm, setting in zip(arms, chosen, strict=True)]
    repeats = training.repeat_fits(study, data, arms)
    journal.plan(study, searched + repeats)
    with shown(f"{study.label}: repeated training", journal, repeats) as progress:
        train_ahead(repeats, progress)
        training.repeat(repeats, study, data, journal)
