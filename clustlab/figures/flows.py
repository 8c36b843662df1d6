"""Which samples changed their cluster? Bands from the clusters at one moment to those at another (Sankey diagram)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import cluster_colour, mixed
from clustlab.figures.style import note, styled

__all__ = ["flow_counts", "flows"]

ROW = 34
"""Pixels that a cluster is given, at least."""
GAP = 10
"""Pixels between two clusters."""


def flow_counts(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return how many samples went from each cluster to each, (K, K) int64, from clusters (n,) then and now."""
    size = int(max(before.max(initial=0), after.max(initial=0))) + 1
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (before.astype(np.int64), after.astype(np.int64)), 1)
    return counts


def flows(
    before: np.ndarray, after: np.ndarray, titles: tuple[str, str], frames: tuple[int, int] | None = None
) -> go.Figure:
    """Draw which samples went from which cluster to which.

    Parameters
    ----------
    before, after : ndarray of int, shape (n,)
        Cluster of each sample at two moments; the same number means the same cluster.
    titles : tuple of str
        The two moments.
    frames : tuple of int, optional
        Their numbers; with them a band and a cluster tell which samples they are.
    """
    counts = flow_counts(before, after)
    left, right = np.flatnonzero(counts.sum(axis=1)), np.flatnonzero(counts.sum(axis=0))
    source, target = np.nonzero(counts)
    sizes = [*counts.sum(axis=1)[left], *counts.sum(axis=0)[right]]
    nodes = [*map(int, left), *map(int, right)]
    rows = max(len(left), len(right))
    then, now = frames or (0, 0)
    told = {} if frames is None else {"meta": {"selects": ["cluster", "frame", "from", "since"]}}
    figure = go.Figure(
        go.Sankey(
            **told,
            arrangement="fixed",
            node={
                "label": [f"{j}: {size:,}" for j, size in zip(nodes, sizes, strict=True)],
                "color": [cluster_colour(j) for j in nodes],
                "x": [0.001] * len(left) + [0.999] * len(right),
                "y": [*_places(counts.sum(axis=1)[left]), *_places(counts.sum(axis=0)[right])],
                "customdata": [[int(j), then] for j in left] + [[int(j), now] for j in right],
                "pad": GAP,
                "thickness": 18,
                "line": {"width": 0},
                "hovertemplate": "cluster %{label} samples<extra></extra>",
            },
            link={
                "source": np.searchsorted(left, source),
                "target": len(left) + np.searchsorted(right, target),
                "value": counts[source, target],
                "customdata": [[int(b), now, int(a), then] for a, b in zip(source, target, strict=True)],
                "color": [mixed(cluster_colour(int(j)), 0.45) for j in source],
                "hovertemplate": "%{value} samples<br>from cluster %{source.label}<br>to cluster %{target.label}"
                "<extra></extra>",
            },
            textfont={"size": 14},
        )
    )
    stayed = np.trace(counts) / max(len(before), 1)
    note(figure, f"{titles[0]}<br>{stayed:.1%} of the samples stayed in their cluster", yshift=8)
    note(figure, titles[1], x=1, xanchor="right", y=0, yanchor="top", yshift=-8)
    return styled(figure, max(260, rows * ROW) + 90, margin={"l": 10, "r": 10, "t": 54, "b": 36})


def _places(sizes: np.ndarray) -> np.ndarray:
    """Return the middles of clusters drawn one below the other in the order of their numbers, 0 … 1."""
    shares = sizes / max(int(sizes.sum()), 1)
    return np.asarray(np.clip(np.cumsum(shares) - shares / 2, 0.001, 0.999))
