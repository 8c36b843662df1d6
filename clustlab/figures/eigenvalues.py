"""How many directions matter, and how many clusters are there? Eigenvalues, and the gap between them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.style import axis, note, styled, wrapped

__all__ = ["eigengap", "largest_gap", "scree"]

BARS = 60
"""Axes of a scree plot; later ones are too small to be seen."""


def scree(explained: np.ndarray) -> go.Figure:
    """Draw the share of the variance along each axis, and the share of all axes up to it.

    Parameters
    ----------
    explained : ndarray, shape (r,)
        Share of the variance along each axis, 0 … 1, falling.
    """
    explained = explained.astype(np.float64)
    total = np.cumsum(explained)
    ordinal = np.arange(1, len(explained) + 1)[:BARS]
    figure = go.Figure()
    figure.add_bar(
        x=ordinal,
        y=explained[:BARS],
        name="this axis",
        marker={"color": CLUSTER_COLOURS[0], "line": {"width": 0}},
        hovertemplate="axis %{x}: %{y:.1%} of the variance<extra></extra>",
    )
    figure.add_scatter(
        x=ordinal,
        y=total[:BARS],
        mode="lines+markers",
        name="all axes up to it",
        line={"width": 2, "color": CLUSTER_COLOURS[3]},
        hovertemplate="the first %{x} axes: %{y:.1%} of the variance<extra></extra>",
    )
    half = int(np.searchsorted(total, 0.5)) + 1
    text = f"{len(explained)} axes hold {min(total[-1], 1):.0%} of the variance"
    text += f", the first {half} half of it" if total[-1] >= 0.5 else ""
    note(figure, text, yshift=32)
    figure.update_xaxes(
        **axis(
            "axis, by falling variance",
            dtick=max(1, round(len(ordinal) / 12)),
            showgrid=False,
            range=[0.4, len(ordinal) + 0.6],
        )
    )
    figure.update_yaxes(**axis("share of the variance", tickformat=".0%", range=[0, 1.03 * max(total[-1], 0.01)]))
    return styled(figure, 400, margin={"t": 56})


def largest_gap(eigenvalues: np.ndarray) -> int:
    """Return k, the number of eigenvalues (r,) below the largest step between two neighbours."""
    return int(np.diff(eigenvalues.astype(np.float64)).argmax()) + 1 if len(eigenvalues) > 1 else len(eigenvalues)


def eigengap(eigenvalues: np.ndarray, n_clusters: int) -> go.Figure:
    """Draw the smallest eigenvalues of a graph's Laplacian and the steps between them.

    Parameters
    ----------
    eigenvalues : ndarray, shape (r,)
        Smallest eigenvalues of the normalised Laplacian, 0 … 2, rising.
    n_clusters : int
        Number of clusters K that was asked for.
    """
    values = eigenvalues.astype(np.float64)
    ordinal = np.arange(1, len(values) + 1)
    figure = go.Figure()
    figure.add_scatter(
        x=ordinal,
        y=values,
        mode="lines+markers",
        name="eigenvalue",
        line={"width": 1.5, "color": NEUTRAL},
        marker={"size": 9, "color": CLUSTER_COLOURS[0]},
        hovertemplate="eigenvalue %{x}: %{y:.4g}<extra></extra>",
    )
    figure.add_bar(
        x=ordinal[:-1] + 0.5,
        y=np.diff(values),
        width=0.5,
        name="step to the next",
        marker={"color": CLUSTER_COLOURS[1], "opacity": 0.8, "line": {"width": 0}},
        hovertemplate="step of %{y:.4g}<extra></extra>",
    )
    figure.add_vline(x=n_clusters + 0.5, line={"width": 2, "dash": "dash", "color": NEUTRAL})
    here = largest_gap(values)
    same = "as many as were asked for" if here == n_clusters else f"{n_clusters} were asked for (dashed)"
    text, height = wrapped(f"the largest step follows eigenvalue {here}, which suggests {here} clusters; {same}")
    note(figure, text, yshift=32)
    figure.update_xaxes(
        **axis(
            "eigenvalue, in rising order",
            dtick=max(1, round(len(values) / 12)),
            showgrid=False,
            range=[0.6, len(values) + 0.4],
        )
    )
    figure.update_yaxes(**axis("eigenvalue of the normalised Laplacian", rangemode="tozero"))
    return styled(figure, 380 + height, margin={"t": 30 + height})
