"""Small pictures that stand in rows and forms: a map the size of a stamp, and a few samples of a data set."""

from __future__ import annotations

import numpy as np

from clustlab.data.mapped import MappedArray
from clustlab.figures.palette import NEUTRAL, rgb
from clustlab.figures.pictures import as_pixels, cluster_pixels, is_image
from clustlab.figures.style import png

__all__ = ["map_thumbnail", "sample_rows", "sample_strip"]

DOT = 2
"""Pixels of a dot along each side."""
PADDING = 4
"""Pixels between the points and the edge."""
GAP = 0.12
"""Space between two samples, in widths of a sample."""


def map_thumbnail(points: np.ndarray, labels: np.ndarray, *, width: int = 192, height: int = 128) -> str:
    """Draw points as dots in the colours of their clusters.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Samples on the plane; those without a finite place are left out.
    labels : ndarray of int, shape (n,)
        Cluster of each sample; -1 for none.
    width, height : int
        Size in pixels; show it at half of that, so that it is sharp on fine screens.

    Returns
    -------
    str
        A PNG with a clear ground, as a data URI.
    """
    pixels = np.zeros((height, width, 4), np.uint8)
    there = np.isfinite(points).all(axis=1)
    points, labels = points[there].astype(np.float64), labels[there]
    if len(points):
        low, high = points.min(axis=0), points.max(axis=0)
        room = np.array([width, height]) - 2 * PADDING - DOT
        scale = (room / np.maximum(high - low, 1e-9)).min()
        places = ((points - (low + high) / 2) * scale * (1, -1) + room / 2).round().astype(np.int64) + PADDING
        colours = cluster_pixels(labels)
        colours[labels < 0] = (*rgb(NEUTRAL), 255)
        for down in range(DOT):
            for right in range(DOT):
                pixels[places[:, 1] + down, places[:, 0] + right] = colours
    return png(pixels)


def sample_strip(x: np.ndarray | MappedArray, y: np.ndarray | None = None, *, count: int = 10) -> str:
    """Draw a few samples of a data set side by side, one of each class first; of vectors, a small scatter of all.

    Parameters
    ----------
    x : ndarray, shape (n, h, w), (n, h, w, 3) or (n, D)
        Images in 0 … 1, or vectors, of which the first two features are drawn.
    y : ndarray of int, shape (n,), optional
        Classes.
    count : int
        Number of images.

    Returns
    -------
    str
        A PNG with a clear ground, as a data URI.
    """
    if not is_image(x.shape[1:]):
        flat = x[:2000].reshape(min(len(x), 2000), -1)
        plane = flat[:, :2] if flat.shape[1] > 1 else np.repeat(flat, 2, axis=1)
        return map_thumbnail(plane, np.full(len(plane), -1), width=480, height=160)
    first = np.unique(y, return_index=True)[1] if y is not None else np.arange(min(count, len(x)))
    chosen = np.concatenate([first, np.setdiff1d(np.arange(min(len(x), 2 * count)), first)])[: min(count, len(x))]
    return png(_side_by_side(as_pixels(x[chosen])))


def sample_rows(x: np.ndarray | MappedArray, y: np.ndarray | None = None, *, count: int = 24, rows: int = 10) -> str:
    """Draw samples of a data set, those of a class side by side in a row; without classes, the first ones.

    Parameters
    ----------
    x : ndarray, shape (n, h, w), (n, h, w, 3) or (n, D)
        Images in 0 … 1, or vectors, each drawn as a row of bars.
    y : ndarray of int, shape (n,), optional
        Classes.
    count : int
        Samples in a row.
    rows : int
        Rows at most.

    Returns
    -------
    str
        A PNG with a clear ground, as a data URI.
    """
    if y is None:
        members = np.array_split(np.arange(min(len(x), count * 3)), 3)
    else:
        members = [np.flatnonzero(y == label)[:count] for label in np.unique(y)[:rows]]
    chosen = np.concatenate(members)
    pictures = as_pixels(x[chosen])  # on one scale
    lines = [
        _side_by_side(part) for part in np.split(pictures, np.cumsum([len(part) for part in members])[:-1]) if len(part)
    ]
    gap, width = max(1, round(GAP * pictures.shape[1])), max(line.shape[1] for line in lines)
    padded = [np.pad(line, ((0, gap), (0, width - line.shape[1]), (0, 0))) for line in lines]
    return png(np.concatenate(padded)[:-gap])


def _side_by_side(pictures: np.ndarray) -> np.ndarray:
    """Return pictures (m, h, w, 4) as one row with gaps."""
    gap = max(1, round(GAP * pictures.shape[2]))
    cells = np.pad(pictures, ((0, 0), (0, 0), (0, gap), (0, 0)))
    return cells.transpose(1, 0, 2, 3).reshape(cells.shape[1], -1, 4)[:, :-gap]
