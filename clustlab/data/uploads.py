"""Files that came through the browser, kept on disk so that a run can be resumed from them."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from clustlab.data.fetching import kept_folder
from clustlab.data.readers import suffixes
from clustlab.errors import ClustlabError, DataError

__all__ = ["keep", "keeping"]

MOST_FILES = 4
"""An upload is one data set: images and classes of IDX are two files."""

CHUNK = 2**20


def keep(files: Mapping[str, BinaryIO]) -> Path:
    """Return the path of an upload on disk; the same content is kept once.

    Of several files, which lie side by side then, the path is that of the first that is not named like classes.

    Parameters
    ----------
    files : mapping of str to binary stream
        Content by the name that the browser gives; of the name only harmless characters and the suffix are kept.

    Raises
    ------
    DataError
        If there are too many, one is of no format that can be read, or they cannot be written.
    """
    names = {name: _harmless(name) for name in files}
    if not 0 < len(set(names.values())) == len(files) <= MOST_FILES:
        raise DataError(
            f"an upload is one data set of 1 to {MOST_FILES} files with different names; there are {len(files)}"
        )
    wrong = next((name for name in names.values() if not name.lower().endswith(suffixes())), None)
    if wrong:
        raise DataError(f"{wrong} is of no format that can be read; there are {', '.join(suffixes())}")
    try:
        folder = _kept(files, names)
    except OSError as error:
        raise DataError(f"the upload cannot be kept in {kept_folder('uploads')} ({error.strerror})") from error
    return folder / next((name for name in names.values() if "labels" not in name), next(iter(names.values())))


@contextmanager
def keeping(files: Mapping[str, BinaryIO]) -> Iterator[Path]:
    """Offer the path of an upload for the length of a ``with`` block; what cannot be read in there is not kept.

    An upload that was there before stays whatever happens: a run may have been trained on it.

    Parameters
    ----------
    files : mapping of str to binary stream
        As for :func:`keep`, which says what is refused.
    """
    folder = kept_folder("uploads")
    before = {place.name for place in folder.iterdir()} if folder.is_dir() else set()
    path = keep(files)
    try:
        yield path
    except ClustlabError:
        if path.parent.name not in before:
            shutil.rmtree(path.parent, ignore_errors=True)
        raise


def _kept(files: Mapping[str, BinaryIO], names: Mapping[str, str]) -> Path:
    folder = kept_folder("uploads")
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    aside = Path(tempfile.mkdtemp(dir=folder, prefix="."))
    try:
        for given, name in sorted(names.items(), key=lambda item: item[1]):
            digest.update(name.encode())
            files[given].seek(0)
            with (aside / name).open("wb") as target:
                while chunk := files[given].read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
        place = folder / digest.hexdigest()[:16]
        if not place.exists():
            aside.replace(place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return place


def _harmless(name: str) -> str:
    """Return a file name without folders and without characters that mean something to a shell, a link or a path."""
    return re.sub(r"[^\w.-]+", "-", Path(name.replace("\\", "/")).name).strip(".-")[-80:] or "file"
