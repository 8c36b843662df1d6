"""Data sources: every way to get samples, each as one :class:`Dataset` of arrays.

Here samples are read, checked and described; nothing is drawn, projected or fed to a network, and scikit-learn is
imported only while a source that needs it loads. To add a source, copy ``blobs.py``: a module of this package that
has a ``SOURCE`` is found by itself.
"""

from __future__ import annotations

import functools

from clustlab import discovery
from clustlab.data.dataset import Dataset, Source
from clustlab.data.files import is_path, load_file
from clustlab.errors import DataError

__all__ = ["Dataset", "Source", "load", "sources"]


@functools.cache
def _discovered() -> dict[str, Source]:
    found = [module.SOURCE for module in discovery.modules(__name__, __path__) if hasattr(module, "SOURCE")]
    return {source.name: source for source in sorted(found, key=lambda source: source.order)}


def sources() -> list[Source]:
    """Return the data sources that come with clustlab, in the order in which a person should meet them."""
    return list(_discovered().values())


def load(name_or_path: str) -> Dataset:
    """Return the data set of a source, or of an ``.npz`` file.

    Parameters
    ----------
    name_or_path : str
        Name of a source, or a path: anything with a folder in it or ending in ``.npz``. A name wins over a file
        of the same name.

    Raises
    ------
    DataError
        If the name is unknown, or the file is missing, damaged or holds something else.
    """
    if name_or_path in _discovered():
        return _discovered()[name_or_path].load()
    if is_path(name_or_path):
        return load_file(name_or_path)
    names = ", ".join(_discovered())
    raise DataError(f"there is no data source “{name_or_path}”; there are {names}, or give the path of an .npz file")
