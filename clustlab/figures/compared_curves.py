"""Which run is better, and when? The same scores of several runs, one over the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.style import axis, styled, thinned

__all__ = ["RUN_LINES", "compared_curves"]

RUN_LINES = (
    (CLUSTER_COLOURS[0], "solid"),
    (CLUSTER_COLOURS[3], "dash"),
    (CLUSTER_COLOURS[2], "dot"),
    (CLUSTER_COLOURS[4], "dashdot"),
)
"""Colour and dash of each run; the heads of the maps show the same."""

POINTS = 400
"""Points of one curve; more cannot be told apart on a screen."""

ACROSS = 3
"""Scores side by side."""

Series = tuple[np.ndarray, np.ndarray]


def compared_curves(
    scores: Mapping[str, Sequence[Series | None]],
    names: Sequence[str],
    *,
    units: Mapping[str, str] = {},
    at: float | None = None,
    share: bool = False,
) -> go.Figure:
    """Draw one panel a score, and in it one curve a run.

    Parameters
    ----------
    scores : mapping of str to sequence of (places, values) or None
        For each score, by what it is called, the series of each run; None where a run has not measured it.
    names : sequence of str
        What each run is called in the legend.
    units : mapping of str to str
        What stands at the axis of a score.
    at : float, optional
        The place shown elsewhere, drawn as a vertical line.
    share : bool
        Whether places are shares of each run (0 … 1) rather than training steps.
    """
    across = min(len(scores), ACROSS)
    rows = -(-len(scores) // across)
    figure = make_subplots(
        rows=rows,
        cols=across,
        subplot_titles=list(scores),
        horizontal_spacing=0.09,
        vertical_spacing=0.3 / rows,
        shared_xaxes=False,
    )
    figure.update_annotations(font_size=14)
    legend: set[int] = set()
    for place, (title, every) in enumerate(scores.items()):
        row, column = divmod(place, across)
        for run, series in enumerate(every):
            if series is None or not len(series[0]):
                continue
            _curve(figure, series, run, names[run], title, run not in legend, (row + 1, column + 1))
            legend.add(run)
    ticks = (
        {"tickformat": ".0%", "range": [0, 1.02]} if share else {"separatethousands": True, "exponentformat": "none"}
    )
    figure.update_xaxes(**axis("share of the run" if share else "training step", **ticks))
    for place, title in enumerate(scores):
        row, column = divmod(place, across)
        figure.update_yaxes(**axis(units.get(title, "")), row=row + 1, col=column + 1)
    if at is not None:
        figure.add_vline(x=at, line={"width": 2, "color": NEUTRAL}, row="all", col="all")
    height = 100 + 27 * len(names) + 220 * rows
    # titles of runs are long: one a line, above everything
    above = {"orientation": "v", "x": 0, "xanchor": "left", "y": 0.995, "yanchor": "top", "yref": "container"}
    return styled(figure, height, legend=above, margin={"t": 48 + 27 * len(names)}, hovermode="x")


def _curve(
    figure: go.Figure, series: Series, run: int, name: str, title: str, in_legend: bool, where: tuple[int, int]
) -> None:
    places, values = series
    shown = thinned(len(places), POINTS)
    colour, dash = RUN_LINES[run % len(RUN_LINES)]
    figure.add_scatter(
        x=np.asarray(places, np.float64)[shown],
        y=np.asarray(values, np.float64)[shown],
        mode="lines" if len(places) > 1 else "markers",
        name=name,
        legendgroup=str(run),
        showlegend=in_legend,
        line={"width": 2.5, "color": colour, "dash": dash},
        marker={"size": 9, "color": colour},
        hovertemplate=f"%{{y:.3f}} {title}",
        row=where[0],
        col=where[1],
    )
