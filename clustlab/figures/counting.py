"""How fast does each centroid still move? Counts, step sizes 1/c, and how far centroids lag behind their samples."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.palette import cluster_colour
from clustlab.figures.style import axis, note, shorten, styled, wrapped

__all__ = ["counting", "dead_clusters"]

STARVED = 0.1
"""A cluster counts as dead where it has counted fewer samples than this share of the clusters' mean."""


def dead_clusters(counts: np.ndarray | None, sizes: np.ndarray) -> np.ndarray:
    """Return the clusters without a sample of the probe, or that have counted next to none: int64, (d,)."""
    dead = np.asarray(sizes) == 0
    if counts is not None:
        dead |= counts < STARVED * counts.mean()
    return np.flatnonzero(dead)


def counting(counts: np.ndarray | None, staleness: np.ndarray | None, sizes: np.ndarray) -> go.Figure:
    """Draw what online centroids have counted, their step sizes and their lag.

    Parameters
    ----------
    counts : ndarray, shape (K,), optional
        Samples that each centroid has counted.
    staleness : ndarray, shape (K,), optional
        Distance of each centroid to the mean of its samples, as share of the codes' standard deviation.
    sizes : ndarray of int, shape (K,)
        Samples of the probe in each cluster.
    """
    rows: list[tuple[str, str, np.ndarray, dict[str, object]]] = []
    ground: dict[str, object] = {"rangemode": "tozero"}
    if counts is not None:
        steps = 1 / np.maximum(counts.astype(np.float64), 1e-12)
        rows.append(("samples counted", "counted: %{y:,.0f}", counts.astype(np.float64), ground))
        powers: dict[str, object] = {"type": "log", "exponentformat": "power", "dtick": 1}
        wide = steps.max() > 10 * steps.min()
        rows.append(("step size 1/c", "1/c = %{y:.3g}", steps, powers if wide else ground))
    if staleness is not None:
        rows.append(("lag, standard deviations", "lag: %{y:.3f}", staleness.astype(np.float64), ground))
    clusters = np.arange(len(sizes))
    colours = [cluster_colour(j) for j in range(len(sizes))]
    figure = make_subplots(rows=len(rows), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    for row, (title, hover, heights, looks) in enumerate(rows, start=1):
        logarithmic = looks.get("type") == "log"
        # Bars of a logarithmic axis have no ground to stand on; dots have none to need.
        drawn = {"mode": "markers", "marker": {"color": colours, "size": 13}}
        bars = {"marker": {"color": colours, "line": {"width": 0}}}
        add = figure.add_scatter if logarithmic else figure.add_bar
        more = drawn if logarithmic else bars
        hover = f"cluster %{{x}}, {hover}<extra></extra>"
        add(x=clusters, y=heights, name=title, hovertemplate=hover, **more, row=row, col=1)
        figure.update_yaxes(**axis(title, **looks), row=row, col=1)
    every = max(1, -(-len(sizes) // 15))
    figure.update_xaxes(dtick=every, tickfont={"size": 14}, showgrid=False)
    figure.update_xaxes(**axis("cluster"), row=len(rows), col=1)
    text, height = wrapped(*_sentences(counts, staleness, sizes))
    note(figure, text)
    return styled(figure, 60 + 150 * len(rows) + height, margin={"t": height + 4}, showlegend=False)


def _sentences(counts: np.ndarray | None, staleness: np.ndarray | None, sizes: np.ndarray) -> list[str]:
    dead = dead_clusters(counts, sizes)
    names = ", ".join(map(str, dead[:8])) + ("…" if len(dead) > 8 else "")
    sentences = [f"⚠ Dead clusters: {names}." if len(dead) else "No cluster is dead."]
    if staleness is not None:
        worst = int(staleness.argmax())
        sentences.append(f"The centroid of cluster {worst} lags most, by {shorten(float(staleness[worst]))}.")
    return sentences
