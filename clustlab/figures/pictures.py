"""Samples as pictures: many small ones composed into one raster, with places for what is written around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import cluster_colour, rgb
from clustlab.figures.style import bare_axis, png

__all__ = ["Sheet", "as_pixels", "cluster_pixels", "frameless_axes", "is_image", "sheet", "signed_pixels"]

BLUE, VERMILION = (0, 114, 178), (213, 94, 0)
BAR_HEIGHT = 24
"""Height of the picture of a vector, in its own pixels."""


def is_image(shape: tuple[int, ...]) -> bool:
    """Return whether one sample of this shape, (h, w) or (h, w, 3), is an image rather than a vector (D,)."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))


def as_pixels(samples: np.ndarray) -> np.ndarray:
    """Return samples (m, …) as RGBA pictures, uint8, shape (m, h, w, 4).

    Images in 0 … 1 (or uint8) are drawn as they are. Of vectors (m, D) each feature is a bar upwards or downwards
    from the middle, on one scale for all, so that two pictures can be compared.
    """
    if not is_image(samples.shape[1:]):
        return _vector_pixels(samples.reshape(len(samples), -1).astype(np.float64))
    if samples.dtype != np.uint8:
        samples = np.round(np.nan_to_num(np.clip(samples.astype(np.float32), 0, 1)) * 255).astype(np.uint8)
    if samples.ndim == 3:
        samples = samples[..., None]
    colours = np.broadcast_to(samples, (*samples.shape[:3], 3))
    return np.concatenate([colours, np.full((*samples.shape[:3], 1), 255, np.uint8)], axis=3)


def _vector_pixels(samples: np.ndarray) -> np.ndarray:
    samples = np.nan_to_num(samples)
    if samples.shape[1] > 64:  # no room for a bar each: neighbouring features share one
        samples = np.stack([part.mean(axis=1) for part in np.array_split(samples, 64, axis=1)], axis=1)
    largest = np.abs(samples).max() or 1.0
    wide = max(1, BAR_HEIGHT // samples.shape[1])
    heights = np.repeat(samples / largest * (BAR_HEIGHT / 2), wide, axis=1)[:, None, :]
    level = (BAR_HEIGHT / 2 - 0.5) - np.arange(BAR_HEIGHT)[None, :, None]
    pixels = np.zeros((len(samples), BAR_HEIGHT, heights.shape[2], 4), np.uint8)
    pixels[(level > 0) & (level < heights)] = (*BLUE, 255)
    pixels[(level < 0) & (level > heights)] = (*VERMILION, 255)
    pixels[:, BAR_HEIGHT // 2][pixels[:, BAR_HEIGHT // 2, :, 3] == 0] = (128, 128, 128, 120)
    return pixels


def signed_pixels(images: np.ndarray) -> np.ndarray:
    """Return images (m, h, w) or (m, h, w, 3) with both signs as RGBA, uint8, (m, h, w, 4).

    Blue is below zero and vermilion above, both on one scale for all images; zero lets the page shine through.
    """
    values = np.nan_to_num(images.astype(np.float32))
    values = values.mean(axis=3) if values.ndim == 4 else values
    shares = values / (np.abs(values).max(initial=0) or 1)
    pixels = np.zeros((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(shares[..., None] < 0, BLUE, VERMILION)
    pixels[..., 3] = np.round(255 * np.abs(shares))
    return pixels


def cluster_pixels(clusters: np.ndarray) -> np.ndarray:
    """Return the colours of clusters (…,) as RGBA, uint8, shape (…, 4); transparent for -1."""
    known = range(-1, int(clusters.max(initial=-1)) + 1)
    table = np.array([(*rgb(cluster_colour(j)), 255 if j >= 0 else 0) for j in known], np.uint8)
    return table[clusters.astype(np.int64) + 1]


@dataclass(frozen=True)
class Sheet:
    """A grid of pictures as one raster, one unit a column; y grows downwards.

    Attributes
    ----------
    trace : plotly.graph_objects.Image
        The raster; the picture in (row, column) is centred on x = column, y = row · pitch.
    pitch : float
        Distance of two rows, in columns.
    foot : float
        Distance from a picture's centre to where text under it begins, in columns.
    """

    trace: go.Image
    pitch: float
    foot: float


def sheet(
    pictures: np.ndarray,
    *,
    below: float = 0.0,
    bars: np.ndarray | None = None,
    frames: np.ndarray | None = None,
) -> Sheet:
    """Compose pictures into one raster.

    One raster is drawn in one go, with sharp pixels; a hundred single images would each be placed by the browser.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (rows, columns, h, w, 4)
        RGBA pictures.
    below : float
        Space under each picture for what is written there, in widths of a picture.
    bars : ndarray of uint8, shape (rows, columns, 4) or (rows, columns, b, 4), optional
        Colours of a bar under each picture, or of several one below the other; transparent for none.
    frames : ndarray of uint8, shape (rows, columns, 4), optional
        Colours of a frame around each picture; transparent for none.
    """
    rows, columns, height, width, _ = pictures.shape
    line = max(1, round(0.05 * width))
    stack = np.empty((rows, columns, 0, 4), np.uint8) if bars is None else bars.reshape(rows, columns, -1, 4)
    bar = max(0, 3 * line * stack.shape[2] - line)
    foot = height + 2 * line + bar
    cells = np.zeros((rows, columns, foot + round(below * width), width + 2 * line, 4), np.uint8)
    if frames is not None:
        cells[:, :, : height + 2 * line] = frames[:, :, None, None]
    cells[:, :, line : line + height, line : line + width] = pictures
    for number in range(stack.shape[2]):
        top = height + (1 + 3 * number) * line
        cells[:, :, top : top + 2 * line, line : line + width] = stack[:, :, number, None, None]
    pixel = 1 / cells.shape[3]
    middle = line + height / 2
    raster = cells.transpose(0, 2, 1, 3, 4).reshape(rows * cells.shape[2], columns * cells.shape[3], 4)
    trace = go.Image(
        source=png(raster), x0=-0.5 + pixel / 2, dx=pixel, y0=(0.5 - middle) * pixel, dy=pixel, hoverinfo="skip"
    )
    return Sheet(trace, cells.shape[2] * pixel, (foot - middle) * pixel)


def frameless_axes(figure: go.Figure, columns: float, top: float, bottom: float) -> None:
    """Give a figure of pictures axes in columns: as many wide, from ``top`` to ``bottom``, pixels square."""
    figure.update_xaxes(**bare_axis(range=[-0.5, columns - 0.5], constrain="domain"))
    figure.update_yaxes(
        **bare_axis(range=[bottom, top], scaleanchor="x", scaleratio=1, constrain="domain", constraintoward="top")
    )
