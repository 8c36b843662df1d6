"""What does each cluster look like? The decoded centroid, beside the real samples nearest to it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, sheet
from clustlab.figures.style import note, styled

__all__ = ["centroids", "nearest_samples"]

NEAREST = 3
GAP = 1
"""Empty columns between the two halves."""


def nearest_samples(codes: np.ndarray, means: np.ndarray, count: int = NEAREST) -> np.ndarray:
    """Return the positions (K, count) of the samples whose codes (n, J) lie nearest to each centroid (K, J)."""
    codes, means = codes.astype(np.float32), means.astype(np.float32)
    distances = (codes**2).sum(axis=1)[None] - 2 * means @ codes.T
    count = min(count, len(codes))
    return np.argsort(distances, axis=1, kind="stable")[:, :count]


def centroids(
    decoded: np.ndarray,
    sizes: np.ndarray,
    samples: np.ndarray,
    names: np.ndarray,
    *,
    moved: np.ndarray | None = None,
    counts: np.ndarray | None = None,
) -> go.Figure:
    """Draw decoded centroids framed in their cluster's colour, with size, way and nearest real samples.

    Parameters
    ----------
    decoded : ndarray, shape (K, …)
        Decoded centroids: images in 0 … 1, or vectors.
    sizes : ndarray of int, shape (K,)
        Probe samples in each cluster.
    samples : ndarray, shape (K, c, …)
        The nearest samples of each centroid: uint8 images, or vectors.
    names : ndarray of int, shape (K, c)
        What they are called in the hover text: their rows in the data set.
    moved : ndarray, shape (K, 2), optional
        Distance of each centroid to its place when the phase began, and at the frame before.
    counts : ndarray, shape (K,), optional
        Samples that it has counted; its step size is 1/c.
    """
    count, beside = names.shape
    halves = 2 if count > 1 else 1
    block = 1 + beside
    columns = halves * block + (halves - 1) * GAP
    rows = -(-count // halves)
    pictures, frames = _grid(decoded, samples, rows, halves, columns)
    text_height = (22 if moved is None and counts is None else 46) * columns / WIDTH
    raster = sheet(pictures, below=text_height, frames=frames)
    figure = go.Figure(raster.trace)
    row, half = np.arange(count) % rows, np.arange(count) // rows
    x, y = half * (block + GAP), row * raster.pitch
    _texts(figure, x - 0.48, y + raster.foot + 0.45 * text_height, sizes, moved, counts)
    _hover(figure, x, y, names)
    bottom = y.max() + raster.foot + text_height
    frameless_axes(figure, columns, -raster.foot, bottom)
    heading = "framed: decoded centroid; beside it: the real samples nearest to it"
    heading += "<br>moved: since the phase began, and since the frame before" if moved is not None else ""
    note(figure, heading, yshift=2)
    top = 26 + 19 * heading.count("<br>")
    height = round((bottom + raster.foot) * WIDTH / columns) + top + 8
    return styled(figure, height, margin={"l": 8, "r": 8, "t": top, "b": 8}, showlegend=False)


def _texts(
    figure: go.Figure,
    x: np.ndarray,
    y: np.ndarray,
    sizes: np.ndarray,
    moved: np.ndarray | None,
    counts: np.ndarray | None,
) -> None:
    """Write under each centroid how many samples it has, and how far it has moved."""
    total = max(int(sizes.sum()), 1)
    texts = [[f"cluster {j}: {size:,} ({size / total:.0%})", *_way(j, moved, counts)] for j, size in enumerate(sizes)]
    figure.add_scatter(
        x=x,
        y=y,
        text=["<br>".join(lines) for lines in texts],
        mode="text",
        textposition="middle right",
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
    )


def _hover(figure: go.Figure, x: np.ndarray, y: np.ndarray, names: np.ndarray) -> None:
    """Lay invisible markers over the pictures that tell what each one is."""
    count, block = names.shape[0], 1 + names.shape[1]
    figure.add_scatter(
        x=(x[:, None] + np.arange(block)).ravel(),
        y=np.repeat(y, block),
        mode="markers",
        marker={"size": 30, "opacity": 0},
        hovertext=[text for j in range(count) for text in (f"centroid {j}", *(f"sample #{i}" for i in names[j]))],
        hoverinfo="text",
        showlegend=False,
    )


def _way(cluster: int, moved: np.ndarray | None, counts: np.ndarray | None) -> list[str]:
    """Return how far a centroid has moved, and how far it would for one more sample."""
    parts = []
    if moved is not None:
        parts.append(f"moved {moved[cluster, 0]:.2g}, {moved[cluster, 1]:.2g}")
    if counts is not None:
        parts.append(f"1/c = {1 / max(float(counts[cluster]), 1):.1g}")
    return [" · ".join(parts)] if parts else []


def _grid(
    decoded: np.ndarray, samples: np.ndarray, rows: int, halves: int, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (rows, columns, h, w, 4) and frames (rows, columns, 4), filled half by half."""
    count, beside = samples.shape[:2]
    real = samples.astype(np.float32) / 255 if samples.dtype == np.uint8 else samples.astype(np.float32)
    values = np.concatenate([decoded.astype(np.float32)[:, None], real.reshape(count, beside, *decoded.shape[1:])], 1)
    cells = as_pixels(values.reshape(-1, *values.shape[2:]))
    cells = cells.reshape(count, 1 + beside, *cells.shape[1:])
    pictures = np.zeros((rows, columns, *cells.shape[2:]), np.uint8)
    clusters = np.full((rows, columns), -1)
    for half in range(halves):
        part = slice(half * rows, min((half + 1) * rows, count))
        left, filled = half * (1 + beside + GAP), part.stop - part.start
        pictures[:filled, left : left + 1 + beside] = cells[part]
        clusters[:filled, left] = np.arange(part.start, part.stop)
    return pictures, cluster_pixels(clusters)
