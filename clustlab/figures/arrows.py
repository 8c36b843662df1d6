"""What draws the codes where? Arrows from each code to what its clustering term asks of it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL, cluster_colour, mixed
from clustlab.figures.plane import ARROWS, add_arrows, add_cloud, add_key, plane_axes, plane_height, shown_rows
from clustlab.figures.style import note, shorten, styled, wrapped

__all__ = ["pull", "split_copies", "three_pulls"]

LOSSES = ("ABC", "Gaussian-KLD", "DCAN")
LOSS_COLOURS = (CLUSTER_COLOURS[0], CLUSTER_COLOURS[1], CLUSTER_COLOURS[3])
LONGEST = 0.16
"""Length of the longest arrow of each loss, as a share of the plane's width."""
TRIPLES = 24


def pull(
    points: np.ndarray,
    targets: np.ndarray,
    labels: np.ndarray,
    *,
    titles: tuple[str, str] = ("first axis", "second axis"),
    names: np.ndarray | None = None,
    selected: int | None = None,
) -> go.Figure:
    """Draw an arrow from codes to the points towards which the clustering term draws them.

    Parameters
    ----------
    points, targets : ndarray, shape (n, 2)
        Codes and what they are drawn to, in the plane.
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    titles, names, selected
        As in :func:`clustlab.figures.mixture.mixture`.
    """
    figure = go.Figure()
    rows = shown_rows(len(points), ARROWS, selected)
    for cluster in np.unique(labels[rows]):
        own = rows[labels[rows] == cluster]
        colour = mixed(cluster_colour(int(cluster)), 0.8)
        add_arrows(figure, points[own], targets[own], name=f"pull, cluster {cluster}", colour=colour)
    add_cloud(figure, points, labels, names=names, selected=selected, opacity=0.4, size=5)
    length = np.linalg.norm(targets - points, axis=1).mean() / _radius(points)
    text, height = wrapped(f"{len(rows)} arrows, in this plane; mean length {length:.0%} of the codes’ spread")
    note(figure, text)
    plane_axes(figure, titles)
    below = plane_height(points, targets[rows])
    return styled(figure, below + height + 56, margin={"t": height + 4}, showlegend=False)


def split_copies(
    points: np.ndarray,
    copies: np.ndarray,
    duals: np.ndarray,
    labels: np.ndarray,
    *,
    titles: tuple[str, str] = ("first axis", "second axis"),
    names: np.ndarray | None = None,
    selected: int | None = None,
) -> go.Figure:
    """Draw the three variables of ADMM: the code z, its copy y, and y + u, towards which the network is drawn.

    Parameters
    ----------
    points, copies : ndarray, shape (n, 2)
        Codes z and copies y in the plane.
    duals : ndarray, shape (n, 2)
        Scaled dual variables u, as displacements in the plane.
    labels, titles, names, selected
        As in :func:`pull`.
    """
    figure = go.Figure()
    rows = shown_rows(len(points), ARROWS // 2, selected)
    for cluster in np.unique(labels[rows]):
        own = rows[labels[rows] == cluster]
        colour = cluster_colour(int(cluster))
        ends = copies[own]
        add_arrows(figure, points[own], ends, name=f"z to y, cluster {cluster}", colour=mixed(colour, 0.85))
        add_arrows(
            figure,
            ends,
            ends + duals[own],
            name=f"u, cluster {cluster}",
            colour=mixed(colour, 0.6),
            dash="dot",
        )
        figure.add_scatter(
            x=ends[:, 0],
            y=ends[:, 1],
            mode="markers",
            name=f"y, cluster {cluster}",
            marker={"symbol": "diamond-open", "size": 8, "color": colour, "line": {"width": 1.5}},
            hoverinfo="skip",
            showlegend=False,
        )
    add_cloud(figure, points, labels, names=names, selected=selected, opacity=0.2, size=5)
    add_cloud(figure, points, labels, rows=rows, names=names, size=7)
    add_key(figure, "z", mode="markers", marker={"size": 7, "color": NEUTRAL})
    add_key(figure, "y", mode="markers", marker={"size": 9, "symbol": "diamond-open", "color": NEUTRAL})
    add_key(figure, "z → y", mode="lines", line={"width": 2, "color": NEUTRAL})
    add_key(figure, "y → y + u", mode="lines", line={"width": 2, "dash": "dot", "color": NEUTRAL})
    apart = float(np.sqrt(np.square(copies - points).sum(axis=1).mean()))
    note(figure, f"root mean square of ‖y − z‖ in this plane: {shorten(apart)}", yshift=32)
    plane_axes(figure, titles)
    return styled(figure, plane_height(points, copies[rows]) + 112, margin={"t": 60})


def three_pulls(
    points: np.ndarray,
    pulls: np.ndarray,
    labels: np.ndarray,
    *,
    titles: tuple[str, str] = ("first axis", "second axis"),
    names: np.ndarray | None = None,
    selected: int | None = None,
) -> go.Figure:
    """Draw three arrows a sample: where the ABC, Gaussian-KLD and DCAN losses would move its code.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Codes in the plane.
    pulls : ndarray, shape (s, 3, 2)
        Steps that the losses ask of the first s samples. Only their directions and, within one loss, their lengths
        can be compared: each loss is drawn on a scale of its own.
    labels, titles, names, selected
        As in :func:`pull`.
    """
    figure = go.Figure()
    rows = shown_rows(len(pulls), TRIPLES, selected if selected is not None and selected < len(pulls) else None)
    add_cloud(figure, points, labels, names=names, selected=selected, opacity=0.3)
    add_cloud(figure, points, labels, rows=rows, names=names, size=8)
    reach = LONGEST * float(np.ptp(points, axis=0).max() or 1.0)
    for i, (loss, colour) in enumerate(zip(LOSSES, LOSS_COLOURS, strict=True)):
        steps = pulls[rows, i].astype(np.float64)
        longest = float(np.linalg.norm(steps, axis=1).max(initial=0.0))
        steps = steps * (reach / longest if longest > 0 else 0.0)
        add_arrows(figure, points[rows], points[rows] + steps, name=loss, colour=colour, width=2)
        add_key(figure, loss, mode="lines", line={"width": 3, "color": colour})
    text, height = wrapped(f"{_agreement(pulls)} Each loss has a scale of its own.")
    note(figure, text, yshift=32)
    plane_axes(figure, titles)
    return styled(figure, plane_height(points) + height + 84, margin={"t": 32 + height})


def _agreement(pulls: np.ndarray) -> str:
    """Return how far the three losses agree: the mean cosine of each pair."""
    length = np.linalg.norm(pulls.astype(np.float64), axis=2, keepdims=True)
    units = pulls / np.where(length > 0, length, 1.0)
    pairs = [
        (LOSSES[i], LOSSES[j], (units[:, i] * units[:, j]).sum(axis=1).mean()) for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    return "Mean cosine: " + ", ".join(f"{one} and {other} {cosine:+.2f}" for one, other, cosine in pairs) + "."


def _radius(points: np.ndarray) -> float:
    return float(np.sqrt(np.square(points - points.mean(axis=0)).sum(axis=1).mean())) or 1.0
