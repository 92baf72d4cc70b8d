"""How Keras starts in a study: multiplying in full float32, and without the notes that TensorFlow writes meanwhile.

No variable silences these: TensorFlow writes them before it has read TF_CPP_MIN_LOG_LEVEL, to the standard error of the
process, past Python. Whatever else is written meanwhile is passed on.
"""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

NOTE = re.compile(rb"I\d{4} \d\d:\d\d:|WARNING: All log messages before absl::InitializeLog\(\)")

# On a GPU of 2020 or later, products and convolutions of float32 numbers may round their factors to 11 bits (TF32). The
# sources are older, and a study is to say the same on every device. JAX reads the first, NVIDIA's libraries the second.
FULL_FLOAT32 = {"JAX_DEFAULT_MATMUL_PRECISION": "highest", "NVIDIA_TF32_OVERRIDE": "0"}


def import_keras() -> None:
    """Import Keras, and with it the backend, which takes `FULL_FLOAT32` from the environment unless it is set there."""
    for name, value in FULL_FLOAT32.items():
        os.environ.setdefault(name, value)
    if "keras" not in sys.modules:
        with without_notes() if sys.stderr else contextlib.nullcontext():  # None where it is closed
            import keras_amsgrad  # noqa: F401 - imports Keras; where its backend is missing, it names the extra


@contextlib.contextmanager
def without_notes() -> Iterator[None]:
    """Hold back what is written to standard error in this context; then pass it on, less the lines that are notes."""
    sys.stderr.flush()
    errors = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(errors, 2)
            os.close(errors)
            held.seek(0)
            for line in held:
                if not NOTE.match(line):
                    os.write(2, line)
