"""What a record says of the machine that made it."""

from importlib.metadata import version

import keras


def machine():
    """Return backend, device, and the versions of what decides about results."""
    packages = ("keras", keras.backend.backend(), "numpy", "scikit-learn")
    return {
        "backend": keras.backend.backend(),
        "device": keras.distribution.list_devices()[0],
        "versions": {name: version(name) for name in packages},
    }
