"""Opening the ``.npz`` files of a run folder: a damaged one is a sentence, not one of the many errors of zipfile."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from numpy.lib.npyio import NpzFile

from clustlab.errors import RunError

__all__ = ["DAMAGED", "opened_arrays"]

DAMAGED = (OSError, ValueError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What zipfile raises while it reads a damaged, encrypted or exotic archive."""


@contextlib.contextmanager
def opened_arrays(path: Path) -> Iterator[NpzFile]:
    """Open a file of arrays for the length of a ``with`` block.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    RunError
        If it is damaged, which shows when an array is read.
    """
    try:
        with path.open("rb") as stream, NpzFile(stream, allow_pickle=False) as file:
            yield file
    except FileNotFoundError:
        raise
    except DAMAGED as error:
        raise RunError(f"the file {path.parent.name}/{path.name} is damaged ({error})") from error
