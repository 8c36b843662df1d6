"""Do clusters hang together, and are their subspaces apart? Affinities, residuals and principal angles."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.confusion import PALE
from clustlab.figures.palette import CLUSTER_COLOURS, cluster_colour
from clustlab.figures.style import SEQUENTIAL, axis, note, shorten, styled, wrapped, write_cells

__all__ = ["BAND", "affinity", "cluster_bands", "principal_angles", "residuals"]

ROWS = 200
BINS = 40
BAND = 0.025
"""Width of the band of cluster colours beside the matrix, as a share of it."""


def affinity(matrix: np.ndarray, rows: np.ndarray, labels: np.ndarray, names: np.ndarray | None = None) -> go.Figure:
    """Draw affinities between samples, sorted by cluster.

    Parameters
    ----------
    matrix : ndarray, shape (a, a)
        Affinity between some samples of the probe.
    rows : ndarray of int, shape (a,)
        Which ones.
    labels : ndarray of int, shape (n,)
        Cluster of each sample of the probe.
    names : ndarray of int, shape (n,), optional
        What the samples are called.
    """
    clusters = labels[rows].astype(np.int64)
    order = np.argsort(clusters, kind="stable")
    order = order[np.linspace(0, len(order) - 1, min(len(order), ROWS)).round().astype(np.int64)]
    values, clusters = matrix[np.ix_(order, order)].astype(np.float32), clusters[order]
    rows = rows[order]
    called = rows if names is None else names[rows]
    same = clusters[:, None] == clusters
    off = ~np.eye(len(values), dtype=bool)
    # A few strong edges must not make all others vanish; the diagonal says nothing.
    top = float(np.quantile(values[off], 0.99)) if off.any() else 1.0
    top = top or float(values.max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=np.round(values, 5),
            colorscale=SEQUENTIAL,
            zmin=0,
            zmax=top,
            colorbar={"thickness": 14, "tickfont": {"size": 14}, "len": 0.9, "nticks": 5},
            meta={"rows": rows.tolist()},
            hovertemplate="row %{y}, column %{x}: %{z:.3g}<extra></extra>",
        )
    )
    figure.update_layout(shapes=cluster_bands(clusters))
    inside = float(values[same].sum() / max(float(values.sum()), 1e-12))
    text, height = wrapped(
        f"{inside:.0%} of the affinity lies within clusters; an even spread would give {same.mean():.0%}",
        f"samples #{called[0]} to #{called[-1]}, sorted by cluster",
    )
    note(figure, text, yshift=2)
    n = len(values)
    span = [-0.5 - 1.6 * BAND * n, n - 0.5]
    figure.update_xaxes(**axis("samples", showticklabels=False, showgrid=False, range=span, constrain="domain"))
    upright = {"scaleanchor": "x", "scaleratio": 1, "constrain": "domain", "range": span[::-1]}
    figure.update_yaxes(**axis("samples, sorted by cluster", showticklabels=False, showgrid=False, **upright))
    return styled(figure, 460 + height, margin={"t": height + 4, "l": 40}, showlegend=False)


def cluster_bands(clusters: np.ndarray, subplot: str = "") -> list[dict[str, Any]]:
    """Return shapes with the colour of each cluster along the left and upper side of a matrix.

    Parameters
    ----------
    clusters : ndarray of int, shape (n,)
        Sorted.
    subplot : str
        Number of the axes: empty for the first.
    """
    n = len(clusters)
    outer, inner = -0.5 - 1.5 * BAND * n, -0.5 - 0.3 * BAND * n
    shapes = []
    for cluster in np.unique(clusters):
        where = np.flatnonzero(clusters == cluster)
        first, last = where[0] - 0.5, where[-1] + 0.5
        looks = {"type": "rect", "fillcolor": cluster_colour(int(cluster)), "line": {"width": 0}}
        looks |= {"xref": f"x{subplot}", "yref": f"y{subplot}"}
        shapes.append({**looks, "x0": outer, "x1": inner, "y0": first, "y1": last})
        shapes.append({**looks, "x0": first, "x1": last, "y0": outer, "y1": inner})
    return shapes


def residuals(pairs: np.ndarray) -> go.Figure:
    """Draw the squared distances to the own subspace, (r, 2): of members, and of random combinations of members."""
    values = pairs.astype(np.float64)
    top = max(float(values.max()), 1e-12)
    edges = np.linspace(0, top, BINS + 1)
    figure = go.Figure()
    names = (("members", CLUSTER_COLOURS[2]), ("random combinations", CLUSTER_COLOURS[3]))
    for column, (name, colour) in enumerate(names):
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=np.histogram(values[:, column], edges)[0],
            width=top / BINS,
            name=name,
            marker={"color": colour, "opacity": 0.6, "line": {"width": 0}},
            hovertemplate=f"{name}, %{{x:.3g}}: %{{y}}<extra></extra>",
        )
    medians = np.median(values, axis=0)
    text, height = wrapped(f"medians: members {shorten(medians[0])}, random combinations {shorten(medians[1])}")
    note(figure, text, yshift=32)
    figure.update_xaxes(**axis("squared distance to the own subspace, ‖z − UUᵀz‖²", rangemode="tozero"))
    figure.update_yaxes(**axis("number"))
    return styled(figure, 340 + height, margin={"t": 30 + height}, barmode="overlay", bargap=0)


def principal_angles(angles: np.ndarray) -> go.Figure:
    """Draw the smallest angle between the subspaces of every two clusters, (K, K) in degrees."""
    values = angles.astype(np.float64)
    count = len(values)
    off = ~np.eye(count, dtype=bool)
    names = [str(j) for j in range(count)]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=names,
            y=names,
            colorscale=PALE,
            zmin=0,
            zmax=90,
            xgap=1,
            ygap=1,
            colorbar={"thickness": 14, "tickfont": {"size": 14}, "tickvals": [0, 30, 60, 90], "ticksuffix": "°"},
            hovertemplate="clusters %{y} and %{x}: %{z:.0f}°<extra></extra>",
        )
    )
    if count <= 12:
        write_cells(figure, values, names, names, written="{:.0f}".format, shown=off)
    if off.any():
        i, j = np.unravel_index(np.where(off, values, np.inf).argmin(), values.shape)
        note(figure, f"closest: clusters {i} and {j}, {values[i, j]:.0f}°", yshift=2)
    figure.update_xaxes(**axis("cluster", type="category", showgrid=False, constrain="domain"))
    square = {"scaleanchor": "x", "scaleratio": 1, "constrain": "domain", "autorange": "reversed"}
    figure.update_yaxes(**axis("cluster", type="category", showgrid=False, **square))
    return styled(figure, 460, margin={"t": 30})
