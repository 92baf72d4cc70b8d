"""Import Keras without the notes that TensorFlow writes while it starts.

No variable silences these: TensorFlow writes them before it has read TF_CPP_MIN_LOG_LEVEL, to the standard error of the
process, past Python. Whatever else is written meanwhile is passed on.
"""

import contextlib
import os
import re
import sys
import tempfile

NOTE = re.compile(rb"I\d{4} \d\d:\d\d:|WARNING: All log messages before absl::InitializeLog\(\)")


def import_keras():
    """Import Keras, and with it the backend."""
    if "keras" not in sys.modules:
        with without_notes() if sys.stderr else contextlib.nullcontext():  # None where it is closed
            import keras  # noqa: F401


@contextlib.contextmanager
def without_notes():
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
