"""What do several networks agree on? Buckets round by round, agreement of networks and of pairs, and precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from sklearn.metrics import normalized_mutual_info_score

from clustlab.figures.confusion import PALE
from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL, cluster_colour
from clustlab.figures.style import axis, note, styled, thinned, wrapped, write_cells
from clustlab.metrics import match

__all__ = ["buckets", "models_agree", "pair_agreement", "pairs_together", "precision_and_coverage"]

NEGATIVE, UNDECIDED, POSITIVE = CLUSTER_COLOURS[0], NEUTRAL, CLUSTER_COLOURS[3]
POINTS = 200
NUMBERED = 10
"""Models up to which the heat map prints its numbers."""


def buckets(sizes: np.ndarray, n: int) -> go.Figure:
    """Draw how many samples are in the bucket of each cluster, round by round.

    Parameters
    ----------
    sizes : ndarray of int, shape (r, K)
        Samples in each bucket, one row for each time that buckets were looked for.
    n : int
        Samples in the data set.
    """
    figure = go.Figure()
    rounds = np.arange(1, len(sizes) + 1)
    for cluster in range(sizes.shape[1]):
        figure.add_bar(
            x=rounds,
            y=sizes[:, cluster],
            name=f"cluster {cluster}",
            marker={"color": cluster_colour(cluster), "line": {"width": 0}},
            hovertemplate=f"cluster {cluster}, after round %{{x}}: %{{y}} samples<extra></extra>",
        )
    for number, row in zip(rounds, sizes, strict=True):
        label = f"{row.sum() / n:.0%}" + (" ⚠" if row.min() == 0 else "")
        note(figure, label, xref="x", yref="y", x=int(number), y=int(row.sum()), xanchor="center", yshift=2)
    empty = [str(number) for number, row in zip(rounds, sizes, strict=True) if row.min() == 0]
    now = sizes[-1]
    sentences = [f"{now.sum()} of {n} samples are in buckets: {now.min()} in the smallest, {now.max()} in the largest"]
    if empty:
        sentences.append(f"⚠ A bucket stayed empty after round {', '.join(empty)}: nothing new was taught.")
    text, height = wrapped(*sentences)
    note(figure, text, yshift=2)
    figure.update_xaxes(**axis("after round", tickmode="linear", dtick=max(1, len(rounds) // 12), showgrid=False))
    figure.update_yaxes(**axis("samples with a pseudo-label", range=[0, 1.12 * max(int(sizes.sum(axis=1).max()), 1)]))
    return styled(figure, 360 + height, margin={"t": height + 4}, barmode="stack", bargap=0.3, showlegend=False)


def models_agree(signatures: np.ndarray, labels: np.ndarray) -> go.Figure:
    """Draw the normalised mutual information of the partitions of every two models, and of each with all together.

    Parameters
    ----------
    signatures : ndarray of int, shape (n, M)
        Cluster of each sample by each model.
    labels : ndarray of int, shape (n,)
        Cluster of each sample by all models together.
    """
    partitions = np.column_stack([signatures, labels])
    count = partitions.shape[1]
    values = np.ones((count, count))
    for i in range(count):
        for j in range(i):
            values[i, j] = values[j, i] = normalized_mutual_info_score(partitions[:, i], partitions[:, j])
    names = [str(model) for model in range(1, count)] + ["all"]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=names,
            y=names,
            colorscale=PALE,
            zmin=0,
            zmax=1,
            xgap=1,
            ygap=1,
            colorbar={"thickness": 14, "tickfont": {"size": 14}, "title": {"text": "NMI", "font": {"size": 14}}},
            hovertemplate="%{y} and %{x}: NMI %{z:.3f}<extra></extra>",
        )
    )
    if count <= NUMBERED + 1:
        others = ~np.eye(count, dtype=bool)
        write_cells(figure, values, names, names, written=lambda value: f"{value:.2f}".lstrip("0"), shown=others)
    between = values[:-1, :-1][np.triu_indices(count - 1, 1)]
    text, height = wrapped(f"two networks share {between.mean():.2f} on average, {between.min():.2f} at least")
    note(figure, text, yshift=2)
    figure.update_xaxes(**axis("network", type="category", showgrid=False, constrain="domain"))
    square = {"scaleanchor": "x", "scaleratio": 1, "constrain": "domain", "autorange": "reversed"}
    figure.update_yaxes(**axis("network", type="category", showgrid=False, **square))
    return styled(figure, 420 + height, margin={"t": height + 4})


def pairs_together(signatures: np.ndarray, y: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return how many pairs of samples 0 … M models put together, and how many of those are of one class.

    Parameters
    ----------
    signatures : ndarray of int, shape (n, M)
    y : ndarray of int, shape (n,), optional
        Classes; without them the second array is zero.
    """
    models = signatures.shape[1]
    columns = signatures if y is None else np.column_stack([signatures, y])
    distinct, counts = np.unique(columns, axis=0, return_counts=True)
    pairs, alike = np.zeros(models + 1, np.int64), np.zeros(models + 1, np.int64)
    for i, (row, count) in enumerate(zip(distinct, counts, strict=True)):
        rest, sizes = distinct[i + 1 :], counts[i + 1 :] * count
        agreement = (rest[:, :models] == row[:models]).sum(axis=1)
        pairs += np.bincount(agreement, sizes, minlength=models + 1).astype(np.int64)
        pairs[models] += count * (count - 1) // 2
        if y is not None:
            same = rest[:, models] == row[models]
            alike += np.bincount(agreement[same], sizes[same], minlength=models + 1).astype(np.int64)
            alike[models] += count * (count - 1) // 2
    return pairs, alike


