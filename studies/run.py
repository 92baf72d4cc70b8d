"""Run one study: search, repeated training, report. What the journal holds already is not done again."""

import dataclasses

from studies import datasets
from studies.catalog import SyntheticStudy
from studies.errors import StudyError
from studies.journal import Journal
from studies.progress import Progress
from studies.workers import spread


def run(study, out, *, data_dir=None, published=False, jobs=1, dask=None):
    """Run a study into the folder `out` and write the report of everything found there. Returns the report's path.

    `published` skips the search and trains with the settings that the source reports. `jobs` is the number of
    processes that train at the same time; `dask` is the address of a Dask scheduler whose workers train instead, and
    see the same results folder.
    """
    from studies.report import write_report

    journal = Journal(out)
    with journal.locked(), spread(jobs, dask):
        if isinstance(study, SyntheticStudy):
            _run_synthetic(study, journal)
        elif published:
            _run_published(study, journal, data_dir)
        else:
            _run_network(study, journal, data_dir)
        return write_report(out)


def _run_synthetic(study, journal):
    from studies import synthetic

    walks = synthetic.walks(study)
    journal.plan(study, walks)
    with Progress(f"{study.name}: walks", journal, walks):
        synthetic.walk_all(study, journal)


def _run_network(study, journal, data_dir):
    data = datasets.load(study.data, data_dir).prepared(study)
    from studies import search

    fits = {optimizer: search.search_fits(study, data, optimizer) for optimizer in study.optimizers}
    planned = [fit for of_one in fits.values() for fit in of_one]
    journal.plan(study, planned)
    chosen = {}
    for optimizer in study.optimizers:
        with Progress(f"{study.name}: search for {optimizer}", journal, fits[optimizer]) as progress:
            chosen[optimizer] = search.tune(study, data, optimizer, journal)
            progress.note(f"chose {chosen[optimizer]}")
    _repeat(study, data, chosen, journal, planned)


def _run_published(study, journal, data_dir):
    if set(study.published) != set(study.optimizers):
        raise StudyError(f"{study.name}: its source reports no settings. Leave out `--search published`.")
    study = dataclasses.replace(study, variant="published-settings")
    data = datasets.load(study.data, data_dir).prepared(study)
    _repeat(study, data, study.published, journal, planned=[])


def _repeat(study, data, chosen, journal, planned):
    from studies import training

    fits = training.repeat_fits(study, data, chosen)
    journal.plan(study, planned + fits)
    with Progress(f"{study.name}: repeated training", journal, fits):
        training.repeat(fits, data, journal)
