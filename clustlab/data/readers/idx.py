"""IDX, the format of the original MNIST files: images in one file, their classes in another one named alike."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from clustlab.data import checking
from clustlab.data.dataset import Dataset
from clustlab.data.readers.base import Reader
from clustlab.errors import DataError

__all__ = ["READER", "read_idx"]

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The third byte of a file names the type of its values; the fourth, the number of its axes."""

MOST_AXES = 4
GZIP = ".gz"


def read_idx(path: Path, options: Mapping[str, str]) -> Dataset:
    """Return the images of an IDX file, plain or gzipped, with the classes in the file beside it, if there is one.

    ``train-images-idx3-ubyte.gz`` goes with ``train-labels-idx1-ubyte.gz`` or ``train-labels-idx1-ubyte``.

    Raises
    ------
    DataError
        If a file is damaged, too large, or holds classes where samples are wanted.
    """
    x = _read(path)
    if x.ndim < 2:
        raise DataError(f"{path.name} has one value a sample, as files of classes have; name the file of the images")
    partner = _partner(path)
    samples, kind = checking.samples(path.name, x)
    y, names = (None, ()) if partner is None else checking.classes(partner.name, _read(partner), len(x))
    name = path.name.removesuffix(GZIP).partition(".")[0]
    notes = (f"Classes are those of {partner.name}.",) if partner else ()
    return Dataset(name, name, samples, y, names, kind, notes)


def _partner(path: Path) -> Path | None:
    """Return the file of classes that is named like a file of images, if it is there."""
    plain = path.name.removesuffix(GZIP)
    if "images" not in plain:
        return None
    named = plain.replace("images", "labels")
    for axes in ("idx2", "idx3", "idx4"):
        named = named.replace(axes, "idx1")
    return next((there for end in ("", GZIP) if (there := path.with_name(named + end)).is_file()), None)


def _read(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as stream:
            packed = path.name.lower().endswith(GZIP)
            return _values(path.name, gzip.GzipFile(fileobj=stream) if packed else stream)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} is damaged and cannot be read ({checking.plain(error)})") from error


def _values(file: str, stream: BinaryIO | gzip.GzipFile) -> np.ndarray:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES or not 1 <= start[3] <= MOST_AXES:
        raise DataError(f"{file} is not an IDX file of 1 to {MOST_AXES} axes")
    header = stream.read(4 * start[3])
    if len(header) < 4 * start[3]:
        raise DataError(f"{file} is cut off; copy it again")
    shape = tuple(int(side) for side in np.frombuffer(header, ">u4"))
    kind = np.dtype(TYPES[start[2]])
    checking.check_room(file, shape, max(4, kind.itemsize))
    size = math.prod(shape) * kind.itemsize
    content = stream.read(size + 1)  # one byte more tells whether the file goes on, and never reads a bomb
    if len(content) != size:
        reason = "is cut off; copy it again" if len(content) < size else "is longer than it says; copy it again"
        raise DataError(f"{file} {reason}")
    return np.frombuffer(content, kind).reshape(shape)


READER = Reader(
    title="IDX files",
    suffixes=("-ubyte", "-ubyte.gz", ".idx", ".idx.gz"),
    read=read_idx,
)
