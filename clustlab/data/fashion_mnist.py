"""Fashion-MNIST, 70,000 pictures of clothes, fetched from OpenML."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clustlab.data import openml
from clustlab.data.dataset import Dataset, Download, Source
from clustlab.data.fetching import load_fetched

__all__ = ["SOURCE", "fetch_fashion_mnist", "load_fashion_mnist"]

NAMES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "trainer", "bag", "ankle boot")


def fetch_fashion_mnist(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays to keep: number 40996 on OpenML."""
    x, labels = openml.fetch(40996, folder)
    return {
        "X": openml.grey_bytes(DOWNLOAD.title, x, (28, 28)),
        "y": openml.classes_from_zero(DOWNLOAD.title, labels, [7000] * 10),
        "label_names": np.array(NAMES),
    }


def load_fashion_mnist() -> Dataset:
    """Return the 70,000 pictures of 28 × 28 pixels, grey values / 255, training and test part together."""
    return load_fetched(DOWNLOAD)


DOWNLOAD = Download(
    name="fashion-mnist", title="Fashion-MNIST", origin=openml.ORIGIN, megabytes=40, build=fetch_fashion_mnist
)

SOURCE = Source(
    name="fashion-mnist",
    title="Fashion-MNIST",
    description="Clothes in place of digits: as many as in MNIST, and pullovers and coats are hard to tell apart.",
    n=70_000,
    shape=(28, 28),
    n_classes=10,
    load=load_fashion_mnist,
    order=60,
    download=DOWNLOAD,
)
