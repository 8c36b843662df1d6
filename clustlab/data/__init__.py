"""Data sources: every way to get samples, each as one :class:`Dataset` of arrays.

Here samples are fetched, read, checked and described; nothing is drawn, projected or fed to a network, and scikit-learn
is imported only while a source that needs it loads. To add a source, copy ``blobs.py``, or ``mnist.py`` for one that
must be fetched: a module of this package that has a ``SOURCE`` is found by itself. Formats of files are in ``readers``.
"""

from __future__ import annotations

import functools

from clustlab import discovery
from clustlab.data import fetching
from clustlab.data.dataset import Dataset, Download, Report, Source
from clustlab.data.files import is_path, load_file
from clustlab.errors import DataError

__all__ = ["Dataset", "Download", "Report", "Source", "known", "load", "sources"]


@functools.cache
def _discovered() -> dict[str, Source]:
    found = [module.SOURCE for module in discovery.modules(__name__, __path__) if hasattr(module, "SOURCE")]
    return {source.name: source for source in sorted(found, key=lambda source: source.order)}


def sources() -> list[Source]:
    """Return the data sources that clustlab knows, in the order in which a person should meet them."""
    return list(_discovered().values())


def load(name_or_path: str, report: Report | None = None) -> Dataset:
    """Return the data set of a source, or of a file or folder; fetch it first if it must be and has not been.

    Parameters
    ----------
    name_or_path : str
        Name of a source, or a path: anything with a folder in it or ending like a file that can be read, perhaps with
        options as in ``iris.csv?label=species``. A name wins over a file of the same name.
    report : callable, optional
        Told twice a second how far a download is; what it raises calls the download off.

    Raises
    ------
    DataError
        If the name is unknown, the file is missing, damaged or holds something else, or the data cannot be fetched.
    """
    source = _discovered().get(name_or_path)
    if source is None:
        return _from_file(name_or_path)
    if source.download:
        fetching.ensure(source.download, report or (lambda _: None))
    return source.load()


def known(name_or_path: str) -> Dataset | Source:
    """Return a data set as :func:`load` does, but only what is known of it if it would have to be fetched first.

    Raises
    ------
    DataError
        As :func:`load`.
    """
    source = _discovered().get(name_or_path)
    if source is None:
        return _from_file(name_or_path)
    return source if source.download and not fetching.is_here(source.download) else source.load()


def _from_file(path: str) -> Dataset:
    if is_path(path):
        return load_file(path)
    names = ", ".join(_discovered())
    raise DataError(
        f"there is no data source “{path}”; there are {names}, or give the path of a file or folder, as in ./images.npz"
    )