def pair_agreement(
    signatures: np.ndarray, thresholds: np.ndarray | None = None, y: np.ndarray | None = None
) -> go.Figure:
    """Draw how many models put two samples together, over all pairs, and how often those are of one class.

    Parameters
    ----------
    signatures : ndarray of int, shape (n, M)
        Cluster of each sample by each model, numbered alike.
    thresholds : ndarray of int, shape (2,), optional
        Pairs are negative up to the first, positive beyond the second.
    y : ndarray of int, shape (n,), optional
        Classes.
    """
    pairs, alike = pairs_together(signatures, y)
    total = max(int(pairs.sum()), 1)
    low, high = (-1, len(pairs)) if thresholds is None else (int(thresholds[0]), int(thresholds[1]))
    agreement = np.arange(len(pairs))
    colours = [NEGATIVE if a <= low else POSITIVE if a > high else UNDECIDED for a in agreement]
    kinds = ["negative" if a <= low else "positive" if a > high else "left out" for a in agreement]
    figure = make_subplots(rows=1 if y is None else 2, cols=1, shared_xaxes=True, vertical_spacing=0.1)
    rows: list[tuple[np.ndarray, str]] = [(pairs / total, "share of all pairs")]
    if y is not None:
        rows.append((np.where(pairs > 0, alike / np.maximum(pairs, 1), np.nan), "of one class"))
    for row, (shares, title) in enumerate(rows, start=1):
        figure.add_bar(
            x=agreement,
            y=shares,
            name=title,
            marker={"color": colours, "line": {"width": 0}},
            customdata=kinds,
            hovertemplate=f"%{{x}} networks, %{{customdata}}: %{{y:.2%}} {title}<extra></extra>",
            text=[f"{share:.1%}" if np.isfinite(share) else "" for share in shares],
            textposition="outside",
            cliponaxis=False,
            row=row,
            col=1,
        )
        figure.update_yaxes(**axis(title, tickformat=".0%", range=[0, 1.15]), row=row, col=1)
    for edge in () if thresholds is None else (low, high):
        line = {"width": 2, "dash": "dash", "color": NEUTRAL}
        figure.add_vline(x=edge + 0.5, line=line, row="all", col=1)
    edges = None if thresholds is None else (low, high)
    text, height = wrapped(*_about_pairs(len(pairs) - 1, pairs[-1] / total, edges, classes=y is not None))
    note(figure, text, yshift=2)
    figure.update_xaxes(tickmode="linear", dtick=max(1, len(agreement) // 12), showgrid=False, tickfont={"size": 14})
    figure.update_xaxes(**axis("networks that put the pair together"), row=len(rows), col=1)
    return styled(figure, 120 + 170 * len(rows) + height, margin={"t": height + 8}, showlegend=False, bargap=0.25)


def _about_pairs(models: int, unanimous: float, edges: tuple[int, int] | None, *, classes: bool) -> list[str]:
    sentences = [f"{unanimous:.1%} of all pairs are put together by all {models} networks"]
    if edges:
        sentences.append(f"dashed: negative up to {edges[0]}, positive beyond {edges[1]}")
    return [*sentences, "below: known from the classes, which training never sees"] if classes else sentences


def precision_and_coverage(
    labels: np.ndarray,
    confidence: np.ndarray,
    y: np.ndarray,
    n_clusters: int,
    taught: Sequence[tuple[str, np.ndarray]] = (),
) -> go.Figure:
    """Draw how often clusters are right among the samples that the model is surest of, and where pseudo-labels stand.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    confidence : ndarray, shape (n,)
        By which samples are sorted.
    y : ndarray of int, shape (n,)
        Classes; clusters are matched to them once, over all samples.
    n_clusters : int
    taught : sequence of (moment, pseudo-labels (n,))
        Clusters that were taught at some moments, −1 for none; the last one is the moment shown.
    """
    width = max(n_clusters, int(y.max(initial=0)) + 1)
    class_of = match(labels, y, width)
    right = (class_of[labels] == y)[np.argsort(-confidence.astype(np.float64), kind="stable")]
    covered = np.arange(1, len(y) + 1)
    shown = thinned(len(y), POINTS)
    figure = go.Figure()
    figure.add_scatter(
        x=(covered / len(y))[shown],
        y=(np.cumsum(right) / covered)[shown],
        mode="lines",
        name="the surest samples",
        line={"width": 2, "color": CLUSTER_COLOURS[0]},
        hovertemplate="the surest %{x:.0%}: %{y:.1%} right<extra></extra>",
    )
    points = [(moment, *_right(class_of, pseudo, y)) for moment, pseudo in taught if (pseudo >= 0).any()]
    sentences = [f"all samples: {right.mean():.1%} are right"]
    if points:
        _add_taught(figure, points)
        sentences.append(f"pseudo-labels: {points[-1][1]:.0%} have one, {points[-1][2]:.1%} of them right")
    elif taught:
        sentences.append("there are no pseudo-labels yet")
    text, height = wrapped(*sentences, "known from the classes, which training never sees")
    note(figure, text, yshift=30)
    figure.update_xaxes(**axis("coverage: share of the samples", tickformat=".0%", range=[0, 1.03]))
    lowest = min([float((np.cumsum(right) / covered)[shown].min()), *(point[2] for point in points)])
    figure.update_yaxes(**axis("precision: share that is right", tickformat=".0%", range=[max(0, lowest - 0.05), 1.02]))
    return styled(figure, 340 + height, margin={"t": 34 + height})


def _add_taught(figure: go.Figure, points: Sequence[tuple[str, float, float]]) -> None:
    """Draw a dot for each moment, coverage and precision; the last one large."""
    moments, coverage, precision = zip(*points, strict=True)
    sizes: dict[str, Any] = {"size": [9] * (len(points) - 1) + [15], "color": CLUSTER_COLOURS[3]}
    figure.add_scatter(
        x=coverage,
        y=precision,
        mode="lines+markers",
        name="pseudo-labels",
        line={"width": 1, "dash": "dot", "color": CLUSTER_COLOURS[3]},
        marker=sizes,
        text=moments,
        hovertemplate="%{text}: %{x:.0%} have a pseudo-label, %{y:.1%} of them right<extra></extra>",
    )


def _right(class_of: np.ndarray, pseudo: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the share of samples with a pseudo-label, and how many of those are right."""
    inside = pseudo >= 0
    return float(inside.mean()), float((class_of[pseudo[inside]] == y[inside]).mean())
