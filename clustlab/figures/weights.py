"""What does each cluster look for, and which clusters has the penalty given up? Weights as pictures and their norms."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.palette import NEUTRAL, cluster_colour
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, is_image, sheet, signed_pixels
from clustlab.figures.style import axis, note, styled, wrapped

__all__ = ["pruning", "weight_images"]

COLUMNS = 5
MOST = 50
"""Pictures in a gallery."""
TEXT = 24
"""Pixels of the line of text under a picture."""


def weight_images(weights: np.ndarray, labels: np.ndarray) -> go.Figure:
    """Draw the weights of a linear classifier as samples are drawn, a picture a cluster.

    Parameters
    ----------
    weights : ndarray, shape (K, …)
        In the shape of a sample; both signs, on one scale for all clusters.
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    """
    count = min(len(weights), MOST)
    shares = np.bincount(labels.astype(np.int64), minlength=len(weights)) / max(len(labels), 1)
    shown = weights[:count].astype(np.float32)
    image = is_image(shown.shape[1:])
    pixels = signed_pixels(shown) if image else as_pixels(shown)
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    padded = np.zeros((rows * columns, *pixels.shape[1:]), np.uint8)
    padded[:count] = pixels
    bars = cluster_pixels(np.where(np.arange(rows * columns) < count, np.arange(rows * columns), -1))
    below = TEXT * columns / WIDTH
    grid = padded.reshape(rows, columns, *pixels.shape[1:])
    raster = sheet(grid, below=below, bars=bars.reshape(rows, columns, 4))
    figure = go.Figure(raster.trace)
    x, y = np.arange(count) % columns, np.arange(count) // columns * raster.pitch
    texts = [f"{j}: {shares[j]:.0%}" for j in range(count)]
    figure.add_scatter(
        x=x,
        y=y + raster.foot + 0.5 * below,
        text=texts,
        mode="text",
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
    )
    norms = np.linalg.norm(weights.reshape(len(weights), -1).astype(np.float64), axis=1)
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 40, "opacity": 0},
        hovertext=[f"cluster {j}: ‖w‖ = {norms[j]:.3g}, {shares[j]:.1%} of the samples" for j in range(count)],
        hoverinfo="text",
        showlegend=False,
    )
    bottom = (rows - 1) * raster.pitch + raster.foot + below
    frameless_axes(figure, columns, -raster.foot, bottom)
    colours = "Vermilion" if image else "A bar upwards"
    sentences = [f"{colours} speaks for the cluster. Under each: its number and share of the samples."]
    sentences += [f"The first {count} of {len(weights)} clusters."] if len(weights) > count else []
    text, height = wrapped(*sentences)
    note(figure, text, yshift=2)
    total = round((bottom + raster.foot) * WIDTH / columns) + height + 12
    return styled(figure, total, margin={"l": 8, "r": 8, "t": height + 4, "b": 8}, showlegend=False)


def pruning(norms: np.ndarray, labels: np.ndarray, q: np.ndarray | None = None) -> go.Figure:
    """Draw the length of each cluster's weights above its share of the samples.

    Parameters
    ----------
    norms : ndarray, shape (K,)
        ‖w_k‖ of the last layer.
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    q : ndarray, shape (n, K), optional
        Soft assignments, for soft shares.
    """
    count = len(norms)
    clusters, colours = np.arange(count), [cluster_colour(j) for j in range(count)]
    shares = np.bincount(labels.astype(np.int64), minlength=count)[:count] / max(len(labels), 1)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1)
    looks = {"marker": {"color": colours, "line": {"width": 0}}, "showlegend": False}
    hover = "cluster %{x}, ‖w‖ = %{y:.3g}<extra></extra>"
    figure.add_bar(x=clusters, y=norms.astype(np.float64), name="‖w‖", hovertemplate=hover, **looks, row=1, col=1)
    hover = "cluster %{x}: %{y:.1%} of the samples<extra></extra>"
    figure.add_bar(x=clusters, y=shares, name="share", hovertemplate=hover, **looks, row=2, col=1)
    if q is not None:
        figure.add_scatter(
            x=clusters,
            y=q.astype(np.float64).mean(axis=0),
            mode="markers",
            name="soft share, mean of p(y|x)",
            marker={
                "symbol": "line-ew-open",
                "size": max(6, min(24, 240 // count)),
                "color": NEUTRAL,
                "line": {"width": 3},
            },
            hovertemplate="cluster %{x}, soft share %{y:.1%}<extra></extra>",
            showlegend=False,
            row=2,
            col=1,
        )
    figure.update_xaxes(dtick=max(1, -(-count // 15)), range=[-0.6, count - 0.4], tickfont={"size": 14}, showgrid=False)
    figure.update_xaxes(**axis("cluster"), row=2, col=1)
    figure.update_yaxes(**axis("‖w‖ of the cluster", rangemode="tozero", nticks=5), row=1, col=1)
    figure.update_yaxes(**axis("share of the samples", rangemode="tozero", tickformat=".0%", nticks=5), row=2, col=1)
    text, height = wrapped(*_sentences(norms, shares, soft=q is not None))
    note(figure, text, xshift=-40)
    return styled(figure, 390 + height, margin={"t": height + 8}, showlegend=False)


def _sentences(norms: np.ndarray, shares: np.ndarray, *, soft: bool) -> list[str]:
    dead = np.flatnonzero(shares == 0)
    names = ", ".join(map(str, dead[:12])) + ("…" if len(dead) > 12 else "")
    if not len(dead):
        sentences = [f"All {len(norms)} clusters win samples."]
    else:
        sentences = [f"{len(norms) - len(dead)} of {len(norms)} clusters win samples; none has {names}."]
    return sentences + (["Dashes: soft shares, the mean of p(y|x)."] if soft else [])
