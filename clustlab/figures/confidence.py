"""How sure is the model? One histogram, each bar divided among the clusters."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import cluster_colour
from clustlab.figures.style import axis, styled

__all__ = ["confidence"]

BINS = 25


def confidence(values: np.ndarray, labels: np.ndarray, n_clusters: int, *, soft: bool) -> go.Figure:
    """Draw the histogram of the samples' confidence, stacked by cluster.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Confidence in 0 … 1.
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    n_clusters : int
        Number of clusters K.
    soft : bool
        Whether the values are the largest q_ij of each sample; otherwise the margin of the nearest centroid.
    """
    edges = np.linspace(0, 1, BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure()
    values = np.clip(values.astype(np.float64), 0, 1)
    for cluster in range(n_clusters):
        counts = np.histogram(values[labels == cluster], edges)[0]
        figure.add_bar(
            x=middles,
            y=counts,
            width=1 / BINS,
            name=f"cluster {cluster}",
            marker={"color": cluster_colour(cluster), "line": {"width": 0}},
            hovertemplate=f"cluster {cluster}: %{{y}} samples<extra></extra>",
            showlegend=False,
        )
    median = float(np.median(values))
    figure.add_vline(x=median, line={"dash": "dot", "width": 2, "color": "rgba(128,128,128,0.9)"})
    figure.add_annotation(
        x=median,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="right" if median > 0.6 else "left",
        text=f"half of the samples are below {median:.2f}",
        showarrow=False,
        font_size=14,
    )
    meaning = "largest q of a sample" if soft else "margin 1 − d₁/d₂ (nearest over second nearest centroid)"
    figure.update_xaxes(**axis(f"confidence: {meaning}", range=[0, 1]))
    figure.update_yaxes(**axis("samples of the probe"))
    return styled(figure, 340, margin={"t": 26}, barmode="stack", bargap=0)
