"""USPS, 9,298 digits from envelopes, fetched from OpenML."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clustlab.data import openml
from clustlab.data.dataset import Dataset, Download, Source
from clustlab.data.fetching import load_fetched
from clustlab.errors import DataError

__all__ = ["SOURCE", "fetch_usps", "load_usps"]

COUNTS = (1553, 1269, 929, 824, 852, 716, 834, 792, 708, 821)
"""Samples of each digit in training and test part together."""

RANGES = ((-1.0, 1.0), (0.0, 1.0), (0.0, 2.0))
"""Ranges of grey values in which copies of the data go about."""


def fetch_usps(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays to keep: USPS, version 2, number 41082 on OpenML."""
    x, labels = openml.fetch(41082, folder, "float32")
    return {"X": grey_values(x), "y": openml.classes_from_zero(DOWNLOAD.title, labels, COUNTS)}


def grey_values(x: np.ndarray) -> np.ndarray:
    """Return pixels (n, 256) as float32 (n, 16, 16) in 0 … 1, from whichever of :data:`RANGES` they are in.

    Raises
    ------
    DataError
        If they are in none of them.
    """
    x = np.asarray(x, dtype=np.float64)
    for low, high in RANGES:
        if x.ndim == 2 and x.shape[1] == 256 and abs(x.min() - low) < 0.01 and abs(x.max() - high) < 0.01:
            return np.clip((x - low) / (high - low), 0, 1).astype(np.float32).reshape(-1, 16, 16)
    raise DataError("what came as USPS is not 16 × 16 grey values in −1 … 1, 0 … 1 or 0 … 2")


def load_usps() -> Dataset:
    """Return the 9,298 digits of 16 × 16 pixels, grey values in 0 … 1, training and test part together."""
    return load_fetched(DOWNLOAD)


DOWNLOAD = Download(name="usps", title="USPS", origin=openml.ORIGIN, megabytes=5, build=fetch_usps)

SOURCE = Source(
    name="usps",
    title="USPS",
    description="Digits from envelopes, 16×16 pixels: quick to train on, with classes of unequal size.",
    n=9298,
    shape=(16, 16),
    n_classes=10,
    load=load_usps,
    order=70,
    download=DOWNLOAD,
)
