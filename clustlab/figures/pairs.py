"""What is a pair of samples taken for? The matrix of some samples, and the pairs that have just been admitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, sheet
from clustlab.figures.similarities import KIND_COLOURS, KINDS, kinds_of
from clustlab.figures.style import SEQUENTIAL, axis, note, styled, wrapped
from clustlab.figures.subspaces import BAND, cluster_bands

__all__ = ["COUPLES", "Couples", "new_pairs", "pair_matrix"]

COUPLES = 8
"""Couples of a kind that are drawn."""
ACROSS = 4
"""Couples side by side."""
BELOW = 0.6
"""Room for the text under a couple, in widths of a picture."""


def pair_matrix(
    similarity: np.ndarray,
    thresholds: np.ndarray,
    clusters: np.ndarray,
    rows: np.ndarray | None = None,
    names: np.ndarray | None = None,
) -> go.Figure:
    """Draw what each pair of some samples is taken for, beside their similarities; both sorted by cluster.

    Parameters
    ----------
    similarity : ndarray, shape (a, a)
        Cosines, 0 … 1.
    thresholds : ndarray, shape (2,)
        Upper and lower.
    clusters : ndarray of int, shape (a,)
        Cluster of each sample.
    rows : ndarray of int, shape (a,), optional
        The samples, as positions in the probe.
    names : ndarray of int, shape (a,), optional
        What the samples are called: their rows in the data set; by default their places among these samples.
    """
    order = np.argsort(clusters, kind="stable")
    called = [f"#{name}" for name in (order if names is None else names[order])]
    told = {} if rows is None else {"meta": {"rows": rows[order].tolist()}}
    clusters = clusters[order].astype(np.int64)
    values = similarity[np.ix_(order, order)].astype(np.float32)
    kinds = kinds_of(values, thresholds)
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.04)
    figure.add_heatmap(
        z=kinds.astype(np.uint8),
        colorscale=[((kind + side) / 3, colour) for kind, colour in enumerate(KIND_COLOURS) for side in (0, 1)],
        zmin=-0.5,
        zmax=2.5,
        showscale=False,
        hovertemplate="samples %{y} and %{x}<extra></extra>",
        **told,
        row=1,
        col=1,
    )
    figure.add_heatmap(
        z=values,
        colorscale=SEQUENTIAL,
        zmin=0,
        zmax=1,
        colorbar={"thickness": 12, "tickfont": {"size": 14}, "tickvals": [0, 0.5, 1], "len": 0.8},
        hovertemplate="samples %{y} and %{x}: g = %{z:.3f}<extra></extra>",
        **told,
        row=1,
        col=2,
    )
    _legend(figure)
    n = len(values)
    span = [-0.5 - 1.6 * BAND * n, n - 0.5]
    for column, title in ((1, "what pairs are taken for"), (2, "similarity g")):
        hidden = {"showticklabels": False, "showgrid": False, "constrain": "domain"}
        # labels that nobody sees: what points at a cell takes the names of its samples from them
        hidden |= {"tickmode": "array", "tickvals": list(range(n)), "ticktext": called}
        figure.update_xaxes(**axis(title, range=span, **hidden), row=1, col=column)
        square = {"scaleanchor": "x" if column == 1 else "x2", "scaleratio": 1, "range": span[::-1]}
        square["constraintoward"] = "top"
        figure.update_yaxes(**axis("", **hidden, **square), row=1, col=column)
    figure.update_layout(shapes=[*cluster_bands(clusters), *cluster_bands(clusters, "2")])
    text, height = wrapped(_agreement(kinds, clusters), f"{n} samples of the probe, sorted by cluster")
    note(figure, text, yshift=30)
    return styled(figure, 284 + height, margin={"t": height + 34, "l": 8, "r": 8})


def _legend(figure: go.Figure) -> None:
    for name, colour in zip(KINDS, KIND_COLOURS, strict=True):
        mark = {"symbol": "square", "size": 12, "color": colour}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=mark, name=name, row=1, col=1)


def _agreement(kinds: np.ndarray, clusters: np.ndarray) -> str:
    """Say how far pairs and clusters agree."""
    inside = (clusters[:, None] == clusters) & ~np.eye(len(clusters), dtype=bool)
    outside = clusters[:, None] != clusters
    alike = float((kinds[inside] == 2).mean()) if inside.any() else 0.0
    unlike = float((kinds[outside] == 0).mean()) if outside.any() else 0.0
    return f"{alike:.0%} of the pairs within a cluster are positive, {unlike:.0%} of those between two negative"


@dataclass(frozen=True)
class Couples:
    """Pairs of one kind that have just been admitted.

    Attributes
    ----------
    kind : int
        0 negative, 2 positive.
    count : int
        How many there are; some of them are drawn.
    pictures : ndarray, shape (m, 2, …)
        Thumbnails (h, w), (h, w, 3) or vectors (D,) of those drawn.
    similarity : ndarray, shape (m,)
    clusters, names : ndarray of int, shape (m, 2)
        Clusters of the samples, and what they are called.
    same : ndarray of bool, shape (m,), optional
        Whether both samples are of one class.
    """

    kind: int
    count: int
    pictures: np.ndarray
    similarity: np.ndarray
    clusters: np.ndarray
    names: np.ndarray
    same: np.ndarray | None = None


def new_pairs(positives: Couples, negatives: Couples, since: str) -> go.Figure:
    """Draw couples that are learned from now and were not before.

    Parameters
    ----------
    positives, negatives : Couples
    since : str
        Since when, in words.
    """
    couples = (positives, negatives)
    # All on one sheet: pictures of vectors share their scale, and the browser places one raster.
    drawn = np.concatenate([each.pictures.reshape(-1, *each.pictures.shape[2:]) for each in couples])
    pixels = as_pixels(drawn) if len(drawn) else np.zeros((0, 8, 8, 4), np.uint8)
    parts = np.split(pixels, [2 * len(positives.pictures)])
    rows = [max(1, -(-len(each.pictures) // ACROSS)) for each in couples]
    columns = 3 * ACROSS - 1
    grid = np.zeros((sum(rows), columns, *pixels.shape[1:]), np.uint8)
    bars = np.zeros((sum(rows), columns, 4), np.uint8)
    for first, each, part in zip((0, rows[0]), couples, parts, strict=True):
        row, column = _places(len(each.pictures), first)
        for side in (0, 1):
            grid[row, column + side] = part[side::2]
            bars[row, column + side] = cluster_pixels(each.clusters[:, side])
    raster = sheet(grid, below=BELOW, bars=bars)
    figure = go.Figure(raster.trace)
    for first, each in zip((0, rows[0]), couples, strict=True):
        _captions(figure, each, first, raster.pitch, raster.foot)
    bottom = (sum(rows) - 1) * raster.pitch + raster.foot + BELOW
    frameless_axes(figure, columns, -raster.foot, bottom)
    text, height = wrapped(*_sentences(couples, since))
    note(figure, text, yshift=2)
    tall = round((bottom + raster.foot) * WIDTH / columns)
    return styled(figure, tall + height + 12, margin={"l": 8, "r": 8, "t": height + 4, "b": 8}, showlegend=False)


def _places(count: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column of the left picture of each couple; every third column stays empty."""
    number = np.arange(count)
    return first + number // ACROSS, 3 * (number % ACROSS)


