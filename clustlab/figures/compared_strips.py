"""What lies between the same two samples, in the eyes of several runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, sheet
from clustlab.figures.style import styled

__all__ = ["compared_strips"]

LEFT = 40
"""Pixels left of the pictures, for the runs."""

GAP = 0.45
"""Space between two pairs, in widths of a picture."""


def compared_strips(
    strips: Sequence[np.ndarray],
    alpha: np.ndarray,
    names: Sequence[str],
    *,
    labels: Sequence[np.ndarray] | None = None,
    ends: np.ndarray | None = None,
) -> go.Figure:
    """Draw each pair's strips one under the other, a row for each run.

    Parameters
    ----------
    strips : sequence of ndarray, (m, s, …)
        For each run the decoded mixtures of the same m pairs: images in 0 … 1, or vectors.
    alpha : ndarray, (s,)
        Share of the second sample.
    names : sequence of str
        What each run is called, a letter.
    labels : sequence of ndarray of int, (m, s), optional
        For each run the cluster of each mixed code, counterparts by the same number; a bar under each picture.
    ends : ndarray, (m, 2, …), optional
        The real samples of each pair, uint8 images or vectors, left and right of the strips.
    """
    stacked = np.stack(strips, axis=1)  # pair, run, step
    count, n_runs, steps = stacked.shape[:3]
    shape = stacked.shape[3:]
    rows = stacked.reshape(count * n_runs, steps, *shape).astype(np.float32)
    beside = 0 if ends is None else 1
    if ends is not None:
        real = ends.astype(np.float32) / (255 if ends.dtype == np.uint8 else 1)
        real = np.repeat(real.reshape(count, 2, *shape), n_runs, axis=0)
        rows = np.concatenate([real[:, :1], rows, real[:, 1:]], axis=1)
    pictures = as_pixels(rows.reshape(-1, *shape))
    pictures = pictures.reshape(*rows.shape[:2], *pictures.shape[1:])
    bars = None
    if labels is not None:
        clusters = np.stack(labels, axis=1).reshape(count * n_runs, steps).astype(np.int64)
        bars = cluster_pixels(np.pad(clusters, ((0, 0), (beside, beside)), constant_values=-1))
    figure = go.Figure()
    middles, bottom = _place(figure, pictures, bars, n_runs)
    columns = pictures.shape[1]
    figure.add_scatter(
        x=np.tile(np.arange(steps) + beside, len(middles)),
        y=np.repeat(middles, steps),
        mode="markers",
        marker={"size": 24, "opacity": 0},
        hovertext=[f"run {names[row % n_runs]}, α = {share:.2f}" for row in range(len(middles)) for share in alpha],
        hoverinfo="text",
        showlegend=False,
    )
    frameless_axes(figure, columns, -0.6, bottom)
    figure.update_yaxes(
        showticklabels=True, tickvals=middles, ticktext=list(names) * count, tickfont={"size": 15}, ticklabelstandoff=6
    )
    ticks = [beside, beside + (steps - 1) / 2, beside + steps - 1]
    texts = ["α = 0", "α = ½", "α = 1"]
    if beside:
        ticks, texts = [0, *ticks, columns - 1], ["real", *texts, "real"]
    figure.update_xaxes(showticklabels=True, side="top", tickfont={"size": 14}, tickvals=ticks, ticktext=texts)
    height = round((bottom + 0.6) * 1.15 * WIDTH / columns) + 50
    return styled(figure, height, margin={"l": LEFT, "r": 8, "t": 34, "b": 8}, showlegend=False)


def _place(figure: go.Figure, pictures: np.ndarray, bars: np.ndarray | None, n_runs: int) -> tuple[list[float], float]:
    """Draw one raster a pair with a gap between; return the middles of all rows and where the last one ends."""
    middles: list[float] = []
    top = 0.0
    for first in range(0, len(pictures), n_runs):
        part = slice(first, first + n_runs)
        raster = sheet(pictures[part], below=0.06, bars=None if bars is None else bars[part])
        raster.trace.y0 += top
        figure.add_trace(raster.trace)
        middles += [top + row * raster.pitch for row in range(n_runs)]
        top += n_runs * raster.pitch + GAP
    return middles, middles[-1] + raster.foot + 0.1
