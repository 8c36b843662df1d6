"""NumPy's ``.npy``: one array of samples, left in its file, so that it may be larger than memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from clustlab.data import checking
from clustlab.data.dataset import Dataset
from clustlab.data.mapped import MappedArray, pieces
from clustlab.data.readers.base import Reader
from clustlab.data.readers.npz import UNREADABLE, read_header
from clustlab.errors import DataError

__all__ = ["read_npy"]


def read_npy(path: Path, options: Mapping[str, str]) -> Dataset:
    """Return the data set in an ``.npy`` file, memory-mapped.

    The file holds the samples, a numeric array (n, D), (n, h, w), (n, h, w, 1) or (n, h, w, 3). ``?labels=y.npy`` names
    a second file beside it that holds a class for each, whole numbers or texts (n,). All samples are read once, a few
    thousand at a time, to see that they are numbers.

    Raises
    ------
    DataError
        If a file is damaged or holds something else, or the classes are not beside the samples.
    """
    stored = _mapped(path)
    form = checking.form(path.name, stored)
    checking.check_precision(path.name, stored)
    x = MappedArray(path, form.divisor)
    largest = checking.content(path.name, pieces(x), form)
    if form.kind == "images" and largest > 1:
        x = MappedArray(path, form.divisor * largest)
    y, names = _classes(path, options["labels"], len(x)) if "labels" in options else (None, ())
    return Dataset(path.stem, path.stem, x, y, names, form.kind)


def _classes(path: Path, name: str, n: int) -> tuple[np.ndarray, tuple[str, ...]]:
    beside = path.parent / name
    if name != Path(name).name or not beside.is_file():
        raise DataError(f"there is no file “{checking.plain(name)}” with classes beside {path.name}")
    stored = _mapped(beside)
    checking.check_room(name, stored.shape, stored.dtype.itemsize)
    return checking.classes(name, np.array(stored), n)


def _mapped(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as stream:
            shape, dtype = read_header(path.name, stream)
            size = path.stat().st_size - stream.tell()
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != size:
            raise DataError(f"{path.name} has not the size that it says; copy or save it again")
        if not size:
            raise DataError(f"{path.name} holds nothing")
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(f"{path.name} is damaged, or not an .npy file, and cannot be read") from error


READER = Reader(title="a NumPy array", suffixes=(".npy",), read=read_npy, options=("labels",))
