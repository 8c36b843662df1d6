"""Between which clusters does each sample stand? p(y|x) in a triangle, or in a polygon with a corner a cluster."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import NEUTRAL, cluster_colour
from clustlab.figures.plane import POINTS, add_cloud
from clustlab.figures.style import bare_axis, note, styled, thinned, wrapped

__all__ = ["corners", "largest", "polygon", "simplex"]

SIDE = 330
"""Pixels that the drawing area is high."""
NAMED = 32
"""So many corners can still be named."""
GOLDEN = (5**0.5 - 1) / 2


def corners(count: int) -> np.ndarray:
    """Return the corners (count, 2) of a regular polygon of radius 1, the first one at the top, clockwise.

    Two corners lie beside one another, one is the middle.
    """
    if count == 1:
        return np.zeros((1, 2))
    angle = np.pi / 2 - 2 * np.pi * np.arange(count) / count + (np.pi / 2 if count == 2 else 0)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def largest(q: np.ndarray, count: int = 3) -> np.ndarray:
    """Return the clusters with the largest soft shares, at most ``count``, in the order of their ids: int64."""
    by_share = np.argsort(-q.astype(np.float64).sum(axis=0), kind="stable")
    return np.sort(by_share[:count]).astype(np.int64)


def simplex(
    q: np.ndarray, labels: np.ndarray, *, names: np.ndarray | None = None, selected: int | None = None
) -> go.Figure:
    """Draw soft assignments in the triangle of the three largest clusters, or of all where there are no more.

    Parameters
    ----------
    q : ndarray, shape (n, K)
        Soft assignments.
    labels : ndarray of int, shape (n,)
        Cluster of each sample, for its colour.
    names : ndarray of int, shape (n,), optional
        What samples are called.
    selected : int, optional
        A sample that is ringed.
    """
    chosen = largest(q)
    inside = q[:, chosen].astype(np.float64)
    mass = inside.sum(axis=1)
    rows = np.flatnonzero(mass >= 0.5)
    points = (inside / np.maximum(mass, 1e-12)[:, None]) @ corners(len(chosen))
    if len(chosen) < 3:  # a line has room beside it
        points[:, 1] = 0.5 * ((np.arange(len(points)) * GOLDEN) % 1 - 0.5)
    sentences = []
    if q.shape[1] > len(chosen):
        left_out = len(q) - len(rows)
        sentences.append(
            f"The three largest of {q.shape[1]} clusters. {left_out:,} of {len(q):,} samples belong for the most part "
            "to others and are left out."
        )
    sentences.append(_undecided(q[rows]))
    return _drawn(points, rows, chosen, labels, q, sentences, names, selected)


def polygon(
    q: np.ndarray, labels: np.ndarray, *, names: np.ndarray | None = None, selected: int | None = None
) -> go.Figure:
    """Draw soft assignments of all clusters: a sample is the mean of the corners, weighted by p(y|x).

    Takes what :func:`simplex` takes. With more than three corners it is a shadow of the simplex: what lies in the
    middle is undecided, or torn between corners that face one another.
    """
    points = q.astype(np.float64) @ corners(q.shape[1])
    if q.shape[1] < 3:
        points[:, 1] = 0.5 * ((np.arange(len(points)) * GOLDEN) % 1 - 0.5)
    every = np.arange(q.shape[1])
    return _drawn(points, np.arange(len(q)), every, labels, q, [_undecided(q)], names, selected)


def _undecided(q: np.ndarray) -> str:
    torn = int((q.max(axis=1, initial=0) < 0.5).sum())
    if not torn:
        return "Every sample shown gives one cluster at least one half."
    return f"{torn:,} of {len(q):,} samples shown give no cluster as much as one half."


def _drawn(
    points: np.ndarray,
    rows: np.ndarray,
    clusters: np.ndarray,
    labels: np.ndarray,
    q: np.ndarray,
    sentences: list[str],
    names: np.ndarray | None,
    selected: int | None,
) -> go.Figure:
    figure = go.Figure()
    places = corners(len(clusters))
    closed = np.concatenate([places, places[:1]])
    figure.add_scatter(
        x=closed[:, 0],
        y=closed[:, 1],
        mode="lines",
        line={"width": 1.5, "color": NEUTRAL},
        hoverinfo="skip",
        showlegend=False,
    )
    shown = rows[thinned(len(rows), POINTS)]
    ring = selected if selected is not None and selected in rows else None
    shown = shown if ring is None else np.union1d(shown, [ring])
    add_cloud(figure, points, labels, rows=shown, names=names, selected=ring, opacity=0.6, size=5)
    shares = np.bincount(labels.astype(np.int64), minlength=q.shape[1]) / max(len(labels), 1)
    figure.add_scatter(
        x=1.02 * places[:, 0],
        y=1.02 * places[:, 1],
        mode="markers",
        name="corners",
        marker={"size": 12, "symbol": "square", "color": [cluster_colour(int(j)) for j in clusters]},
        hovertext=[f"cluster {j}: {shares[j]:.1%} of the samples" for j in clusters],
        hoverinfo="text",
        showlegend=False,
    )
    if len(clusters) <= NAMED:
        few = len(clusters) <= 3
        for j, (x, y) in zip(clusters, places, strict=True):
            across = "center" if abs(x) < 0.3 or few else "left" if x > 0 else "right"
            upwards = "middle" if abs(y) < 0.3 and not few else "bottom" if y > 0.1 else "top"
            text = f"cluster {j}: {shares[j]:.0%}" if few else f"{j}"
            note(
                figure,
                text,
                xref="x",
                yref="y",
                x=1.07 * x,
                y=1.07 * y,
                xanchor=across,
                yanchor=upwards,
                align="center",
            )
    text, height = wrapped(*sentences)
    note(figure, text, yshift=4)
    low, high = (min(float(places[:, 1].min()), -0.3) - 0.2, max(float(places[:, 1].max()), 0.3) + 0.2)
    figure.update_xaxes(**bare_axis(range=[-1.3, 1.3], constrain="domain"))
    figure.update_yaxes(**bare_axis(range=[low, high], scaleanchor="x", scaleratio=1, constrain="domain"))
    return styled(figure, SIDE + height + 12, margin={"l": 8, "r": 8, "t": height + 4, "b": 8}, showlegend=False)
