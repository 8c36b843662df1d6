"""What every file must satisfy, whatever its format: numbers of a known shape that fit into memory, a class each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from clustlab.errors import DataError

__all__ = [
    "CHUNK",
    "MOST_BYTES",
    "Form",
    "check_precision",
    "check_room",
    "classes",
    "content",
    "form",
    "plain",
    "samples",
]

MOST_BYTES = 4 * 2**30
"""Bytes of the samples of a data set as 32-bit numbers, and of a single array in a file, at most."""

MOST_NAME = 200
"""Characters that the name of a class may have."""

KEPT = 0.9
"""Of the different values of a feature, the share that float32 must tell apart."""

CHUNK = 4096


def plain(text: object, most: int = 60) -> str:
    """Return a text out of a file as it may stand in a sentence: on one line, printable, and not too long."""
    line = "".join(each if each.isprintable() else " " for each in str(text)[: 4 * most])
    line = " ".join(line.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def check_room(file: str, shape: Sequence[int], itemsize: int = 4) -> None:
    """Refuse samples that would take too much memory, before they are read.

    Parameters
    ----------
    file : str
        Name of the file, for the sentence.
    shape : sequence of int
        Shape of all samples together.
    itemsize : int
        Bytes of a value.

    Raises
    ------
    DataError
        If they take more than :data:`MOST_BYTES`.
    """
    size = math.prod(int(side) for side in shape) * itemsize
    if size > MOST_BYTES:
        form = " × ".join(f"{side:,}" for side in shape)
        raise DataError(
            f"{file} holds {form} values, {size / 2**30:,.1f} GiB in memory; at most {MOST_BYTES / 2**30:.0f} GiB are "
            "read, so give fewer samples or features"
        )


def samples(file: str, x: np.ndarray, names: Sequence[str] = ()) -> tuple[np.ndarray, Literal["images", "vectors"]]:
    """Return samples as clustlab has them, float32, and how they are drawn.

    Parameters
    ----------
    file : str
        Name of the file, for sentences.
    x : ndarray, shape (n, D), (n, h, w), (n, h, w, 1) or (n, h, w, 3)
        Numbers. Images of type uint8 are divided by 255, other images whose values exceed 1 by their largest value;
        vectors stay as they are.
    names : sequence of str, optional
        Of the features, for sentences.

    Raises
    ------
    DataError
        If they are no numbers, not of such a shape, fewer than two, missing, infinite, negative grey values, all the
        same, or as :func:`check_precision`.
    """
    found = form(file, x)
    check_room(file, x.shape)
    check_precision(file, x, names)
    x = x[..., 0] if x.ndim == 4 and x.shape[3] == 1 else x
    with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is refused below
        x = x.astype(np.float32, order="C")
    x /= np.float32(found.divisor)
    largest = content(file, (x[at : at + CHUNK] for at in range(0, len(x), CHUNK)), found)
    if found.kind == "images" and largest > 1:
        x /= np.float32(largest)
    return x, found.kind


def check_precision(file: str, x: np.ndarray, names: Sequence[str] = ()) -> None:
    """Refuse vectors with a feature whose values lie so far from 0 that float32 would make different ones the same.

    Of some thousand samples, spread over all of them, nine in ten different values must stay different.

    Parameters
    ----------
    file : str
        Name of the file, for the sentence.
    x : ndarray, shape (n, D)
        The samples as they are in the file.
    names : sequence of str, optional
        Of the features, for the sentence.

    Raises
    ------
    DataError
        If there is such a feature.
    """
    if x.ndim != 2 or x.dtype == np.float32 or x.dtype.itemsize < 4:
        return
    some = np.asarray(x[:: max(1, len(x) // CHUNK)])
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large or infinite is refused elsewhere
        rounded = some.astype(np.float32)
        inexact = (rounded.astype(some.dtype) != some).any(axis=0)
    for at in map(int, np.flatnonzero(inexact & np.isfinite(rounded).all(axis=0))):
        if len(np.unique(rounded[:, at])) < KEPT * len(np.unique(some[:, at])):
            called = f"“{plain(names[at], 40)}”" if names else f"feature {at + 1}"
            low, high = some[:, at].min(), some[:, at].max()
            raise DataError(
                f"{called} of {file} lies between {low:.10g} and {high:.10g}, where single precision makes different "
                "values the same; subtract a constant from it, or leave it out"
            )


class Form(NamedTuple):
    """How samples are drawn, and what makes their values those that clustlab has."""

    kind: Literal["images", "vectors"]
    divisor: float


def form(file: str, x: np.ndarray) -> Form:
    """Return the form of samples, of which only type and shape are looked at.

    Raises
    ------
    DataError
        If they are no numbers, not of a shape that :func:`samples` takes, or fewer than two.
    """
    if x.dtype.kind not in "buif":
        raise DataError(f"the samples in {file} are not numbers but of type {plain(x.dtype)}")
    if x.ndim not in (2, 3, 4) or (x.ndim == 4 and x.shape[3] not in (1, 3)):
        raise DataError(
            f"the samples in {file} have the shape {plain(x.shape)}; it must be (n, features), (n, height, width) or "
            "(n, height, width, 3)"
        )
    if len(x) < 2 or x.size == 0:
        sides = " × ".join(f"{side:,}" for side in x.shape)
        raise DataError(f"{file} holds {sides} values; it takes at least two samples with at least one feature")
    kind: Literal["images", "vectors"] = "vectors" if x.ndim == 2 else "images"
    return Form(kind, 255.0 if kind == "images" and x.dtype == np.uint8 else 1.0)


def content(file: str, pieces: Iterable[np.ndarray], form: Form) -> float:
    """Return the largest value of samples that are given piece by piece, divided already.

    Raises
    ------
    DataError
        If values are missing or infinite, grey values negative, or all samples the same.
    """
    first, largest, differ = None, -np.inf, False
    for piece in pieces:
        if not np.isfinite(piece).all():
            raise DataError(f"the samples in {file} contain missing, infinite or too large values")
        if form.kind == "images" and piece.min() < 0:
            raise DataError(f"the images in {file} contain negative values; grey values must lie in 0 … 1 or 0 … 255")
        first = piece[0] if first is None else first
        differ = differ or not (piece == first).all()
        largest = max(largest, float(piece.max()))
    if not differ:
        raise DataError(f"all samples in {file} are the same, so that there is nothing to cluster")
    return largest


def classes(
    file: str, labels: np.ndarray, n: int, label_names: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the class of each sample as an index, int64 (n,), and the names of the classes.

    Parameters
    ----------
    file : str
        Name of the file, for sentences.
    labels : ndarray, shape (n,)
        Whole numbers or texts.
    n : int
        Number of samples.
    label_names : ndarray of str, optional
        Names of the classes 0, 1, 2 ….

    Raises
    ------
    DataError
        If they are not one for each sample, or neither whole numbers nor texts, or not all of them are named, or by
        names that are too long.
    """
    if labels.shape != (n,):
        given = " × ".join(f"{side:,}" for side in labels.shape) or "a single number instead of"
        raise DataError(f"{file} has {n:,} samples, but {given} classes; it takes one for each sample")
    if labels.dtype.kind == "f" and (np.isfinite(labels) & (labels == np.round(labels))).all():
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "buiU":
        raise DataError(f"the classes in {file} are neither whole numbers nor texts but of type {plain(labels.dtype)}")
    values, y = np.unique(labels, return_inverse=True)
    names = tuple(str(value) for value in values)
    named = label_names is not None and label_names.ndim == 1 and label_names.dtype.kind == "U"
    if label_names is not None and named and labels.dtype.kind in "ui":
        if values[0] < 0 or values[-1] >= len(label_names):
            raise DataError(f"{file} names {len(label_names)} classes, but has samples of class {values[-1]}")
        names = tuple(str(label_names[value]) for value in values)
        often = Counter(names)  # as the two cranes of ImageNet, the bird and the machine
        names = tuple(
            f"{name} ({value})" if often[name] > 1 else name for name, value in zip(names, values, strict=True)
        )
    longest = max(map(len, names))
    if longest > MOST_NAME:
        raise DataError(f"a class in {file} has a name of {longest:,} characters; at most {MOST_NAME} are allowed")
    return y.astype(np.int64), names
