"""What was believed of one sample, frame by frame: curves in the clusters' colours, phases as bands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.curves import SHADES
from clustlab.figures.palette import NEUTRAL, cluster_colour
from clustlab.figures.style import note

__all__ = ["belief_curves", "membership", "phase_bands"]

FAINT = 0.05
"""A cluster whose curves never reach this is left out."""
TITLE_PIXELS = 8
"""Width of a letter in the title of a phase."""


def belief_curves(
    figure: go.Figure, steps: np.ndarray, q: np.ndarray, p: np.ndarray | None = None, *, x: str, y: str
) -> float:
    """Draw q (and p, dotted) of one sample over time; return where its axis should end: at 1, or at ½ if that will do.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Where to.
    steps : ndarray (t,)
        Training steps.
    q, p : ndarray (t, K)
        Soft assignment and target; not-a-number where a phase has none.
    x, y : str
        The axes, as ``x3`` and ``y3``.
    """
    highest = np.nan_to_num(q).max(axis=0)
    if p is not None:
        highest = np.maximum(highest, np.nan_to_num(p).max(axis=0))
    kinds = [("q", q, "solid", 3)] + ([("p", p, "dot", 2)] if p is not None else [])
    for cluster in map(int, np.flatnonzero(highest > FAINT)):
        for name, values, dash, width in kinds:
            figure.add_scatter(
                x=steps,
                y=values[:, cluster].astype(np.float64),
                mode="lines" if len(steps) > 1 else "markers",
                name=f"{name} of {cluster}",
                connectgaps=False,
                line={"width": width, "dash": dash, "color": cluster_colour(cluster)},
                marker={"size": 8, "color": cluster_colour(cluster)},
                hovertemplate=f"step %{{x:,}}: {name} of cluster {cluster} = %{{y:.3f}}<extra></extra>",
                showlegend=False,
                xaxis=x,
                yaxis=y,
            )
    return 0.5 if highest.max() <= 0.5 else 1.0


def membership(figure: go.Figure, steps: np.ndarray, labels: np.ndarray, height: float, *, x: str, y: str) -> None:
    """Draw to which cluster a sample belonged as a line at some height, in the clusters' colours."""
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(labels)]
    # Between two frames it may have changed at any time: the line does so half-way.
    borders = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    for start, end in zip(edges, edges[1:], strict=False):
        cluster = int(labels[start])
        figure.add_scatter(
            x=[borders[start], borders[end]],
            y=[height, height],
            mode="lines" if len(steps) > 1 else "markers",
            name=f"cluster {cluster}",
            line={"width": 8, "color": cluster_colour(cluster)},
            marker={"size": 8, "color": cluster_colour(cluster)},
            hovertext=f"cluster {cluster} from step {int(steps[start]):,}",
            hoverinfo="text",
            showlegend=False,
            xaxis=x,
            yaxis=y,
        )


def phase_bands(
    figure: go.Figure, phases: Sequence[tuple[str, float, float]], steps: np.ndarray, width: float, *, x: str, y: str
) -> None:
    """Shade every second phase and write names above those that are wide enough.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    phases : sequence of (title, first step, last step)
    steps : ndarray (t,)
        Training steps, rising; the axis begins and ends with them.
    width : float
        Pixels that the axis is long, at the narrowest.
    x, y : str
        The axes, as ``x3`` and ``y3``.
    """
    first, last = float(steps[0]), float(steps[-1])
    for i, (title, start, end) in enumerate(phases):
        start, end = max(start, first), min(end, last)
        if end <= start:
            continue
        band: dict[str, Any] = {"type": "rect", "xref": x, "yref": f"{y} domain", "x0": start, "x1": end}
        figure.add_shape(**band, y0=0, y1=1, layer="below", fillcolor=SHADES[i % 2], line={"width": 0})
        if start > first:
            line = {"width": 1, "dash": "dot", "color": NEUTRAL}
            figure.add_shape(**(band | {"type": "line", "x1": start}), y0=0, y1=1, layer="below", line=line)
        if (end - start) / (last - first) * width > TITLE_PIXELS * len(title):
            place = {"xref": x, "yref": f"{y} domain", "xanchor": "center"}
            note(figure, title, x=(start + end) / 2, yshift=1, **place)
