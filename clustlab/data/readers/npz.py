"""NumPy's ``.npz``: dense samples, sparse ones in compressed rows, codes with a scale for each column."""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from clustlab.data import checking
from clustlab.data.dataset import Dataset
from clustlab.data.readers.base import Reader
from clustlab.errors import DataError

__all__ = ["READER", "UNREADABLE", "dense", "read_arrays", "read_header", "read_npz"]

SAMPLES, CLASSES = ("X", "x"), ("y", "labels")
"""Names under which a file may hold its samples and their classes."""

ROWS = ("data", "indices", "indptr", "shape")
"""Names of the four arrays of sparse samples in compressed rows, as SciPy saves them."""

TEXTS = ("title", "network", "weights")
"""Names of the texts in which a file may say what it is; ``clustlab features`` writes them."""

WANTED = {*SAMPLES, *CLASSES, *ROWS, *TEXTS, "label_names", "scale", "format"}

MOST_ARRAYS = 1000
MOST_TEXT = 200

UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    tokenize.TokenError,
    MemoryError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise for files that are damaged, encrypted or of an exotic kind."""


def read_npz(path: Path, options: Mapping[str, str]) -> Dataset:
    """Return the data set in an ``.npz`` file.

    The file holds the samples as ``X`` (or ``x``), a numeric array (n, D), (n, h, w), (n, h, w, 1) or (n, h, w, 3), and
    may hold a class a sample as ``y`` (or ``labels``), whole numbers or texts (n,); ``label_names`` may name the
    classes 0, 1, 2 …. Instead of ``X`` it may hold sparse samples in compressed rows (``data``, ``indices``,
    ``indptr``, ``shape``), and beside an ``X`` of whole numbers (n, D) a ``scale`` (D,) that multiplies its columns.

    Raises
    ------
    DataError
        If the file is damaged, too large or holds something else.
    """
    arrays = read_arrays(path, WANTED)
    x = next((arrays[name] for name in SAMPLES if name in arrays), None)
    if x is None and set(ROWS) <= set(arrays):
        x = dense(path.name, arrays)
    if x is None:
        there = checking.plain(", ".join(sorted(arrays)), 100) or "no array at all"
        raise DataError(f"{path.name} has no array “X” with the samples; it has {there}")
    if "scale" in arrays and x.ndim == 2 and x.dtype.kind in "ui":
        x = _scaled(path.name, x, arrays["scale"])
    x, kind = checking.samples(path.name, x)
    labels = next((arrays[name] for name in CLASSES if name in arrays), None)
    y, names = (None, ()) if labels is None else checking.classes(path.name, labels, len(x), arrays.get("label_names"))
    texts = {name: _text(arrays[name]) for name in TEXTS if name in arrays}
    made_by = (
        [f"Features by {texts['network']}, {texts.get('weights', '')}".rstrip(", ") + "."] if "network" in texts else []
    )
    return Dataset(path.stem, texts.get("title") or path.stem, x, y, names, kind, tuple(made_by))


def read_arrays(path: Path, wanted: Collection[str]) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` file by their names; those that are not wanted are empty and not even read.

    Raises
    ------
    DataError
        If the file is damaged, holds Python objects, or an array is not of the size that it says or too large.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(2)
        if not zipfile.is_zipfile(path):
            reason = "is cut off; copy it again" if start == b"PK" else "is not an .npz file (a zip of NumPy arrays)"
            raise DataError(f"{path.name} {reason}")
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if len(members) > MOST_ARRAYS:
                raise DataError(f"{path.name} holds {len(members)} arrays; at most {MOST_ARRAYS} are looked at")
            return {
                name: _array(path.name, archive, info) if name in wanted else np.empty(0)
                for name, info in members.items()
            }
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(f"{path.name} is damaged and cannot be read") from error


def _array(file: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Return one array; what it says of its size is checked before there is room made for it."""
    if info.flag_bits & 1:
        raise DataError(f"{file} is encrypted; save it without a password")
    with archive.open(info) as stream:
        shape, dtype = read_header(file, stream)
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != info.file_size - stream.tell():
            raise DataError(f"“{checking.plain(info.filename)}” in {file} has not the size that it says; save it again")
        checking.check_room(file, shape, dtype.itemsize)
    with archive.open(info) as stream:
        return npy.read_array(stream, allow_pickle=False)


def read_header(file: str, stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and type of an array from the start of its ``.npy`` file.

    Raises
    ------
    DataError
        If it holds Python objects.
    ValueError
        If this is no such file.
    """
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on headers that an old Python wrote, which are none of the person's business
        version = npy.read_magic(stream)
        if version not in headers:
            raise ValueError(f"{file} is of an unknown version")
        shape, _, dtype = headers[version](stream)
    if dtype.hasobject:
        raise DataError(f"{file} holds Python objects; save plain numeric arrays instead")
    return shape, dtype


def dense(file: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return sparse samples in compressed rows as a dense float32 array (n, D).

    Raises
    ------
    DataError
        If they do not fit together or are too many.
    """
    from scipy import sparse

    data, indices, indptr, shape = (arrays[name] for name in ROWS)
    if "format" in arrays and arrays["format"].tobytes().replace(b"\0", b"") != b"csr":
        raise DataError(f"the sparse samples in {file} must be in compressed rows; save them as .tocsr()")
    whole = all(array.dtype.kind in "ui" for array in (indices, indptr, shape))
    if not whole or shape.shape != (2,) or data.dtype.kind not in "buif":
        raise DataError(f"the sparse samples in {file} are not numbers in compressed rows")
    n, width = (int(side) for side in shape)
    checking.check_room(file, (n, width))
    try:
        rows = sparse.csr_array(
            (data.astype(np.float32), indices.astype(np.int64), indptr.astype(np.int64)), shape=(n, width)
        )
        rows.check_format(full_check=True)
    except ValueError as error:
        raise DataError(f"the sparse samples in {file} do not fit together ({checking.plain(error, 80)})") from error
    return np.asarray(rows.toarray())


def _scaled(file: str, codes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    if scale.shape != (codes.shape[1],) or scale.dtype.kind != "f":
        raise DataError(f"“scale” in {file} must hold a number for each of the {codes.shape[1]} columns of X")
    checking.check_room(file, codes.shape)
    return codes * scale.astype(np.float32)


def _text(array: np.ndarray) -> str:
    return str(array)[:MOST_TEXT] if array.shape == () and array.dtype.kind == "U" else ""


READER = Reader(title="NumPy arrays", suffixes=(".npz",), read=read_npz)
