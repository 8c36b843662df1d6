"""What is being minimised, and what comes of it: every term raw, metrics and label changes, over the whole run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.critic import LOSS_LEVELS
from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.style import axis, note, styled, thinned

__all__ = ["curves"]

WIDTH = 280
"""Pixels of the drawing area that titles of phases must fit into, at the narrowest."""
POINTS = 600
"""Points of one curve; more cannot be told apart on a screen."""
DASHES = ("solid", "dash", "dot", "dashdot")
SHADES = ("rgba(128,128,128,0.00)", "rgba(128,128,128,0.10)")
METRICS = {"acc": "ACC", "nmi": "NMI", "ari": "ARI", "silhouette": "silhouette", "label_change": "labels changed"}

Series = Mapping[str, tuple[np.ndarray, np.ndarray]]


def curves(
    terms: Series,
    values: Series,
    phases: Sequence[tuple[str, float, float]] = (),
    *,
    step: float | None = None,
    logarithmic: bool = False,
) -> go.Figure:
    """Draw the terms of the objective and, below, what is measured of the result.

    Parameters
    ----------
    terms : mapping of str to (steps, values)
        Each term's raw mean at each recorded step.
    values : mapping of str to (steps, values)
        Metrics of the probe and ``label_change``, all shares in 0 … 1 (the silhouette may be negative).
    phases : sequence of (title, first step, last step)
        Drawn as shaded bands.
    step : float, optional
        The moment shown elsewhere, drawn as a vertical line.
    logarithmic : bool
        Whether the terms' axis is logarithmic.
    """
    rows = 2 if values else 1
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.1, row_heights=[0.55, 0.45] if rows == 2 else [1]
    )
    # Below zero a logarithmic axis has no place: a curve would plunge through everything under it.
    below = logarithmic and any((np.asarray(heights) < 0).any() for _, heights in terms.values())
    for i, (name, (steps, heights)) in enumerate(terms.items()):
        shown = np.where(np.asarray(heights) < 0, np.nan, heights) if below else heights
        _line(figure, name, (steps, shown), i, 1, "legend")
    for i, (name, series) in enumerate(values.items()):
        _line(figure, METRICS.get(name, name), series, i, 2, "legend2")
    _phases(figure, phases)
    remarks = ["dotted: the critic’s terms in telling cases"] if _guides(figure, terms) else []
    remarks += ["gaps: below zero, not on a logarithmic axis"] if below else []
    if step is not None:
        figure.add_vline(x=step, line={"width": 2, "color": NEUTRAL}, row="all", col=1)
    kind = _logarithmic(terms) if logarithmic else {"type": "linear"}
    figure.update_yaxes(**axis("raw term", exponentformat="power", **kind), row=1, col=1)
    if rows == 2:
        figure.update_yaxes(**axis("score or share, 0 … 1"), row=2, col=1)
    figure.update_xaxes(**axis("training step", exponentformat="none", separatethousands=True), row=rows, col=1)
    top = 1.0 if rows == 1 else float(figure.layout.yaxis2.domain[1])
    if remarks:
        note(figure, "<br>".join(remarks), y=0, yanchor="top", yshift=-50)
    # Beside their axes, legends can neither grow into the curves nor push them about, however narrow the page.
    beside = {"orientation": "v", "x": 1.02, "xanchor": "left", "yanchor": "top", "font": {"size": 14}}
    return styled(
        figure,
        (396 if rows == 2 else 280) + 20 * len(remarks),
        hovermode="x unified",
        legend={**beside, "y": 1.0},
        legend2={**beside, "y": top},
        margin={"t": 30 if phases else 10, "l": 66, "r": 8, "b": 52 + 20 * len(remarks)},
    )


def _line(figure: go.Figure, name: str, series: tuple[np.ndarray, np.ndarray], i: int, row: int, legend: str) -> None:
    steps, heights = series
    shown = thinned(len(steps), POINTS)
    figure.add_scatter(
        x=np.asarray(steps, np.float64)[shown],
        y=np.asarray(heights, np.float64)[shown],
        mode="lines" if len(steps) > 1 else "markers",
        name=name.replace("_", " "),
        meta=name,
        showlegend=True,
        legend=legend,
        line={"width": 2, "color": CLUSTER_COLOURS[i % 6], "dash": DASHES[i // 6 % len(DASHES)]},
        hovertemplate="%{y:.4g}" if row == 1 else "%{y:.3f}",
        row=row,
        col=1,
    )


def _guides(figure: go.Figure, terms: Series) -> bool:
    """Draw dotted lines behind the critic's terms, in their colours; return whether there are any."""
    levels = [(i, level) for i, name in enumerate(terms) for level in LOSS_LEVELS.get(name, ())]
    for i, level in levels:
        line = {"color": CLUSTER_COLOURS[i % 6], "width": 1, "dash": "dot"}
        across = {"xref": "x domain", "yref": "y", "x0": 0, "x1": 1, "y0": level, "y1": level}
        figure.add_shape(type="line", layer="below", line=line, **across)
    return bool(levels)


def _logarithmic(terms: Series) -> dict[str, Any]:
    """Return what makes an axis logarithmic; over more than a decade only powers of ten are labelled."""
    heights = np.concatenate([np.empty(0), *(np.asarray(values, np.float64) for _, values in terms.values())])
    heights = heights[heights > 0]
    wide = len(heights) > 0 and heights.max() > 10 * heights.min()
    return {"type": "log"} | ({"dtick": 1} if wide else {})


def _phases(figure: go.Figure, phases: Sequence[tuple[str, float, float]]) -> None:
    """Shade every second phase and write each one's name above it, where it is wide enough to carry it."""
    last = max((end for _, _, end in phases), default=0.0) or 1.0
    shapes: list[dict[str, Any]] = []
    for i, (title, start, end) in enumerate(phases):
        band = {"type": "rect", "xref": "x", "yref": "paper", "x0": start, "x1": end, "y0": 0, "y1": 1}
        shapes.append({**band, "layer": "below", "fillcolor": SHADES[i % 2], "line": {"width": 0}})
        if (end - start) / last * WIDTH > 8 * len(title):
            middle = (start + end) / 2
            note(figure, title, xref="x", x=middle, xanchor="center", yshift=2)
    figure.update_layout(shapes=shapes)
