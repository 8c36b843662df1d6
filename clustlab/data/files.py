"""A person's own data: a path, perhaps with options behind a ``?``, and the reader that its suffix asks for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, quote

from clustlab.data.checking import plain
from clustlab.data.dataset import Dataset
from clustlab.data.readers import reader_of, suffixes
from clustlab.errors import DataError

__all__ = ["absolute", "is_path", "load_file", "split_options", "with_options"]


def is_path(text: str) -> bool:
    """Return whether a text names a file rather than a source: it has a folder in it, or ends like a file we read."""
    name = text.partition("?")[0].lower()
    return "/" in name or "\\" in name or name.endswith(suffixes())


def split_options(text: str) -> tuple[Path, dict[str, str]]:
    """Return the path in a text, and the options behind its ``?``.

    Options are written as in a link: ``iris.csv?label=species&without=id``. A file whose name has a ``?`` wins.

    Raises
    ------
    DataError
        If what stands behind the ``?`` is not of the form name=value.
    """
    whole = Path(text).expanduser()
    name, mark, rest = text.partition("?")
    if not mark or whole.exists():
        return whole, {}
    try:
        options = dict(parse_qsl(rest, keep_blank_values=True, strict_parsing=True, max_num_fields=20))
    except ValueError:
        raise DataError(
            f"“{plain(rest)}” behind the ? is not of the form name=value&name=value, as in label=species"
        ) from None
    return Path(name).expanduser(), options


def with_options(path: str | Path, options: dict[str, str]) -> str:
    """Return the text that :func:`split_options` takes apart; options are those of the reader."""
    written = "&".join(f"{quote(name)}={quote(value, safe=',')}" for name, value in options.items())
    return f"{path}?{written}" if written else str(path)


def absolute(text: str) -> str:
    """Return the same path from the root, with the options behind it: a worker may be started in another folder.

    Raises
    ------
    DataError
        As :func:`split_options`.
    """
    path, options = split_options(text)
    return with_options(path.resolve(), options)


def load_file(given: str | Path) -> Dataset:
    """Return the data set in a file or folder; nothing in it is unpickled or executed.

    Parameters
    ----------
    given : str or Path
        Path, perhaps with options: ``iris.csv?label=species``.

    Raises
    ------
    DataError
        If it is missing, damaged, too large or holds something else.
    """
    path, options = split_options(str(given))
    if not path.exists():
        raise DataError(f"there is no file {path}")
    reader = reader_of(path)
    unknown = [name for name in options if name not in reader.options]
    if unknown:
        allowed, given_option = ", ".join(reader.options) or "nothing", plain(unknown[0], 30)
        raise DataError(
            f"{path.name} cannot be read with “{given_option}”; behind the ? of {reader.title} may stand {allowed}"
        )
    return reader.read(path, options)
