"""scikit-learn's searches over a Keras model, with all fits trained as replicas in one program."""

try:
    import filelock  # noqa: F401 - keeps two searches out of one folder
    import scikeras.wrappers  # noqa: F401 - its estimators are what is searched over
    import sklearn.model_selection  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"keras_amsgrad.model_selection needs scikit-learn and scikeras, and filelock ({error}): "
        'pip install "keras_amsgrad[search]"'
    ) from error

from keras_amsgrad.model_selection.fits import ReplicaWarning
from keras_amsgrad.model_selection.kept_fits import ResumeError
from keras_amsgrad.model_selection.search import (
    ReplicaGridSearchCV,
    ReplicaHalvingGridSearchCV,
    ReplicaHalvingRandomSearchCV,
    ReplicaRandomizedSearchCV,
)
from keras_amsgrad.model_selection.tasks import WorkersError

__all__ = [
    "ReplicaGridSearchCV",
    "ReplicaHalvingGridSearchCV",
    "ReplicaHalvingRandomSearchCV",
    "ReplicaRandomizedSearchCV",
    "ReplicaWarning",
    "ResumeError",
    "WorkersError",
]
