"""Tables: CSV, TSV and Parquet. Columns of numbers are features, one column may hold the classes."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from clustlab.data import checking
from clustlab.data.dataset import Dataset
from clustlab.data.readers.base import Reader
from clustlab.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LABELS", "READER", "columns", "default_label", "default_without", "join_names", "read_table", "split_names"]

CLASSES = ("label", "class", "target")
"""Columns of such a name, upper or lower case, hold classes: they are features only if that is said."""

LABELS = (*CLASSES, "y")
"""Columns of such a name hold the classes unless another one is named; the first one wins. A y may be a coordinate."""

NAMELESS = re.compile(r"(Unnamed: \d+(\.\d+)*)?")
"""What pandas calls a column without a name, and writes if it is saved again: as a rule, its index."""

MOST_FILE_BYTES = 2**30
MOST_COLUMNS = 20_000
MOST_FIRST_LINE = 2**20
MOST_CATEGORIES = 100
"""Different values that a column may have to be taken apart into one feature each."""

SHOWN = 5
"""Names that a sentence lists."""

CHUNK = 2**22


def read_table(path: Path, options: Mapping[str, str]) -> Dataset:
    """Return the rows of a table as vectors, in the units of its columns.

    Parameters
    ----------
    path : Path
        CSV or TSV with the names of the columns in the first line (UTF-8; a comma or a semicolon between values), or
        Parquet.
    options : mapping
        ``label`` names the column of classes, empty for none; ``features`` names the columns to take instead of all
        others but those of :func:`default_without`; ``with`` those of these to take all the same; ``without`` those to
        leave out; ``one-hot`` those whose values become a feature each. Several names stand with commas between them,
        as in a line of CSV: one that holds a comma stands in double quotes.

    Raises
    ------
    DataError
        If the table is damaged or too large, a column is not there, values are missing, or a feature is no number.
    """
    frame = _frame(path)
    if len(frame) < 2:
        raise DataError(f"{path.name} has {len(frame)} rows; it takes at least two samples")
    names = list(frame.columns)
    label = options["label"].strip() if "label" in options else default_label(names)
    with_, without, one_hot, features = (
        split_names(options.get(option, "")) for option in ("with", "without", "one-hot", "features")
    )
    _must_be_there(path.name, frame, [name for name in (label, *features, *with_, *without, *one_hot) if name])
    said = {*features, *with_, *without, *one_hot}
    left_out = {} if features else {n: why for n, why in default_without(names, label).items() if n not in said}
    features = [name for name in features or names if name not in {label, *without, *left_out}]
    if not features:
        raise DataError(f"{path.name} has no column left to take features from")
    if stray := [name for name in one_hot if name not in features]:
        raise DataError(f"one-hot takes features apart, and “{checking.plain(stray[0], 40)}” of {path.name} is none")
    _must_be_whole(path.name, frame[features + ([label] if label else [])])
    x, kind = checking.samples(path.name, *_numbers(path.name, frame[features], one_hot))
    notes = (f"Classes are the column “{label}”." if label else "No column holds classes.", *_told(left_out))
    if not label:
        return Dataset(path.stem, path.stem, x, None, (), kind, notes)
    called = f"column “{checking.plain(label, 40)}” of {path.name}"
    y, class_names = checking.classes(called, _labels(frame[label]), len(x))
    return Dataset(path.stem, path.stem, x, y, class_names, kind, notes)


def columns(path: Path) -> list[str]:
    """Return the names of the columns of a table without reading the rest.

    Raises
    ------
    DataError
        If the table cannot be read.
    """
    return list(_frame(path, header_only=True).columns)


def default_label(names: Sequence[str]) -> str:
    """Return the column that holds the classes if nobody says which: one of :data:`LABELS`; empty if there is none."""
    return next((name for wanted in LABELS for name in names if name.lower() == wanted), "")


def default_without(names: Sequence[str], label: str) -> dict[str, str]:
    """Return the columns that are no features unless that is said, and why."""
    nameless = dict.fromkeys(filter(NAMELESS.fullmatch, names), "without a name")
    called = {name: "called like classes" for name in names if name.lower() in CLASSES}
    return {name: why for name, why in (nameless | called).items() if name != label}


def _told(left_out: Mapping[str, str]) -> Iterator[str]:
    """Say which columns nobody asked to leave out."""
    for why in dict.fromkeys(left_out.values()):
        yield f"Left out, being {why}: {_listed([name or '(empty)' for name in left_out if left_out[name] == why])}."


def split_names(text: str) -> list[str]:
    """Return the names of columns in a line of CSV."""
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), []) if name.strip()]


def join_names(names: Sequence[str]) -> str:
    """Return the line that :func:`split_names` takes apart."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def _frame(path: Path, *, header_only: bool = False) -> pd.DataFrame:
    if path.stat().st_size > MOST_FILE_BYTES:
        raise DataError(
            f"{path.name} is larger than {MOST_FILE_BYTES / 2**30:.0f} GiB; save its numbers as .npz instead"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pandas warns where it would drop values of a ragged line
            frame = _parquet(path, header_only) if path.suffix.lower() == ".parquet" else _text(path, header_only)
        return frame.rename(columns=lambda name: str(name).strip())
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not text in UTF-8; save it so") from error
    except (OSError, ValueError, Warning, MemoryError, NotImplementedError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read as a table ({_reason(error)})") from error


def _reason(error: BaseException) -> str:
    """Return why a table cannot be read, in words; a ragged line is what it nearly always is."""
    ragged = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if ragged:
        return f"line {ragged[2]} has {ragged[3]} values where {ragged[1]} are wanted"
    if isinstance(error, Warning):
        return "its lines hold more values than the first line has names"
    return checking.plain(error, 110) or "it is damaged"


def _text(path: Path, header_only: bool) -> pd.DataFrame:
    import pandas as pd

    separator = _check_first_line(path)
    with path.open("rb") as content:
        if any(b"\0" in chunk for chunk in iter(lambda: content.read(CHUNK), b"")):
            raise DataError(f"{path.name} holds NUL bytes, so it is no text")
    return pd.read_csv(
        path,
        sep=separator,
        skipinitialspace=True,
        encoding="utf-8-sig",
        index_col=False,
        low_memory=False,
        nrows=0 if header_only else None,
    )


def _check_first_line(path: Path) -> str:
    """Return what separates values, after seeing that the first line names each column once."""
    with path.open(encoding="utf-8-sig", errors="strict", newline="") as stream:
        first = stream.readline(MOST_FIRST_LINE)
        if not first:
            raise DataError(f"{path.name} is empty; it takes a line with the names of the columns, and the samples")
        if len(first) == MOST_FIRST_LINE:
            raise DataError(f"the first line of {path.name} is longer than {MOST_FIRST_LINE:,} characters")
        separator = "\t" if path.suffix.lower() == ".tsv" else ";" if ";" in first and "," not in first else ","
        stream.seek(0)
        names = [name.strip() for name in next(csv.reader(stream, delimiter=separator, skipinitialspace=True), [])]
    if len(names) > MOST_COLUMNS:
        raise DataError(f"{path.name} has more than {MOST_COLUMNS:,} columns; save its numbers as .npz instead")
    if names and all(_is_number(name) for name in names):
        raise DataError(f"the first line of {path.name} must name the columns; it holds numbers")
    # pandas would give the second one another name without a word
    _must_differ(path.name, [name for name in names if name])
    return separator


def _must_differ(file: str, names: Sequence[str]) -> None:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"two columns of {file} are called “{checking.plain(twice)}”; give each one its own name")


def _parquet(path: Path, header_only: bool) -> pd.DataFrame:
    import pandas as pd
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        rows, schema = file.metadata.num_rows, file.schema_arrow
        if len(schema.names) > MOST_COLUMNS:
            raise DataError(f"{path.name} has more than {MOST_COLUMNS:,} columns; save its numbers as .npz instead")
        if header_only:
            return pd.DataFrame(schema.empty_table().to_pandas())
    checking.check_room(path.name, (rows, len(schema.names)))
    return pd.read_parquet(path, engine="pyarrow")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _must_be_there(file: str, frame: pd.DataFrame, names: Sequence[str]) -> None:
    gone = next((name for name in names if name not in frame.columns), None)
    if gone is not None:
        there = _listed([checking.plain(name, 24) for name in frame.columns])
        raise DataError(f"{file} has no column “{checking.plain(gone, 40)}”; it has {there}")
    _must_differ(file, list(frame.columns))


def _must_be_whole(file: str, frame: pd.DataFrame) -> None:
    missing = {name: int(count) for name, count in frame.isna().sum().items() if count}
    if missing:
        told = _listed([f"{count} in column “{checking.plain(name, 20)}”" for name, count in missing.items()], 3)
        name = _quoted(next(iter(missing)))
        raise DataError(f"{file} lacks values: {told}; fill them in, or leave columns out with ?without={name}")


def _quoted(name: object) -> str:
    """Return the name of a column as it must stand behind a ``?``, if it is short enough for a sentence."""
    found = quote(str(name))
    return found if len(found) <= 24 else "…"


def _numbers(file: str, frame: pd.DataFrame, one_hot: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Return the features as float64 (n, D) and their names: numbers as they are, columns taken apart as 0 and 1."""
    parts: list[np.ndarray] = []
    names: list[str] = []
    for name in frame.columns:
        column = frame[name]
        if name in one_hot:
            values, codes = np.unique(_texts(column), return_inverse=True)
            if len(values) > MOST_CATEGORIES:
                raise DataError(
                    f"column “{checking.plain(name, 40)}” of {file} has {len(values)} different values; "
                    f"one-hot takes at most {MOST_CATEGORIES}"
                )
            parts.append(np.eye(len(values))[codes])
            names += [f"{name} = {value}" for value in values]
        elif column.dtype.kind in "buif":
            parts.append(column.to_numpy(dtype=np.float64)[:, None])
            names.append(name)
        else:
            value = next((each for each in column if not _is_number(str(each))), column.iloc[0])
            raise DataError(
                f"column “{checking.plain(name, 24)}” of {file} does not hold numbers (“{checking.plain(value, 20)}”); "
                f"take it as classes (?label={_quoted(name)}) or apart (?one-hot={_quoted(name)}), or leave it out "
                f"(?without={_quoted(name)})"
            )
    return np.concatenate(parts, axis=1), names


def _labels(column: pd.Series) -> np.ndarray:
    return column.to_numpy() if column.dtype.kind in "buif" else _texts(column)


def _texts(column: pd.Series) -> np.ndarray:
    """Return values as texts; blanks around them belong to none."""
    return column.astype(str).str.strip().to_numpy(dtype=str)


def _listed(names: Sequence[str], most: int = SHOWN) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


READER = Reader(
    title="tables",
    suffixes=(".csv", ".tsv", ".parquet"),
    read=read_table,
    options=("label", "features", "with", "without", "one-hot"),
)
