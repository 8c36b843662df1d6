"""A person's own data: one ``.npz`` file with the samples and, for scoring, their classes."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Literal

import numpy as np

from clustlab.data.dataset import Dataset
from clustlab.errors import DataError

__all__ = ["is_path", "load_file"]

SAMPLES, CLASSES = ("X", "x"), ("y", "labels")
"""Names under which a file may hold its samples and their classes."""

UNREADABLE = (OSError, ValueError, EOFError, MemoryError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise for files that are damaged or hold pickles."""


def is_path(text: str) -> bool:
    """Return whether a text names a file rather than a source: it ends in ``.npz`` or has a folder in it."""
    return text.lower().endswith(".npz") or "/" in text or "\\" in text


def load_file(path: str | Path) -> Dataset:
    """Return the data set in an ``.npz`` file; pickles are never loaded.

    The file holds the samples as ``X`` (or ``x``), a numeric array (n, D), (n, h, w), (n, h, w, 1) or (n, h, w, 3),
    and may hold a class a sample as ``y`` (or ``labels``): integers or texts (n,). Images of type uint8 are divided by
    255, other images whose values exceed 1 by their largest value; vectors stay as they are. ``label_names`` may name
    the classes 0, 1, 2 ….

    Raises
    ------
    DataError
        If the file is missing, damaged or holds something else.
    """
    path = Path(path).expanduser()
    arrays = _read(path)
    x = next((arrays[name] for name in SAMPLES if name in arrays), None)
    if x is None:
        there = ", ".join(sorted(arrays)) or "no array at all"
        raise DataError(f"{path.name} has no array “X” with the samples; it has {there}")
    x, kind = _samples(path.name, x)
    labels = next((arrays[name] for name in CLASSES if name in arrays), None)
    y, class_names = (None, ()) if labels is None else _classes(path.name, labels, len(x), arrays.get("label_names"))
    return Dataset(name=path.stem, title=path.stem, x=x, y=y, class_names=class_names, kind=kind)


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays that matter; others in the file are not even read."""
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    try:
        with path.open("rb") as stream:
            start = stream.read(2)
        if not zipfile.is_zipfile(path):
            reason = "is cut off; copy it again" if start == b"PK" else "is not an .npz file (a zip of NumPy arrays)"
            raise DataError(f"{path.name} {reason}")
        wanted = {*SAMPLES, *CLASSES, "label_names"}
        with np.load(path, allow_pickle=False) as file:
            # Arrays that nobody asked for stay as empty place holders, so that a refusal can name what is there.
            return {name: file[name] if name in wanted else np.empty(0) for name in file.files}
    except DataError:
        raise
    except UNREADABLE as error:
        if "pickle" in str(error):
            raise DataError(f"{path.name} holds Python objects; save plain numeric arrays instead") from error
        raise DataError(f"{path.name} is damaged and cannot be read ({error})") from error


def _samples(file: str, x: np.ndarray) -> tuple[np.ndarray, Literal["images", "vectors"]]:
    if x.dtype.kind not in "buif":
        raise DataError(f"the samples in {file} are not numbers but of type {x.dtype}")
    if x.ndim == 4 and x.shape[3] == 1:
        x = x[..., 0]
    if x.ndim not in (2, 3, 4) or (x.ndim == 4 and x.shape[3] != 3):
        raise DataError(
            f"the samples in {file} have the shape {x.shape}; it must be (n, features), (n, height, width) or "
            "(n, height, width, 3)"
        )
    if len(x) < 2 or x.size == 0:
        raise DataError(f"{file} has {x.shape} values; it takes at least two samples with at least one feature")
    kind: Literal["images", "vectors"] = "vectors" if x.ndim == 2 else "images"
    divisor = 255.0 if kind == "images" and x.dtype == np.uint8 else 1.0
    with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is refused below
        x = x.astype(np.float32) / np.float32(divisor)
    if not np.isfinite(x).all():
        raise DataError(f"the samples in {file} contain missing, infinite or too large values")
    if kind == "images" and x.min() < 0:
        raise DataError(f"the images in {file} contain negative values; grey values must lie in 0 … 1 or 0 … 255")
    if kind == "images" and x.max() > 1:
        x = x / x.max()
    return np.ascontiguousarray(x), kind


def _classes(
    file: str, labels: np.ndarray, n: int, label_names: np.ndarray | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    if labels.shape != (n,):
        raise DataError(f"{file} has {n} samples, but classes of the shape {labels.shape}; it takes one for each")
    if labels.dtype.kind == "f" and (np.isfinite(labels) & (labels == np.round(labels))).all():
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "buiU":
        raise DataError(f"the classes in {file} are neither whole numbers nor texts but of type {labels.dtype}")
    values, y = np.unique(labels, return_inverse=True)
    names = tuple(str(value) for value in values)
    named = label_names is not None and label_names.ndim == 1 and label_names.dtype.kind == "U"
    if label_names is not None and named and labels.dtype.kind in "ui":
        if values[0] < 0 or values[-1] >= len(label_names):
            raise DataError(f"{file} names {len(label_names)} classes, but has samples of class {values[-1]}")
        names = tuple(str(label_names[value]) for value in values)
    return y.astype(np.int64), names
