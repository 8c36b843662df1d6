"""What a data source gives: :class:`Dataset`, and what is known of it before it is loaded: :class:`Source`."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clustlab.data.mapped import MappedArray, pieces

__all__ = ["Dataset", "Download", "Report", "Source"]

Report = Callable[[str], None]
"""Called about twice a second with a sentence on what is being done; may raise to give up."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples of one data set, in the data's own units.

    Attributes
    ----------
    name : str
        Identifier: the source's name or the file's stem.
    title : str
        What a person calls it.
    x : ndarray or MappedArray of float32, (n, D) or (n, h, w) or (n, h, w, 3)
        The samples; images lie in 0 … 1, the last axis being red, green, blue. Mapped ones stay in their file.
    y : ndarray of int64, (n,), or None
        Class of each sample, an index into ``class_names``. Classes are for scoring and colouring only: nothing that
        trains may look at them.
    class_names : tuple of str
        Names of the classes; empty where there are none.
    kind : {"images", "vectors"}
        How a sample is drawn.
    notes : tuple of str
        What was done to the samples on the way, a sentence each: which column gave the classes, how many images were
        resized, which network made the features.
    """

    name: str
    title: str
    x: np.ndarray | MappedArray
    y: np.ndarray | None
    class_names: tuple[str, ...]
    kind: Literal["images", "vectors"]
    notes: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: ``(D,)``, ``(h, w)`` or ``(h, w, 3)``."""
        return tuple(self.x.shape[1:])

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 where samples have no class."""
        return len(self.class_names)

    @functools.cached_property
    def digests(self) -> dict[str, str]:
        """Fingerprints of ``samples`` and of ``classes``, 16 hexadecimal digits each: what has changed has another."""
        samples = hashlib.blake2b(repr(self.x.shape).encode(), digest_size=8)
        for each in pieces(self.x):
            samples.update(np.ascontiguousarray(each).data)
        classes = hashlib.blake2b(repr(self.class_names).encode(), digest_size=8)
        if self.y is not None:
            classes.update(np.ascontiguousarray(self.y).data)
        return {"samples": samples.hexdigest(), "classes": classes.hexdigest()}

    @functools.cached_property
    def value_range(self) -> tuple[float, float]:
        """Smallest and largest value that a feature can be drawn with: 0 and 1 for images."""
        if self.kind == "images":
            return 0.0, 1.0
        smallest, largest = zip(*((each.min(), each.max()) for each in pieces(self.x)), strict=True)
        return float(min(smallest)), float(max(largest))

    @functools.cached_property
    def scale(self) -> float:
        r"""The one factor :math:`\sqrt{\mathrm{mean}(x^2)}` by which networks see the data divided.

        After division :math:`\frac{1}{D}\|x_i\|_2^2` is 1 on average, as in §4 of the DEC paper (Xie, Girshick and
        Farhadi 2016), so that settings carry over between data sets. It needs no labels. Data that are zero
        throughout have the scale 1.
        """
        squares = sum(float(np.sum(np.square(each, dtype=np.float64))) for each in pieces(self.x))
        return float(np.sqrt(squares / math.prod(self.x.shape))) or 1.0

    def scaled(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Return samples, all of them or some rows, divided by :attr:`scale`, float32.

        Raises
        ------
        DataError
            If all samples are asked for, lie in a file and would take too much memory.
        """
        x = np.asarray(self.x) if rows is None else self.x[rows]
        return np.asarray(x / np.float32(self.scale), dtype=np.float32)


@dataclass(frozen=True)
class Download:
    """What must be fetched once before a source can be loaded.

    Attributes
    ----------
    name : str
        Identifier; also the stem of the file that is kept.
    title : str
        What a person calls it.
    origin : str
        Who gives it away, as a person would name the place: ``openml.org``.
    megabytes : int
        About how much is transferred.
    build : callable
        Fetches everything into an empty folder that it may fill as it likes, and returns the arrays to keep.
    """

    name: str
    title: str
    origin: str
    megabytes: int
    build: Callable[[Path], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Source:
    """A data set that clustlab knows, described without loading it.

    Attributes
    ----------
    name : str
        Identifier, as in ``RunSpec.data``.
    title, description : str
        What a person calls it, and one sentence on what it is good for.
    n : int
        Number of samples.
    shape : tuple of int
        Shape of one sample.
    n_classes : int
        Number of classes.
    load : callable
        Returns the :class:`Dataset`; contacts no other computer.
    order : int
        Position in lists; small numbers come first.
    download : Download, optional
        What ``load`` must find on this computer, for data that do not come with clustlab.
    """

    name: str
    title: str
    description: str
    n: int
    shape: tuple[int, ...]
    n_classes: int
    load: Callable[[], Dataset]
    order: int = 100
    download: Download | None = None

    @property
    def kind(self) -> Literal["images", "vectors"]:
        """How a sample is drawn."""
        return "images" if len(self.shape) > 1 else "vectors"
