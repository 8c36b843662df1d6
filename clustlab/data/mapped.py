"""Samples that stay in their file and are read where they are needed: data larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clustlab.data.checking import CHUNK, check_room

__all__ = ["MappedArray", "pieces"]


class MappedArray:
    """A ``.npy`` file as an array of float32 of which only the rows asked for are in memory.

    Parameters
    ----------
    path : Path
        A file that has been checked.
    divisor : float
        What its values are divided by: 255 for images of bytes.

    Raises
    ------
    DataError
        Where all rows are asked for at once, as by ``np.asarray``, and would take too much memory.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, path: Path, divisor: float = 1.0) -> None:
        self.path, self.divisor = path, np.float32(divisor)
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        self._stored = stored[..., 0] if stored.ndim == 4 and stored.shape[3] == 1 else stored
        self.shape: tuple[int, ...] = self._stored.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Return the rows, float32, as an array in memory."""
        with np.errstate(over="ignore"):  # what does not fit becomes infinite, and the check refuses it
            x = self._stored[rows].astype(np.float32)
        x /= self.divisor
        return np.asarray(x)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        check_room(self.path.name, self.shape)
        return self[:].astype(dtype or self.dtype, copy=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedArray, (self.path, float(self.divisor))  # the file, not what is in it


def pieces(x: np.ndarray | MappedArray) -> Iterator[np.ndarray]:
    """Return an array whole, or rows of a mapped one that fit into memory, one lot after the other."""
    if isinstance(x, MappedArray):
        yield from (x[at : at + CHUNK] for at in range(0, len(x), CHUNK))
    else:
        yield x
