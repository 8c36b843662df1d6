"""The map as a figure that can be kept: samples, centroids, and where the centroids came from."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import cluster_colour, mixed
from clustlab.figures.style import bare_axis, note, styled

__all__ = ["latent"]

SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star", "pentagon", "hexagram")
VECTOR_UP_TO = 5000
"""Points up to which the figure is vector graphics, to be saved as SVG; beyond, it is drawn by WebGL."""


def latent(
    points: np.ndarray,
    centroids: np.ndarray,
    labels: np.ndarray,
    *,
    colour: Literal["cluster", "class", "confidence", "loss"] = "cluster",
    values: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    trails: np.ndarray | None = None,
    selected: int | None = None,
    remark: str = "",
) -> go.Figure:
    """Draw the samples on the plane, coloured, with centroids and their trails.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Samples on the plane.
    centroids : ndarray, shape (K, 2)
        Centroids in the same plane.
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    colour : str
        ``cluster``, or what ``values`` (n,) holds: ``class`` (int), ``confidence`` (0 … 1) or ``loss``.
    class_names : sequence of str
        Names of the classes, for the legend.
    trails : ndarray, shape (t, K, 2), optional
        Earlier places of the centroids, oldest first.
    selected : int, optional
        Sample to be ringed.
    remark : str
        A sentence above the map, such as how far distances may be trusted.
    """
    figure = go.Figure()
    kind = "scatter" if len(points) <= VECTOR_UP_TO else "scattergl"
    if colour in ("cluster", "class"):
        groups = labels if colour == "cluster" or values is None else values
        _grouped(figure, kind, points, np.asarray(groups, np.int64), colour, class_names)
    else:
        _graded(figure, kind, points, labels, np.asarray(values, np.float64), colour)
    if trails is not None and len(trails):
        _trails(figure, kind, np.concatenate([trails, centroids[None]]))
    getattr(figure, f"add_{kind}")(
        x=centroids[:, 0],
        y=centroids[:, 1],
        mode="markers",
        name="centroids",
        showlegend=False,
        marker={
            "size": 16,
            "symbol": "diamond",
            "color": [cluster_colour(j) for j in range(len(centroids))],
            "line": {"color": "white", "width": 2},
        },
        hovertext=[f"centroid {j}" for j in range(len(centroids))],
        hoverinfo="text",
    )
    if selected is not None:
        getattr(figure, f"add_{kind}")(
            x=points[selected : selected + 1, 0],
            y=points[selected : selected + 1, 1],
            mode="markers",
            name=f"sample {selected}",
            showlegend=False,
            marker={"size": 18, "symbol": "circle-open", "line": {"width": 3}, "color": "#D55E00"},
            hoverinfo="name",
        )
    if remark:
        note(figure, "<br>".join(textwrap.wrap(remark, 72)), y=0, yanchor="top", yshift=-8)
    figure.update_xaxes(**bare_axis())
    figure.update_yaxes(**bare_axis(scaleanchor="x", scaleratio=1))
    margin = {"l": 16, "r": 16, "b": 60, "t": 16}
    return styled(figure, 600, legend={"orientation": "v", "x": 1.01, "y": 1, "yanchor": "top"}, margin=margin)


def _grouped(
    figure: go.Figure, kind: str, points: np.ndarray, groups: np.ndarray, colour: str, class_names: Sequence[str]
) -> None:
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        name = class_names[group] if colour == "class" and 0 <= group < len(class_names) else f"{colour} {group}"
        getattr(figure, f"add_{kind}")(
            x=points[rows, 0],
            y=points[rows, 1],
            mode="markers",
            name=name,
            marker={
                "size": 6,
                "color": cluster_colour(int(group)),
                "opacity": 0.8,
                # A class is told by its shape too: where classes are shown, colour may mean clusters elsewhere.
                "symbol": SYMBOLS[int(group) % len(SYMBOLS)] if colour == "class" else "circle",
            },
            hovertext=[f"sample {row}" for row in rows],
            hoverinfo="text+name",
        )


def _graded(
    figure: go.Figure, kind: str, points: np.ndarray, labels: np.ndarray, values: np.ndarray, colour: str
) -> None:
    title = {"confidence": "confidence", "loss": "reconstruction error"}[colour]
    getattr(figure, f"add_{kind}")(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        name=title,
        showlegend=False,
        marker={
            "size": 6,
            "color": values,
            "colorscale": "Cividis",
            "reversescale": colour == "loss",
            "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 14, "tickfont": {"size": 14}},
        },
        hovertext=[f"sample {i}: cluster {j}, {v:.3g}" for i, (j, v) in enumerate(zip(labels, values, strict=True))],
        hoverinfo="text",
    )


def _trails(figure: go.Figure, kind: str, path: np.ndarray) -> None:
    """Draw each centroid's way, the past fainter: three pieces a centroid."""
    pieces = np.array_split(np.arange(len(path)), min(3, len(path)))
    for cluster in range(path.shape[1]):
        for share, piece in zip(np.linspace(0.25, 0.9, len(pieces)), pieces, strict=True):
            ends = slice(max(piece[0] - 1, 0), piece[-1] + 1)
            getattr(figure, f"add_{kind}")(
                x=path[ends, cluster, 0],
                y=path[ends, cluster, 1],
                mode="lines",
                showlegend=False,
                line={"width": 3, "color": mixed(cluster_colour(cluster), float(share))},
                hoverinfo="skip",
            )
