"""What a record says of the machine that made it. Keras is imported when it is asked, for tables need none."""

from importlib.metadata import version
from typing import Any


def machine() -> dict[str, Any]:
    """Return backend, device, and the versions of what decides about results."""
    import keras

    packages = ("keras", keras.backend.backend(), "numpy", "scikit-learn")
    return {
        "backend": keras.backend.backend(),
        "device": device(),
        "versions": {name: version(name) for name in packages},
    }


def device() -> str:
    """Return the device that Keras's backend puts its arrays on, as "gpu:0"."""
    import keras

    if keras.backend.backend() == "torch":  # for which Keras has no list of devices
        import torch

        return "cuda:0" if torch.cuda.is_available() else "cpu:0"
    return keras.distribution.list_devices()[0]
