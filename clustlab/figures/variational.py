"""What the encoder's Gaussians look like: how wide they are, what each coordinate costs, and what the cost is of."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL, cluster_colour, mixed
from clustlab.figures.plane import add_cloud, add_ellipse, ellipse, plane_axes, plane_height, shown_rows
from clustlab.figures.style import axis, note, shorten, styled, thinned, wrapped

__all__ = ["DEAD", "divergence_parts", "kl_per_dimension", "posterior"]

WHISKERS = 150
"""Samples whose Gaussian is drawn."""
DEAD = 0.01
"""A coordinate whose posterior costs fewer nats than this says nothing about the sample."""
PARTS = ("means", "variances", "log-variances")
PART_COLOURS = (CLUSTER_COLOURS[0], CLUSTER_COLOURS[1], CLUSTER_COLOURS[2])
BARS = 120
"""Samples whose divergence is drawn one by one."""


def posterior(
    points: np.ndarray,
    deviations: np.ndarray,
    labels: np.ndarray,
    *,
    prior: np.ndarray | None = None,
    titles: tuple[str, str] = ("first axis", "second axis"),
    names: np.ndarray | None = None,
    selected: int | None = None,
) -> go.Figure:
    """Draw the means of the encoder's Gaussians with whiskers of one standard deviation.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Means in the plane.
    deviations : ndarray, shape (n, 2)
        Standard deviations along the plane's two axes.
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    prior : ndarray, shape (2,), optional
        Where the mean of a standard normal prior lies; its circle of two standard deviations is drawn.
    titles, names, selected
        As in :func:`clustlab.figures.mixture.mixture`.
    """
    figure = go.Figure()
    rows = shown_rows(len(points), WHISKERS, selected)
    for cluster in np.unique(labels[rows]):
        own = rows[labels[rows] == cluster]
        (x, y), (wide, high), gap = points[own].T, deviations[own].T, np.full(len(own), np.nan)
        across = np.stack([x - wide, x + wide, gap, x, x, gap], axis=1).ravel()
        upwards = np.stack([y, y, gap, y - high, y + high, gap], axis=1).ravel()
        figure.add_scatter(
            x=across,
            y=upwards,
            mode="lines",
            name=f"one standard deviation, cluster {cluster}",
            line={"width": 1.5, "color": mixed(cluster_colour(int(cluster)), 0.8)},
            hoverinfo="skip",
            showlegend=False,
        )
    add_cloud(figure, points, labels, names=names, selected=selected, opacity=0.6, size=4)
    sentence = f"whiskers: one standard deviation, of {len(rows)} samples"
    if prior is not None:
        add_ellipse(figure, ellipse(prior, np.eye(2)), -1, "prior: two standard deviations")
        sentence += "; dashed: the prior at two"
    text, height = wrapped(sentence)
    note(figure, text)
    plane_axes(figure, titles)
    return styled(figure, plane_height(points) + height + 56, margin={"t": height + 4}, showlegend=False)


def kl_per_dimension(divergence: np.ndarray, *, mixture: bool = False) -> go.Figure:
    """Draw what each coordinate of the code costs, (J,) in nats, and mark those that have died.

    ``mixture`` says that the prior is a mixture, so that the divergence is that from the components.
    """
    values = divergence.astype(np.float64)
    dead = values < DEAD
    figure = go.Figure()
    for which, name, colour in ((~dead, "in use", CLUSTER_COLOURS[0]), (dead, "dead", NEUTRAL)):
        figure.add_bar(
            x=np.flatnonzero(which),
            y=values[which],
            name=f"{name}: {which.sum()}",
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="coordinate %{x}: %{y:.4g} nats<extra></extra>",
            showlegend=True,
        )
    figure.add_scatter(
        x=np.flatnonzero(dead),
        y=values[dead],
        text=["✕"] * int(dead.sum()),
        mode="text",
        textposition="top center",
        textfont={"size": 16},
        hoverinfo="skip",
        showlegend=False,
    )
    text, height = wrapped(
        f"{int(dead.sum())} of {len(values)} coordinates are dead (✕, below {DEAD} nats)",
        f"all together cost {shorten(values.sum())} nats",
    )
    note(figure, text, yshift=32)
    every = max(1, -(-len(values) // 16))
    figure.update_xaxes(**axis("coordinate of the code", dtick=every, showgrid=False))
    figure.update_yaxes(**axis(f"KL to the {'components' if mixture else 'standard normal'}, nats", rangemode="tozero"))
    return styled(figure, 360 + height, margin={"t": 30 + height})


def divergence_parts(parts: np.ndarray, labels: np.ndarray, n_clusters: int) -> go.Figure:
    """Draw the divergence of each sample's Gaussian from its component, divided by what it comes from.

    Parameters
    ----------
    parts : ndarray, shape (n, 3)
        Nats from the distance of the means, from the variances, and from the log-variances (often below zero).
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    n_clusters : int
        Number of clusters K.
    """
    parts = parts.astype(np.float64)
    totals = parts.sum(axis=1)
    sizes = np.maximum(np.bincount(labels, minlength=n_clusters), 1)
    means = np.stack([np.bincount(labels, part, minlength=n_clusters) / sizes for part in parts.T], axis=1)
    order = np.argsort(totals, kind="stable")
    order = order[thinned(len(order), BARS)]
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.2)
    for i, (name, colour) in enumerate(zip(PARTS, PART_COLOURS, strict=True)):
        looks = {"marker": {"color": colour, "line": {"width": 0}}, "name": name, "legendgroup": name}
        hover = f"{name}: %{{y:.3g}} nats<extra></extra>"
        figure.add_bar(x=np.arange(n_clusters), y=means[:, i], hovertemplate=hover, **looks, row=1, col=1)
        figure.add_bar(
            x=np.arange(len(order)),
            y=parts[order, i],
            customdata=order,
            hovertemplate=hover,
            showlegend=False,
            width=1,
            **looks,
            row=2,
            col=1,
        )
    for row, (x, y) in enumerate([(np.arange(n_clusters), means.sum(axis=1)), (np.arange(len(order)), totals[order])]):
        figure.add_scatter(
            x=x,
            y=y,
            mode="markers" if row == 0 else "lines",
            name="sum",
            legendgroup="sum",
            showlegend=row == 0,
            marker={
                "symbol": "diamond",
                "size": 11,
                "color": CLUSTER_COLOURS[4],
                "line": {"color": "white", "width": 1},
            },
            line={"width": 3, "color": CLUSTER_COLOURS[4]},
            hovertemplate="sum: %{y:.3g} nats<extra></extra>",
            row=row + 1,
            col=1,
        )
    every = max(1, -(-n_clusters // 15))
    figure.update_xaxes(**axis("cluster (means over its samples)", dtick=every, showgrid=False), row=1, col=1)
    figure.update_xaxes(**axis("samples, by rising divergence", showticklabels=False, showgrid=False), row=2, col=1)
    figure.update_yaxes(**axis("nats", zeroline=True))
    text = f"mean divergence to the own component: {shorten(totals.mean())} nats"
    note(figure, text, xref="x2 domain", yref="y2 domain", yshift=4)
    return styled(figure, 540, margin={"t": 56}, barmode="relative", bargap=0.25)
