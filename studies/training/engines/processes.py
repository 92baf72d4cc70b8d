"""Fits one after another by Keras's `fit`, in this process or in several."""

import os

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from studies.catalog.fit import Fit
from studies.errors import StudyError
from studies.startup import import_keras
from studies.training import repeats
from studies.training.workspace import Workspace


def train(fits: list[Fit], workspace: Workspace, jobs: int) -> None:
    """Train the fits that the journal lacks in `jobs` processes."""
    if jobs > 1:  # read by TensorFlow when it starts in a worker: each takes its share of the cores
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    data, journal = workspace.data, workspace.journal
    try:
        with joblib.parallel_config("loky", n_jobs=jobs, initializer=import_keras):
            joblib.Parallel()(joblib.delayed(repeats.train)(fit, data, journal) for fit in workspace.missing(fits))
    except TerminatedWorkerError as error:
        raise StudyError(
            "A worker process was killed, perhaps for want of memory. Finished fits are kept: run the command "
            "again to continue, with fewer --jobs if it happens again."
        ) from error
