"""Run one study: search, repeated training, report. What the journal holds already is not done again."""

import dataclasses
import os

from studies import datasets
from studies.catalog import SyntheticStudy
from studies.errors import StudyError
from studies.journal import Journal
from studies.progress import Progress


def run(study, out, *, data_dir=None, published=False, jobs=1):
    """Run a study into the folder `out` and write the report of everything found there. Returns the report's path.

    `published` skips the search and trains with the settings that the source reports. `jobs` is the number of
    processes that train at the same time.
    """
    from studies.report import write_report

    journal = Journal(out)
    if isinstance(study, SyntheticStudy):
        _run_synthetic(study, journal)
    elif published:
        _run_published(study, journal, data_dir, jobs)
    else:
        _run_network(study, journal, data_dir, jobs)
    return write_report(out)


def _run_synthetic(study, journal):
    from studies import synthetic

    walks = synthetic.walks(study)
    journal.plan(study, walks)
    with Progress(f"{study.name}: walks", journal, walks):
        synthetic.walk_all(study, journal)


def _run_network(study, journal, data_dir, jobs):
    data = _prepared(study, data_dir, jobs)
    from studies import search

    fits = {optimizer: search.search_fits(study, data, optimizer) for optimizer in study.optimizers}
    planned = [fit for of_one in fits.values() for fit in of_one]
    journal.plan(study, planned)
    chosen = {}
    for optimizer in study.optimizers:
        with Progress(f"{study.name}: search for {optimizer}", journal, fits[optimizer]) as progress:
            chosen[optimizer] = search.tune(study, data, optimizer, journal, jobs)
            progress.note(f"chose {chosen[optimizer]}")
    _repeat(study, data, chosen, journal, planned, jobs)


def _run_published(study, journal, data_dir, jobs):
    if set(study.published) != set(study.optimizers):
        raise StudyError(f"{study.name}: its source reports no settings. Leave out `--search published`.")
    study = dataclasses.replace(study, variant="published-settings")
    _repeat(study, _prepared(study, data_dir, jobs), study.published, journal, [], jobs)


def _repeat(study, data, chosen, journal, planned, jobs):
    from studies import training

    fits = training.repeat_fits(study, data, chosen)
    journal.plan(study, planned + fits)
    with Progress(f"{study.name}: repeated training", journal, fits):
        training.repeat(fits, data, journal, jobs)


def _prepared(study, data_dir, jobs):
    data = datasets.load(study.data, data_dir).prepared(study)
    # Before TensorFlow starts in the worker processes: each takes its share of the cores.
    if jobs > 1:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    return data
