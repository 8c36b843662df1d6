"""Readers of a person's own files, one format a file.

Here bytes that nobody vouches for become arrays: sizes, counts and names are checked before anything is read, nothing
is unpickled or executed, and every refusal is one sentence. To read another format, copy ``idx.py``: a module of this
package that has a ``READER`` is found by itself, by the suffixes of its files.
"""

from __future__ import annotations

import functools
from pathlib import Path

from clustlab import discovery
from clustlab.data.readers.base import Reader
from clustlab.errors import DataError

__all__ = ["Reader", "reader_of", "readers", "suffixes"]


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Return the readers that there are."""
    return tuple(module.READER for module in discovery.modules(__name__, __path__) if hasattr(module, "READER"))


def suffixes() -> tuple[str, ...]:
    """Return how the names of files end that can be read."""
    return tuple(suffix for reader in readers() for suffix in reader.suffixes)


def reader_of(path: Path) -> Reader:
    """Return the reader of a file, by its suffix, or of a folder.

    Raises
    ------
    DataError
        If there is none.
    """
    for reader in readers():
        if reader.folders if path.is_dir() else path.name.lower().endswith(reader.suffixes):
            return reader
    raise DataError(f"{path.name} is of no format that can be read; there are {', '.join(suffixes())} and folders")
