"""Files that are whole or absent, whatever happens to the process or the machine that writes them."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def durable(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to; when the block ends without an error, its content is on the disk under the name `path`.

    Until then `path` keeps its old content, also when the process is killed or the machine loses power. The file is
    named after the process, `path`.PID.part, for two processes may write the same; one that is killed leaves its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        if os.name == "posix":  # where a folder, which holds the names of its files, can be flushed as well
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    finally:
        aside.unlink(missing_ok=True)
