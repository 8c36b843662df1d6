"""What a reader is: the files it takes, by suffix, and one function that makes a data set of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from clustlab.data.dataset import Dataset

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """A format of files.

    Attributes
    ----------
    title : str
        What a person calls it.
    suffixes : tuple of str
        How its names end, lower case, with the dot.
    read : callable
        Takes a path that exists and the options behind its ``?``, and returns the data set; it executes and unpickles
        nothing, checks sizes before it reads, and raises DataError otherwise.
    options : tuple of str
        Names that may stand behind the ``?``.
    folders : bool
        Whether it reads folders too.
    """

    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, Mapping[str, str]], Dataset]
    options: tuple[str, ...] = ()
    folders: bool = False
