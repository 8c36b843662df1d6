"""MNIST, all 70,000 handwritten digits, fetched from OpenML."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clustlab.data import openml
from clustlab.data.dataset import Dataset, Download, Source
from clustlab.data.fetching import load_fetched

__all__ = ["SOURCE", "fetch_mnist", "load_mnist"]

COUNTS = (6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958)
"""Samples of each digit in training and test part together."""


def fetch_mnist(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays to keep: mnist_784, version 1, number 554 on OpenML."""
    x, labels = openml.fetch(554, folder)
    return {
        "X": openml.grey_bytes(DOWNLOAD.title, x, (28, 28)),
        "y": openml.classes_from_zero(DOWNLOAD.title, labels, COUNTS),
    }


def load_mnist() -> Dataset:
    """Return the 70,000 digits of 28 × 28 pixels, grey values / 255, training and test part together."""
    return load_fetched(DOWNLOAD)


DOWNLOAD = Download(name="mnist", title="MNIST", origin=openml.ORIGIN, megabytes=15, build=fetch_mnist)

SOURCE = Source(
    name="mnist",
    title="MNIST",
    description="All 70,000 handwritten digits: the set on which most deep-clustering papers report their numbers.",
    n=70_000,
    shape=(28, 28),
    n_classes=10,
    load=load_mnist,
    order=50,
    download=DOWNLOAD,
)
