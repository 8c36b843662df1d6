"""P and Q: what the model believes, what it is told to believe, and where the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.beliefs import belief_curves, phase_bands
from clustlab.figures.interpolation import WIDTH
from clustlab.figures.palette import NEUTRAL, cluster_colour, colour_scale, mixed
from clustlab.figures.style import DIVERGING, SEQUENTIAL, axis, note, shorten, styled, thinned

__all__ = ["Past", "contributions", "least_certain", "p_and_q", "p_and_q_all"]

HEIGHT = 560
HEIGHTS = {1: 276, 2: 400, 3: 500, 4: 660}
"""Pixels of one sample's figure, by its number of rows."""
SPACING = {1: 0.0, 2: 0.2, 3: 0.13, 4: 0.1}
ENTRIES = 1000
ROWS = 200
TINY = 1e-12


@dataclass(frozen=True)
class Past:
    """What was believed of one sample, and what it was told to believe, at all frames up to one.

    Attributes
    ----------
    steps : ndarray (t,)
    q, p : ndarray (t, K)
        Not-a-number where a phase has none; ``p`` is None where none ever had.
    phases : sequence of (title, first step, last step)
    """

    steps: np.ndarray
    q: np.ndarray
    p: np.ndarray | None
    phases: Sequence[tuple[str, float, float]] = ()


