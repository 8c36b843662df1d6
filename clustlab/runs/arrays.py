"""Opening the ``.npz`` files of a run folder: a damaged one is a sentence, not one of the many errors of zipfile."""

from __future__ import annotations

import contextlib
import errno
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from numpy.lib.npyio import NpzFile

from clustlab.errors import DamagedError, RunError

__all__ = ["DAMAGED", "opened_arrays"]

DAMAGED = (
    *(ValueError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error),
    *(SyntaxError, tokenize.TokenError),  # the header of an array is Python text
)
"""What zipfile and numpy raise while they read a damaged, encrypted or exotic archive."""


@contextlib.contextmanager
def opened_arrays(path: Path) -> Iterator[NpzFile]:
    """Open a file of arrays for the length of a ``with`` block.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If it is not there.
    DamagedError
        If it is damaged, which shows when an array is read.
    RunError
        If it cannot be read now: no permission, too many open files, a disk that does not answer.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        with path.open("rb") as stream, NpzFile(stream, allow_pickle=False) as file:
            yield file
    except (FileNotFoundError, NotADirectoryError):
        raise
    except DAMAGED as error:
        raise DamagedError(f"the file {name} is damaged ({error})") from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a damaged directory of the archive leads to a place before its beginning
            raise DamagedError(f"the file {name} is damaged ({error})") from error
        raise RunError(f"the file {name} cannot be read ({error.strerror or error})") from error
