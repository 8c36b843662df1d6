"""Do clusters and classes agree? A table of counts, clusters put in the order of the classes they match best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.style import axis, note, styled, write_cells

__all__ = ["confusion", "matching"]

COUNTS_UP_TO = 15
"""Cells beyond this many a side are too small for a number."""
PALE = [[0.0, "rgba(25,130,200,0.03)"], [1.0, "rgba(25,130,200,0.55)"]]
"""Never so full that the page's text colour, dark or light, could not be read on it."""


def matching(counts: np.ndarray) -> np.ndarray:
    """Return the clusters (K,) ordered so that as many samples as can be lie on the diagonal (Hungarian method).

    Parameters
    ----------
    counts : ndarray of int, shape (K, C)
        Samples of each cluster and class. Clusters without a class of their own come last.
    """
    from scipy.optimize import linear_sum_assignment

    clusters, classes = linear_sum_assignment(-counts)
    matched = clusters[np.argsort(classes)]
    return np.concatenate([matched, np.setdiff1d(np.arange(len(counts)), matched)])


def confusion(labels: np.ndarray, y: np.ndarray, n_clusters: int, class_names: Sequence[str] = ()) -> go.Figure:
    """Draw the counts of clusters × classes after matching; each cell knows its cluster and class.

    Parameters
    ----------
    labels, y : ndarray of int, shape (n,)
        Cluster and class of each sample.
    n_clusters : int
        Number of clusters K.
    class_names : sequence of str
        Names of the classes.
    """
    n_classes = max(len(class_names), int(y.max()) + 1)
    names = [*map(str, class_names), *map(str, range(len(class_names), n_classes))]
    counts = np.zeros((n_clusters, n_classes), np.int64)
    np.add.at(counts, (labels, y), 1)
    order = matching(counts)
    counts = counts[order]
    clusters = [f"cluster {j}" for j in order]
    numbered = max(counts.shape) <= COUNTS_UP_TO
    figure = go.Figure(
        go.Heatmap(
            z=counts,
            x=names,
            y=clusters,
            colorscale=PALE,
            zmin=0,
            showscale=False,
            xgap=1,
            ygap=1,
            customdata=np.stack(np.broadcast_arrays(order[:, None], np.arange(n_classes)), axis=-1),
            meta={"selects": ["cluster", "class"]},
            hovertemplate="%{z} samples of class %{x} in %{y}<extra></extra>",
        )
    )
    if numbered:
        write_cells(figure, counts, names, clusters)
    agree = np.diagonal(counts).sum() / max(len(labels), 1)
    note(figure, f"{agree:.1%} of the samples lie on the diagonal", yshift=4)
    figure.update_xaxes(**axis("class", type="category", side="bottom", showgrid=False))
    figure.update_yaxes(**axis("", type="category", autorange="reversed", showgrid=False))
    return styled(figure, min(84 + 31 * len(counts), 900), margin={"l": 90, "t": 26})