def contributions(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return p log(p / q) in nats, elementwise; 0 where p is 0. Its sum over clusters is a sample's KL(P‖Q)."""
    p, q = p.astype(np.float64), q.astype(np.float64)
    return np.where(p > 0, p * np.log(np.maximum(p, TINY) / np.maximum(q, TINY)), 0.0)


def least_certain(q: np.ndarray) -> int:
    """Return the sample whose two most likely clusters are closest to each other."""
    if q.shape[1] < 2:
        return 0
    best = np.partition(q.astype(np.float64), -2, axis=1)
    return int((best[:, -1] - best[:, -2]).argmin())


def p_and_q(
    q: np.ndarray,
    p: np.ndarray | None = None,
    *,
    selected: int | None = None,
    rows: np.ndarray | None = None,
    past: Past | None = None,
) -> go.Figure:
    """Draw one sample's q and p cluster by cluster, how both moved, and p against q for all.

    Parameters
    ----------
    q : ndarray, shape (n, K)
        Soft assignment; rows sum to 1.
    p : ndarray, shape (n, K), optional
        Target distribution; without one, q is drawn alone.
    selected : int, optional
        The sample, as a position; by default the least certain one.
    rows : ndarray of int, shape (n,), optional
        What the samples are called: their rows in the data set; by default their positions.
    past : Past, optional
        The sample's q and p at all frames up to this one.
    """
    sample = least_certain(q) if selected is None else selected
    name = sample if rows is None else int(rows[sample])
    q, over_time = q.astype(np.float64), past is not None and len(past.steps) > 1
    heights = ([0.28, 0.18] if p is not None else [0.3]) + [0.2] * over_time + [0.34] * (p is not None)
    figure = make_subplots(rows=len(heights), cols=1, row_heights=heights, vertical_spacing=SPACING[len(heights)])
    _bars(figure, q[sample], None if p is None else p[sample])
    text = _heading(name, selected is None, None)
    if p is None:
        text += "<br>there is no target P in this phase"
    else:
        p = p.astype(np.float64)
        text = _heading(name, selected is None, contributions(p[sample], q[sample]).sum())
        _contributions(figure, q[sample], p[sample])
        _sharpening(figure, q, p, sample, name, len(heights))
    if past is not None and over_time:
        _over_time(figure, past, 2 if p is None else 3)
    note(figure, text, yshift=4)
    top = 26 + 20 * text.count("<br>")
    return styled(
        figure,
        HEIGHTS[len(heights)] + top,
        margin={"t": top},
        showlegend=False,
        barmode="group",
        bargap=0.25,
        bargroupgap=0.05,
    )


def _heading(name: int, chosen: bool, divergence: float | None) -> str:
    text = f"sample #{name}" + (" (the least certain one)" if chosen else "")
    return text if divergence is None else f"{text}: KL(P‖Q) = {shorten(divergence)} nats"


def _bars(figure: go.Figure, q: np.ndarray, p: np.ndarray | None) -> None:
    clusters = np.arange(len(q))
    colours = [cluster_colour(j) for j in range(len(q))]
    figure.add_bar(
        x=clusters,
        y=q,
        name="Q",
        marker={"color": [mixed(colour, 0.3) for colour in colours], "line": {"color": colours, "width": 2}},
        hovertemplate="cluster %{x}: q = %{y:.4f}<extra></extra>",
        row=1,
        col=1,
    )
    if p is not None:
        figure.add_bar(
            x=clusters,
            y=p,
            name="P",
            marker={"color": colours, "line": {"color": colours, "width": 2}},
            customdata=contributions(p, q),
            hovertemplate="cluster %{x}: p = %{y:.4f}<br>p log(p/q) = %{customdata:+.4f} nats<extra></extra>",
            row=1,
            col=1,
        )
    every = 1 if len(q) <= 20 else int(np.ceil(len(q) / 15))
    figure.update_xaxes(**axis("cluster", tickmode="linear", dtick=every, showgrid=False), row=1, col=1)
    figure.update_yaxes(**axis("probability", rangemode="tozero"), row=1, col=1)


def _contributions(figure: go.Figure, q: np.ndarray, p: np.ndarray) -> None:
    """Draw what each cluster adds to the sample's KL(P‖Q); below zero where it is to give way."""
    figure.add_bar(
        x=np.arange(len(q)),
        y=contributions(p, q),
        name="contribution",
        marker={"color": [cluster_colour(j) for j in range(len(q))]},
        hovertemplate="cluster %{x}: p log(p/q) = %{y:+.4f} nats<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_xaxes(showticklabels=False, showgrid=False, row=2, col=1)
    figure.update_yaxes(**axis("share of<br>KL, nats", nticks=4, zeroline=True, zerolinewidth=1), row=2, col=1)


def _over_time(figure: go.Figure, past: Past, row: int) -> None:
    x, y = f"x{row}", f"y{row}"
    most = belief_curves(figure, past.steps, past.q, past.p, x=x, y=y)
    phase_bands(figure, past.phases, past.steps, WIDTH, x=x, y=y)
    counted = axis("training step", exponentformat="none", separatethousands=True, nticks=6)
    title = "q" if past.p is None else "q, p dotted"
    figure.update_xaxes(**counted, range=[float(past.steps[0]), float(past.steps[-1])], row=row, col=1)
    figure.update_yaxes(**axis(title, range=[-0.03 * most, 1.03 * most], tickvals=[0, most / 2, most]), row=row, col=1)


def _sharpening(figure: go.Figure, q: np.ndarray, p: np.ndarray, sample: int, name: int, row: int) -> None:
    """Draw p against q: above the diagonal an entry is pulled up, below it is pushed down."""
    n_clusters = q.shape[1]
    rows = thinned(len(q), max(1, ENTRIES // n_clusters))
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="p = q",
        line={"dash": "dash", "width": 2, "color": NEUTRAL},
        hoverinfo="skip",
        row=row,
        col=1,
    )
    clusters = np.tile(np.arange(n_clusters, dtype=np.int16), len(rows))
    figure.add_scatter(
        x=q[rows].ravel().astype(np.float32),
        y=p[rows].ravel().astype(np.float32),
        mode="markers",
        name="all entries",
        marker={"size": 5, "opacity": 0.6, "color": clusters, **colour_scale(n_clusters)},
        hovertemplate="q = %{x:.3f}, p = %{y:.3f}<extra></extra>",
        row=row,
        col=1,
    )
    figure.add_scatter(
        x=q[sample],
        y=p[sample],
        mode="markers",
        name=f"sample #{name}",
        marker={
            "size": 12,
            "color": np.arange(n_clusters),
            **colour_scale(n_clusters),
            "line": {"width": 2, "color": "white"},
        },
        text=[f"cluster {j}" for j in range(n_clusters)],
        hovertemplate="this sample, %{text}: q = %{x:.3f}, p = %{y:.3f}<extra></extra>",
        row=row,
        col=1,
    )
    figure.update_xaxes(**axis("q, what the model believes", range=[-0.02, 1.02]), row=row, col=1)
    figure.update_yaxes(**axis("p, the target", range=[-0.02, 1.05]), row=row, col=1)
    for x, y, text, side in ((0.03, 0.97, "p > q: pulled up", "left"), (0.98, 0.05, "p < q: pushed down", "right")):
        place = {"xref": f"x{row}", "yref": f"y{row}", "yanchor": "top" if y > 0.5 else "bottom"}
        note(figure, text, x=x, y=y, xanchor=side, **place)


def p_and_q_all(
    q: np.ndarray, labels: np.ndarray, p: np.ndarray | None = None, *, rows: np.ndarray | None = None
) -> go.Figure:
    """Draw Q, P and P − Q of the whole probe as heatmaps, and how much of the probe each cluster claims.

    Parameters
    ----------
    q : ndarray, shape (n, K)
        Soft assignment.
    labels : ndarray of int, shape (n,)
        Cluster of each sample; rows are sorted by it, then by falling confidence.
    p : ndarray, shape (n, K), optional
        Target distribution.
    rows : ndarray of int, shape (n,), optional
        What the samples are called: their rows in the data set; by default their positions.
    """
    q = q.astype(np.float32)
    order = np.lexsort((-q.max(axis=1), labels))
    order = order[thinned(len(order), ROWS)]
    names = order if rows is None else rows[order]
    panels = [("Q", q[order], SEQUENTIAL, 0.0)]
    if p is not None:
        p = p.astype(np.float32)
        panels += [("P", p[order], SEQUENTIAL, 0.0), ("P − Q", p[order] - q[order], DIVERGING, -1.0)]
    figure = go.Figure()
    axes: dict[str, dict[str, object]] = {}
    width = 1 / (len(panels) + 0.06 * (len(panels) - 1))
    for column, (title, values, scale, low) in enumerate(panels):
        limit = float(np.abs(values).max()) or 1.0 if low else 1.0
        number = str(column + 1) if column else ""
        left = column * 1.06 * width
        figure.add_heatmap(
            z=values,
            xaxis=f"x{number}",
            yaxis=f"y{number}",
            colorscale=scale,
            zmin=low * limit,
            zmax=limit,
            showscale=False,
            customdata=np.repeat(names[:, None], values.shape[1], axis=1).astype(np.int32),
            meta={"rows": order.tolist()},
            hovertemplate=f"sample #%{{customdata}}, cluster %{{x}}: {title} = %{{z:.3f}}<extra></extra>",
        )
        axes[f"xaxis{number}"] = axis("cluster", showgrid=False, domain=[left, left + width], anchor=f"y{number}")
        text = "samples, sorted by cluster" if column == 0 else ""
        more = {"showticklabels": False, "showgrid": False, "autorange": "reversed", "anchor": f"x{number}"}
        axes[f"yaxis{number}"] = axis(text, domain=[0.44, 1], **more)
        note(figure, f"<b>{title}</b>", x=left + width / 2, xanchor="center")
    axes |= _frequencies(figure, q)
    if p is None:
        note(figure, "there is no target P in this phase", x=1, xanchor="right")
    return styled(figure, HEIGHT - 130, margin={"t": 26}, showlegend=False, **axes)


def _frequencies(figure: go.Figure, q: np.ndarray) -> dict[str, dict[str, object]]:
    """Draw f_j, the share of the probe that each cluster claims, against equal shares; return the axes."""
    shares = q.astype(np.float64).mean(axis=0)
    clusters = np.arange(len(shares))
    figure.add_bar(
        x=clusters,
        y=shares,
        xaxis="x9",
        yaxis="y9",
        marker={"color": [cluster_colour(j) for j in range(len(shares))]},
        hovertemplate="cluster %{x} claims %{y:.1%} of the probe<extra></extra>",
    )
    equal = {"x0": 0, "x1": 1, "xref": "x9 domain", "y0": 1 / len(shares), "y1": 1 / len(shares), "yref": "y9"}
    figure.add_shape(type="line", line={"dash": "dash", "width": 2, "color": NEUTRAL}, **equal)
    every = 1 if len(shares) <= 20 else int(np.ceil(len(shares) / 15))
    below = axis("soft share f", tickformat=".0%", rangemode="tozero", domain=[0, 0.27], anchor="x9")
    return {"xaxis9": axis("cluster", tickmode="linear", dtick=every, showgrid=False, anchor="y9"), "yaxis9": below}
