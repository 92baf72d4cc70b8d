"""Fits one after another by Keras's `fit`, in this process or in several."""

import os

import cloudpickle
import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from studies.catalog.fit import Fit
from studies.data.dataset import Dataset
from studies.errors import StudyError
from studies.networks import own
from studies.networks.own import OwnNetwork
from studies.records.journal import Journal
from studies.startup import import_keras
from studies.training import repeats
from studies.training.workspace import Workspace


def train(fits: list[Fit], workspace: Workspace, jobs: int) -> None:
    """Train the fits that the journal lacks in `jobs` processes."""
    if jobs > 1:  # read by TensorFlow when it starts in a worker: each takes its share of the cores
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    data, journal, missing = workspace.data, workspace.journal, workspace.missing(fits)
    networks = own.known({fit.model for fit in missing})
    if jobs > 1:
        _check_can_be_sent(networks)
    try:
        with joblib.parallel_config("loky", n_jobs=jobs, initializer=import_keras):
            joblib.Parallel()(joblib.delayed(_train)(fit, data, journal, networks) for fit in missing)
    except TerminatedWorkerError as error:
        raise StudyError(
            "A worker process was killed, perhaps for want of memory. Finished fits are kept: run the command "
            "again to continue, with fewer --jobs if it happens again."
        ) from error


def _train(fit: Fit, data: Dataset, journal: Journal, networks: dict[str, OwnNetwork]) -> None:
    own.know(networks)
    repeats.train(fit, data, journal)


def _check_can_be_sent(networks: dict[str, OwnNetwork]) -> None:
    """Raise StudyError where a user's function, loss, metric or callback cannot reach another process."""
    try:
        cloudpickle.loads(cloudpickle.dumps(networks))
    except Exception as error:  # whatever pickling an object of the user's does
        reason = " ".join(str(error).split())[:200]
        raise StudyError(f"Your model cannot be sent to other processes; leave out jobs: {reason}") from error
