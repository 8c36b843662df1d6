"""Where does each component of the mixture lie, and how wide is it? Ellipses over the codes, and the weights."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.palette import NEUTRAL, cluster_colour
from clustlab.figures.plane import add_cloud, add_ellipse, ellipse, plane_axes, plane_height, plane_range
from clustlab.figures.style import axis, note, styled, wrapped

__all__ = ["active_components", "mixture"]

DEVIATIONS = 2.0
BARS, BETWEEN = 110, 68
"""Pixels of the weights below the plane, and between the two."""
FAINT = 0.2
"""A component with less than this share of an equal weight is drawn faintly."""


def active_components(weights: np.ndarray) -> float:
    """Return exp H(π) of mixture weights (K,): the number of equal components that would be as evenly spread."""
    shares = weights.astype(np.float64)
    shares = shares[shares > 0] / shares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def mixture(
    points: np.ndarray,
    labels: np.ndarray,
    means: np.ndarray,
    covariances: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    titles: tuple[str, str] = ("first axis", "second axis"),
    names: np.ndarray | None = None,
    selected: int | None = None,
) -> go.Figure:
    """Draw the Gaussian components as ellipses over the codes, and their weights below.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Codes in the plane.
    labels : ndarray of int, shape (n,)
        Cluster of each.
    means, covariances : ndarray, shapes (K, 2) and (K, 2, 2)
        The components' marginals in the plane.
    weights : ndarray, shape (K,), optional
        Mixture weights π; without them only the ellipses are drawn.
    titles : tuple of str
        What the two axes of the plane are.
    names : ndarray of int, shape (n,), optional
        What the samples are called.
    selected : int, optional
        A sample to be ringed.
    """
    count = len(means)
    shares = np.full(count, 1 / count) if weights is None else weights.astype(np.float64)
    outlines = [ellipse(means[j], covariances[j], DEVIATIONS) for j in range(count)]
    high = plane_height(points, *outlines)
    figure, inner = go.Figure(), high
    if weights is not None:
        inner += BARS + BETWEEN
        figure = make_subplots(rows=2, cols=1, row_heights=[high, BARS], vertical_spacing=BETWEEN / inner)
        _weights(figure, shares)
    add_cloud(figure, points, labels, names=names, selected=selected, opacity=0.6, size=5)
    for j in range(count):
        text = f"component {j}: π = {shares[j]:.3f}" if weights is not None else f"component {j}"
        add_ellipse(figure, outlines[j], j, text, 1.0 if shares[j] * count >= FAINT else 0.4)
    figure.add_scatter(
        x=means[:, 0],
        y=means[:, 1],
        mode="markers",
        name="means",
        marker={
            "size": 13,
            "symbol": "diamond",
            "color": [cluster_colour(j) for j in range(count)],
            "line": {"color": "white", "width": 2},
        },
        hovertext=[f"mean of component {j}" for j in range(count)],
        hoverinfo="text",
        showlegend=False,
    )
    plane = {"row": 1, "col": 1} if weights is not None else {}
    _plane(figure, titles, plane)
    sentence = f"outlines: {DEVIATIONS:g} standard deviations, in this plane"
    if weights is None:
        text, height = wrapped(sentence)
        note(figure, text)
        return styled(figure, inner + height + 56, margin={"t": height + 4}, showlegend=False)
    text, height = wrapped(sentence, f"components in use, exp H(π): {active_components(shares):.1f} of {count}")
    note(figure, text)
    return styled(figure, inner + height + 56, margin={"t": height + 4}, showlegend=False)


def _plane(figure: go.Figure, titles: tuple[str, str], place: dict[str, int]) -> None:
    if not place:
        plane_axes(figure, titles)
        return
    across, upwards = ({"nticks": 7, "constrain": "domain", "range": plane_range(figure, letter)} for letter in "xy")
    figure.update_xaxes(**axis(titles[0], **across), **place)
    figure.update_yaxes(**axis(titles[1], **upwards, scaleanchor="x", scaleratio=1), **place)


def _weights(figure: go.Figure, shares: np.ndarray) -> None:
    figure.add_bar(
        x=np.arange(len(shares)),
        y=shares,
        name="weights",
        marker={"color": [cluster_colour(j) for j in range(len(shares))], "line": {"width": 0}},
        hovertemplate="component %{x}: π = %{y:.4f}<extra></extra>",
        showlegend=False,
        row=2,
        col=1,
    )
    figure.add_hline(y=1 / len(shares), line={"dash": "dash", "width": 2, "color": NEUTRAL}, row=2, col=1)
    every = max(1, -(-len(shares) // 15))
    figure.update_xaxes(**axis("component (dashed: equal weights)", dtick=every, showgrid=False), row=2, col=1)
    figure.update_yaxes(**axis("weight π", rangemode="tozero", nticks=4), row=2, col=1)
