"""What does the discriminator take for real? Its logit over the plane of the codes, and on real draws and codes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.plane import add_cloud, plane_axes, plane_height
from clustlab.figures.style import DIVERGING, axis, note, styled, wrapped

__all__ = ["discriminator_logits", "jensen_shannon", "landscape"]

BINS = 40
POSITIVES = 300


def landscape(
    field: np.ndarray,
    bounds: np.ndarray,
    points: np.ndarray,
    labels: np.ndarray,
    positives: np.ndarray | None = None,
    *,
    titles: tuple[str, str] = ("first axis", "second axis"),
    names: np.ndarray | None = None,
    selected: int | None = None,
) -> go.Figure:
    """Draw a discriminator's logit as a map, with the codes and what it should take for real.

    Parameters
    ----------
    field : ndarray, shape (g, g)
        Logits, rows from bottom to top.
    bounds : ndarray, shape (4,)
        The plane's left, right, bottom and top.
    points : ndarray, shape (n, 2)
        Codes in the plane.
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    positives : ndarray, shape (m, 2), optional
        Draws that the discriminator is shown as real.
    titles, names, selected
        As in :func:`clustlab.figures.mixture.mixture`.
    """
    field, bounds = field.astype(np.float32), bounds.astype(np.float64)
    figure = _field(field, bounds)
    if positives is not None:
        figure.add_scatter(
            x=positives[:POSITIVES, 0].astype(np.float32),
            y=positives[:POSITIVES, 1].astype(np.float32),
            mode="markers",
            name="shown as real",
            marker={"symbol": "cross-thin", "size": 9, "line": {"width": 2, "color": NEUTRAL}, "color": NEUTRAL},
            hoverinfo="skip",
            showlegend=False,
        )
    add_cloud(figure, points, labels, names=names, selected=selected, opacity=0.9)
    sentence = "vermilion: taken for real; blue: for a code; thick line: undecided"
    text, height = wrapped(
        sentence, *(["crosses: what it is shown as real; dots: codes"] if positives is not None else [])
    )
    note(figure, text)
    plane_axes(figure, titles, showgrid=False)
    figure.update_xaxes(range=bounds[:2].tolist())
    figure.update_yaxes(range=bounds[2:].tolist())
    below = round(0.85 * plane_height(bounds.reshape(2, 2).T))  # the colours' scale takes its share of the width
    return styled(figure, below + height + 56, margin={"t": height + 4}, showlegend=False)


def _field(field: np.ndarray, bounds: np.ndarray) -> go.Figure:
    """Draw logits as colours that fade into the page where the discriminator is undecided, and as lines."""
    limit = float(np.abs(field[np.isfinite(field)]).max(initial=0.0)) or 1.0
    x = np.linspace(bounds[0], bounds[1], field.shape[1])
    y = np.linspace(bounds[2], bounds[3], field.shape[0])
    figure = go.Figure(
        go.Heatmap(
            z=field,
            x=x,
            y=y,
            colorscale=DIVERGING,
            zmin=-limit,
            zmax=limit,
            zsmooth="best",
            opacity=0.6,
            colorbar={
                "title": {"text": "logit", "font": {"size": 14}},
                "thickness": 14,
                "tickfont": {"size": 14},
                "nticks": 5,
            },
            hovertemplate="logit %{z:.2f}<extra></extra>",
            name="logit",
        )
    )
    for levels, width in (({"start": -limit, "end": limit, "size": limit / 5}, 0.7), ({"start": 0, "end": 0}, 3)):
        figure.add_contour(
            z=field,
            x=x,
            y=y,
            contours={"size": 1, "coloring": "none"} | levels,
            line={"width": width, "color": NEUTRAL},
            showscale=False,
            hoverinfo="skip",
            name="undecided" if width > 1 else "level",
            showlegend=False,
        )
    return figure


def jensen_shannon(logits: np.ndarray) -> float:
    r"""Return what the discriminator's logits (m, 2) of real draws and codes say of the two distributions, in nats.

    :math:`\tfrac12 (V + 2 \log 2)` with :math:`V = \mathrm{E} \log D(\text{real}) + \mathrm{E} \log (1 -
    D(\text{code}))`: a lower bound of the Jensen–Shannon divergence, and equal to it for the best discriminator. A
    discriminator worse than a guess bounds it by 0.
    """
    real, codes = logits.astype(np.float64).T
    value = -np.logaddexp(0, -real).mean() - np.logaddexp(0, codes).mean()
    return max(0.0, float((value + 2 * np.log(2)) / 2))


def discriminator_logits(logits: np.ndarray) -> go.Figure:
    """Draw the logits of real draws and of codes, (m, 2), as two histograms on one scale."""
    values = logits.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    figure = go.Figure()
    for column, (name, colour) in enumerate((("real draws", CLUSTER_COLOURS[3]), ("codes", CLUSTER_COLOURS[0]))):
        counts = np.histogram(values[:, column], edges)[0]
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=counts,
            width=edges[1] - edges[0],
            name=name,
            marker={"color": colour, "opacity": 0.6, "line": {"width": 0}},
            hovertemplate=f"{name}, logit %{{x:.2f}}: %{{y}}<extra></extra>",
        )
    if low < 0 < high:
        figure.add_vline(x=0, line={"width": 2, "dash": "dash", "color": NEUTRAL})
    right = ((values[:, 0] > 0).mean() + (values[:, 1] < 0).mean()) / 2
    text, height = wrapped(
        f"told right: {right:.0%}; Jensen–Shannon divergence at least {jensen_shannon(logits):.3f} nats, "
        f"of at most log 2 = {np.log(2):.3f}"
    )
    note(figure, text, yshift=32)
    figure.update_xaxes(**axis("logit of the discriminator; above 0: taken for real"))
    figure.update_yaxes(**axis("number"))
    return styled(figure, 340 + height, margin={"t": 30 + height}, barmode="overlay", bargap=0)
