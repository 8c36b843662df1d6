"""A person's own data: a path, perhaps with options behind a ``?``, and the reader that its suffix asks for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, quote

from clustlab.data.checking import plain
from clustlab.data.dataset import Dataset
from clustlab.data.readers import reader_of, suffixes
from clustlab.errors import DataError

__all__ = ["absolute", "is_path", "is_there", "load_file", "split_options", "with_options"]


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
        If what stands behind the ``?`` is not of the form name=value, or the path begins in a home that nobody has.
    """
    name, mark, rest = text.partition("?")
    if not mark:
        return _at_home(text), {}
    with suppress(DataError):  # with many options, the whole is longer than a name may be
        if is_there(whole := _at_home(text)):
            return whole, {}
    try:
        options = dict(parse_qsl(rest, keep_blank_values=True, strict_parsing=True, max_num_fields=20))
    except ValueError:
        raise DataError(
            f"“{plain(rest)}” behind the ? is not of the form name=value&name=value, as in label=species"
        ) from None
    return _at_home(name), options


def is_there(path: Path) -> bool:
    """Return whether there is a file or folder.

    Raises
    ------
    DataError
        If that cannot be known: the name is too long, or a folder on the way is closed to whoever asks.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from error
    return True


def _at_home(text: str) -> Path:
    """Return a path in which ``~`` has become the folder that it stands for."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise _unusable(text, error) from error


def _unusable(path: str | Path, error: Exception) -> DataError:
    why = getattr(error, "strerror", None) or str(error).rstrip(".")
    return DataError(f"the path {plain(path, 120)} leads to nothing that can be read ({plain(why)})")


def with_options(path: str | Path, options: dict[str, str]) -> str:
    """Return the text that :func:`split_options` takes apart; options are those of the reader."""
    written = "&".join(f"{quote(name)}={quote(value, safe=',')}" for name, value in options.items())
    return f"{path}?{written}" if written else str(path)


def absolute(text: str) -> str:
    """Return the same path from the root, with the options behind it: a worker may be started in another folder.

    Raises
    ------
    DataError
        As :func:`split_options`, and if links on the way lead in a circle.
    """
    path, options = split_options(text)
    try:
        return with_options(path.resolve(), options)
    except (OSError, RuntimeError, ValueError) as error:  # links that lead in a circle
        raise _unusable(path, error) from error


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
    if not is_there(path):
        raise DataError(f"there is no file {path}")
    reader = reader_of(path)
    unknown = [name for name in options if name not in reader.options]
    if unknown:
        allowed, given_option = ", ".join(reader.options) or "nothing", plain(unknown[0], 30)
        raise DataError(
            f"{path.name} cannot be read with “{given_option}”; behind the ? of {reader.title} may stand {allowed}"
        )
    return reader.read(path, options)
