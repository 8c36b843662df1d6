"""Lines from the centre at every angle: codes of a good autoencoder form a circle, and interpolation turns the line.

The benchmark of the ACAI paper (Berthelot, Raffel, Roy and Goodfellow, ICLR 2019); ``clustlab bench lines`` measures
how well the mixes of two codes decode to lines in between.
"""

from __future__ import annotations

import numpy as np

from clustlab.data.dataset import Dataset, Source

__all__ = ["LENGTH", "SIDE", "SOURCE", "draw_lines", "load_lines"]

SIDE = 32
"""Pixels of a side."""

LENGTH = 16.0
"""Length of a line, from the centre of the image, in pixels."""

CHUNK = 500
"""Lines drawn at once; all at once would take a gigabyte for the benchmark's 10,000."""


def draw_lines(angles: np.ndarray) -> np.ndarray:
    """Return white lines on black, anti-aliased: (n,) radians → (n, 32, 32) float32 in 0 … 1.

    A line is one pixel wide with round ends; a pixel is as bright as its centre is near: 1 on the line, 0 from a
    distance of one pixel on. Angles run counter-clockwise from the right.
    """
    images = [_draw(some) for some in np.array_split(angles, len(angles) // CHUNK + 1)]
    return np.concatenate(images).reshape(-1, SIDE, SIDE)


def _draw(angles: np.ndarray) -> np.ndarray:
    centre = np.float32((SIDE - 1) / 2)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    x, y = columns.ravel() - centre, centre - rows.ravel()  # rows run downwards
    cosine, sine = (wave(angles).astype(np.float32)[:, None] for wave in (np.cos, np.sin))
    along = np.clip(x * cosine + y * sine, 0, np.float32(LENGTH))
    distance = np.sqrt((x - along * cosine) ** 2 + (y - along * sine) ** 2)
    return np.asarray(np.clip(1 - distance, 0, 1), dtype=np.float32)


def load_lines() -> Dataset:
    """Return 5,000 lines at angles drawn evenly from the whole turn; they have no classes."""
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, size=5000)
    return Dataset(name="lines", title="Lines", x=draw_lines(angles), y=None, class_names=(), kind="images")


SOURCE = Source(
    name="lines",
    title="Lines",
    description="A line from the centre at every angle: no clusters, but the test of how well mixes of codes decode.",
    n=5000,
    shape=(SIDE, SIDE),
    n_classes=0,
    load=load_lines,
    order=40,
)
