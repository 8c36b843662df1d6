"""CIFAR-10, 60,000 small photographs, fetched from OpenML."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clustlab.data import openml
from clustlab.data.dataset import Dataset, Download, Source
from clustlab.data.fetching import load_fetched
from clustlab.errors import DataError

__all__ = ["SOURCE", "colour_images", "fetch_cifar10", "load_cifar10"]

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

MEANS = (125.3, 123.0, 113.9)
"""Mean of the red, green and blue bytes of the 50,000 training images; those of all 60,000 differ by less than 1."""


def fetch_cifar10(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays to keep: CIFAR_10, number 40927 on OpenML."""
    x, labels = openml.fetch(40927, folder)
    return {
        "X": colour_images(openml.grey_bytes(DOWNLOAD.title, x, (3072,))),
        "y": openml.classes_from_zero(DOWNLOAD.title, labels, [6000] * 10),
        "label_names": np.array(NAMES),
    }


def colour_images(x: np.ndarray) -> np.ndarray:
    """Return rows of bytes (n, 3072) as images (n, 32, 32, 3), whichever of channels and pixels came first in a row.

    Read in the wrong order, all three channels would have the same mean; the means of the colours tell.

    Raises
    ------
    DataError
        If neither order gives the colours of CIFAR-10.
    """
    for images in (x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), x.reshape(-1, 32, 32, 3)):
        if np.abs(images.mean(axis=(0, 1, 2)) - MEANS).max() < 1.5:
            return np.ascontiguousarray(images)
    raise DataError("what came as CIFAR-10 does not have its colours, whether channels or pixels come first")


def load_cifar10() -> Dataset:
    """Return the 60,000 photographs of 32 × 32 pixels in colour, bytes / 255, training and test part together."""
    return load_fetched(DOWNLOAD)


DOWNLOAD = Download(name="cifar10", title="CIFAR-10", origin=openml.ORIGIN, megabytes=210, build=fetch_cifar10)

SOURCE = Source(
    name="cifar10",
    title="CIFAR-10",
    description="Small photographs: their raw pixels hardly cluster by what they show; features of them do.",
    n=60_000,
    shape=(32, 32, 3),
    n_classes=10,
    load=load_cifar10,
    order=80,
    download=DOWNLOAD,
)
