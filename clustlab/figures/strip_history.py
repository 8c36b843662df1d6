"""The same strip at different times: how what lies between two samples became realistic, or did not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, sheet
from clustlab.figures.style import note, styled

__all__ = ["strip_history"]

LEFT = 96
"""Pixels left of the pictures, for the steps."""


def strip_history(
    strips: np.ndarray,
    steps: Sequence[int],
    alpha: np.ndarray,
    *,
    strip_labels: np.ndarray | None = None,
    pair: str = "",
) -> go.Figure:
    """Draw one pair's strip at several moments, the latest last.

    Parameters
    ----------
    strips : ndarray, shape (t, s, …)
        The strip at each moment: images in 0 … 1, or vectors.
    steps : sequence of int
        Training step of each moment.
    alpha : ndarray, shape (s,)
        Share of the second sample.
    strip_labels : ndarray of int, shape (t, s), optional
        Cluster of each mixed code, drawn as a bar under its picture.
    pair : str
        Which pair it is.
    """
    count, columns = strips.shape[:2]
    pictures = as_pixels(strips.reshape(-1, *strips.shape[2:]))
    pictures = pictures.reshape(count, columns, *pictures.shape[1:])
    bars = None if strip_labels is None else cluster_pixels(strip_labels)
    raster = sheet(pictures, below=0.06, bars=bars)
    figure = go.Figure(raster.trace)
    where = np.arange(count) * raster.pitch
    figure.add_scatter(
        x=np.tile(np.arange(columns), count),
        y=np.repeat(where, columns),
        mode="markers",
        marker={"size": 24, "opacity": 0},
        hovertext=[
            f"step {step:,}, α = {share:.2f}" + ("" if strip_labels is None else f"<br>cluster {int(labels[i])}")
            for step, labels in zip(steps, strips if strip_labels is None else strip_labels, strict=True)
            for i, share in enumerate(alpha)
        ],
        hoverinfo="text",
        showlegend=False,
    )
    bottom = where[-1] + raster.foot + 0.1
    frameless_axes(figure, columns, -raster.foot, bottom)
    figure.update_yaxes(
        showticklabels=True, tickvals=where, ticktext=[f"step {step:,}" for step in steps], tickfont={"size": 14}
    )
    ends = {"tickvals": [0, (columns - 1) / 2, columns - 1], "ticktext": ["α = 0", "α = ½", "α = 1"]}
    figure.update_xaxes(showticklabels=True, side="top", tickfont={"size": 14}, **ends)
    if pair:
        note(figure, pair, yshift=22)
    height = round((bottom + raster.foot) * (WIDTH - LEFT) / columns) + 64
    return styled(figure, height, margin={"l": LEFT, "r": 16, "t": 50, "b": 10}, showlegend=False)