def _captions(figure: go.Figure, couples: Couples, first: int, pitch: float, foot: float) -> None:
    """Write the similarity under each couple, in its kind's colour, and what the classes say of it."""
    if not couples.count:
        return
    row, column = _places(len(couples.pictures), first)
    texts, hovers = [], []
    for i, g in enumerate(couples.similarity.astype(np.float64)):
        right = None if couples.same is None else bool(couples.same[i]) == (couples.kind == 2)
        texts.append(
            f"{'+' if couples.kind == 2 else '−'} {g:.2f}" + ("" if right is None else " ✓" if right else " ✗")
        )
        one, other = couples.names[i]
        judged = "" if right is None else f"<br>{'right' if right else 'wrong'}, against the classes"
        hovers.append(f"samples #{one} and #{other}, {KINDS[couples.kind]}, g = {g:.3f}{judged}")
    figure.add_scatter(
        x=column + 0.5,
        y=row * pitch + foot + 0.5 * BELOW,
        text=texts,
        mode="text",
        name=KINDS[couples.kind],
        textfont={"size": 14},
        hovertext=hovers,
        hoverinfo="text",
        showlegend=False,
    )


def _sentences(couples: tuple[Couples, Couples], since: str) -> list[str]:
    positives, negatives = couples
    sentences = [f"Since {since}: {positives.count:,} new positive (+) and {negatives.count:,} new negative pairs (−)."]
    if positives.same is not None:
        sentences.append("✓ right and ✗ wrong, against the classes, which training does not see.")
    return sentences
