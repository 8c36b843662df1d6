"""What a data set looks like before anything is trained: how many samples each class has, and its principal plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import NEUTRAL, cluster_colour
from clustlab.figures.style import axis, styled

__all__ = ["class_counts", "plane"]

ROW = 24
"""Pixels of a class."""


def class_counts(counts: Sequence[int], names: Sequence[str]) -> go.Figure:
    """Draw how many samples each class has; balanced classes are bars of one length.

    Parameters
    ----------
    counts : sequence of int
        Number of samples of each class.
    names : sequence of str
        Names of the classes, in the same order.
    """
    total = max(sum(counts), 1)
    figure = go.Figure(
        go.Bar(
            x=list(counts),
            y=list(range(len(counts))),
            orientation="h",
            marker={"color": [cluster_colour(label) for label in range(len(counts))]},
            customdata=[[name, count / total] for name, count in zip(names, counts, strict=True)],
            hovertemplate="%{customdata[0]}: %{x:,} samples, %{customdata[1]:.1%}<extra></extra>",
        )
    )
    ticks = {"tickvals": list(range(len(names))), "ticktext": [f"{name} " for name in names]}
    figure.update_yaxes(**axis(autorange="reversed", showgrid=False), tickmode="array", **ticks)
    figure.update_xaxes(**axis("samples of each class", separatethousands=True))
    return styled(figure, ROW * len(counts) + 90, margin={"t": 10, "l": 10}, bargap=0.25)


def plane(points: np.ndarray, y: np.ndarray | None, names: Sequence[str], share: tuple[float, float]) -> go.Figure:
    """Draw samples in the plane in which they spread most, in the colours of their classes.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    y : ndarray of int, shape (n,), optional
        Class of each sample.
    names : sequence of str
        Names of the classes.
    share : (float, float)
        Share of the variance along each axis, 0 … 1.
    """
    figure = go.Figure()
    classes = [(-1, "samples", slice(None))] if y is None else [(k, name, y == k) for k, name in enumerate(names)]
    for label, name, members in classes:
        x, height = points[members].T
        figure.add_scattergl(
            x=x,
            y=height,
            mode="markers",
            name=name,
            marker={"size": 5, "opacity": 0.75, "color": cluster_colour(label) if label >= 0 else NEUTRAL},
            hovertemplate=f"{name}<extra></extra>",
            showlegend=y is not None,
        )
    titles = [f"component {at + 1}, {each:.0%} of the variance" for at, each in enumerate(share)]
    figure.update_xaxes(**axis(titles[0], showticklabels=False, showgrid=False))
    figure.update_yaxes(**axis(titles[1], showticklabels=False, showgrid=False, scaleanchor="x"))
    legend = {"orientation": "v", "x": 1.02, "y": 1, "xanchor": "left", "yanchor": "top", "font": {"size": 14}}
    return styled(figure, 420, margin={"t": 10, "l": 50}, legend=legend, hovermode="closest")
