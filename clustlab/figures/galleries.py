"""Grids of pictures: eigen-images, draws from the prior, clusters in several styles."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, is_image, sheet, signed_pixels
from clustlab.figures.style import note, styled

__all__ = ["eigen_images", "prior_samples", "style_grid"]

COLUMNS = 8
MOST = 64
"""Pictures in a gallery."""
TEXT = 22
"""Pixels of a line of text under a picture."""


def eigen_images(images: np.ndarray, explained: np.ndarray | None = None) -> go.Figure:
    """Draw the axes of a linear method as samples are drawn.

    Parameters
    ----------
    images : ndarray, shape (r, …)
        Axes, in the order of falling variance. Where one has both signs, blue is below zero and vermilion above.
    explained : ndarray, shape (r,), optional
        Share of the variance along each, printed under it.
    """
    images = images[:MOST].astype(np.float32)
    signed = is_image(images.shape[1:]) and bool((images < 0).any())
    pixels = signed_pixels(images) if signed else as_pixels(images)
    texts = [f"{j + 1}" if explained is None else f"{explained[j]:.1%}" for j in range(len(images))]
    heading = "share of the variance under each axis" if explained is not None else "axes by falling variance"
    heading += "<br>blue below zero, vermilion above" if signed else ""
    return _gallery(pixels, [f"axis {j + 1}: {text}" for j, text in enumerate(texts)], heading, texts)


def prior_samples(images: np.ndarray) -> go.Figure:
    """Draw decoded draws from the prior, (m, …): images in 0 … 1, or vectors."""
    images = images[:MOST]
    hover = [f"draw {i}" for i in range(len(images))]
    return _gallery(as_pixels(images), hover, f"{len(images)} codes drawn from the prior, decoded")


def style_grid(images: np.ndarray) -> go.Figure:
    """Draw each cluster decoded with several styles, a cluster a row.

    Parameters
    ----------
    images : ndarray, shape (K, s, …)
        Images in 0 … 1, or vectors; the same style down each column.
    """
    rows, columns = images.shape[:2]
    pictures = as_pixels(images.reshape(-1, *images.shape[2:]))
    pictures = pictures.reshape(rows, columns, *pictures.shape[1:])
    bars = np.broadcast_to(cluster_pixels(np.arange(rows))[:, None], (rows, columns, 4))
    raster = sheet(pictures, below=0.1, bars=bars)
    figure = go.Figure(raster.trace)
    hover = [f"cluster {j}, style {i + 1}" for j in range(rows) for i in range(columns)]
    _hover(figure, np.tile(np.arange(columns), rows), np.repeat(np.arange(rows) * raster.pitch, columns), hover)
    bottom = (rows - 1) * raster.pitch + raster.foot + 0.1
    frameless_axes(figure, columns, -raster.foot, bottom)
    where = np.arange(rows) * raster.pitch
    names = [f"cluster {j}" for j in range(rows)]
    figure.update_yaxes(showticklabels=True, tickvals=where, ticktext=names, tickfont={"size": 14})
    note(figure, "a cluster a row, a style a column", yshift=2)
    left = 80
    cell = min((WIDTH - left) / columns, 56)
    return styled(figure, round((bottom + raster.foot) * cell) + 36, margin={"l": left, "r": 8, "t": 28, "b": 8})


def _gallery(pixels: np.ndarray, hover: list[str], heading: str, texts: list[str] | None = None) -> go.Figure:
    """Return pictures (m, h, w, 4) in rows of at most eight, with a line of text under each if there is one."""
    count, columns = len(pixels), min(COLUMNS, len(pixels))
    rows = -(-count // columns)
    padded = np.zeros((rows * columns, *pixels.shape[1:]), np.uint8)
    padded[:count] = pixels
    below = TEXT * columns / WIDTH if texts else 0.06
    raster = sheet(padded.reshape(rows, columns, *pixels.shape[1:]), below=below)
    figure = go.Figure(raster.trace)
    x, y = np.arange(count) % columns, np.arange(count) // columns * raster.pitch
    _hover(figure, x, y, hover)
    if texts:
        figure.add_scatter(
            x=x,
            y=y + raster.foot + 0.5 * below,
            text=texts,
            mode="text",
            textfont={"size": 14},
            hoverinfo="skip",
            showlegend=False,
        )
    bottom = (rows - 1) * raster.pitch + raster.foot + below
    frameless_axes(figure, columns, -raster.foot, bottom)
    note(figure, heading, yshift=2)
    top = 28 + 19 * heading.count("<br>")
    height = round((bottom + raster.foot) * WIDTH / columns) + top + 8
    return styled(figure, height, margin={"l": 8, "r": 8, "t": top, "b": 8}, showlegend=False)


def _hover(figure: go.Figure, x: np.ndarray, y: np.ndarray, texts: list[str]) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 30, "opacity": 0},
        hovertext=texts,
        hoverinfo="text",
        showlegend=False,
    )
