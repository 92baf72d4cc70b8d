"""What journals share: a folder that one process writes at a time, and records that are whole or set aside.

A record is a `.npz` file of plain arrays and one JSON text, with a checksum; nothing in it is a pickle.
"""

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from keras_amsgrad.durable import durable

# What reading a file raises that is damaged, truncated or not a record.
NOT_WHOLE = (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, NotImplementedError)
END_OF_ZIP = b"PK\5\6"  # begins the last 22 bytes of every .npz file that is complete


@contextlib.contextmanager
def locked(folder: Path, left_behind: Sequence[str]) -> Iterator[None]:
    """Keep other processes out of a folder, which is made where it is missing.

    The lock goes with its process, however that ends. Files that match the patterns `left_behind`, which a killed
    process may have been writing, are removed first.

    Raises:
        filelock.Timeout: Another process has the lock.
        OSError: The folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock", timeout=0):
        for pattern in left_behind:
            for left in folder.glob(pattern):
                left.unlink(missing_ok=True)
        yield


Busy = Timeout


def write(path: Path, content: Any, arrays: Sequence[np.ndarray] = ()) -> None:
    """Write a record that is whole or absent, whatever happens, and on the disk when this returns.

    `content` is what JSON holds; numbers that are not finite are kept.

    Raises:
        OSError: The disk is full, or the folder cannot be written.
    """
    plain = [_plain(array) for array in arrays]
    text = json.dumps([content, [array.dtype.name for array in arrays]])
    with durable(path) as file:
        named = {str(i): array for i, array in enumerate(plain)}
        np.savez(file, record=text, checksum=_checksum(text, plain), **named)  # type: ignore[arg-type]


def read(path: Path) -> tuple[Any, list[np.ndarray]]:
    """Return the content and the arrays of a record.

    Raises:
        OSError: The file is missing or cannot be read.
        NOT_WHOLE: It is not a complete record.
    """
    with np.load(path, allow_pickle=False) as file:
        text = str(file["record"])
        plain = [file[str(i)] for i in range(len(file.files) - 2)]
        if str(file["checksum"]) != _checksum(text, plain):
            raise ValueError("its checksum is wrong")
    content, types = json.loads(text)
    return content, [array.view(np.dtype(name)) for array, name in zip(plain, types, strict=True)]


def looks_whole(path: Path) -> bool:
    """Return whether a file ends as a record does: a look at its last bytes, which says nothing of the others."""
    try:
        with path.open("rb") as file:
            file.seek(-22, os.SEEK_END)
            return file.read(4) == END_OF_ZIP
    except OSError:  # shorter, or gone
        return False


def set_aside(path: Path) -> Path:
    """Give a file that is not whole the suffix `.damaged`, and return its new path."""
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    return aside


def _plain(array: np.ndarray) -> np.ndarray:
    """Return an array as a type that NumPy knows: bfloat16, say, as whole numbers of its size."""
    array = np.ascontiguousarray(array)
    return array.view(f"u{array.itemsize}") if array.dtype.isbuiltin != 1 else array


def _checksum(text: str, arrays: Sequence[np.ndarray]) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()
