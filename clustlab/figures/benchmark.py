"""Tables of benchmarks as pictures: who finds the classes, and what an extension changes, method by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.style import GRID, axis, styled

__all__ = ["Score", "changes", "changes_by_data", "ranking"]

ROW = 26
"""Pixels of a method."""

SYMBOLS = ("circle", "diamond", "square", "triangle-up")
BETTER, WORSE = CLUSTER_COLOURS[2], CLUSTER_COLOURS[3]


class Score(Protocol):
    """Mean and standard deviation over seeds; the deviation of one seed is not-a-number."""

    @property
    def mean(self) -> float: ...
    @property
    def deviation(self) -> float: ...
    @property
    def seeds(self) -> int: ...


def ranking(
    scores: Mapping[str, Mapping[str, Score]], score: str, published: Mapping[str, Sequence[tuple[str, float]]] = {}
) -> go.Figure:
    """Draw mean and deviation of every method, the best at the top.

    Parameters
    ----------
    scores : mapping of str to (mapping of str to Score)
        Scores in 0 … 1 by what joins a method, then by method; the first entry decides the order.
    score : str
        What is measured, as the axis says it.
    published : mapping of str to sequence of (source, value)
        Published values of methods, drawn as hollow stars.
    """
    methods = _by_mean(scores)
    place = _places(methods)
    figure = _side_by_side(scores, place)
    stars = [(method, *each) for method in methods for each in published.get(method, ())]
    if stars:
        figure.add_scatter(
            x=[value for _, _, value in stars],
            y=[place[method] for method, _, _ in stars],
            customdata=[[method, source] for method, source, _ in stars],
            mode="markers",
            name="published",
            marker={"size": 10, "color": NEUTRAL, "symbol": "star-open", "line": {"width": 1.5}},
            hovertemplate="%{customdata[0]}: %{x:.3f}<br>%{customdata[1]}<extra></extra>",
        )
    _methods(figure, methods)
    figure.update_xaxes(**axis(f"{score}, mean ± deviation over seeds", tickformat=".2f"))
    return _finished(figure, len(methods))


def changes(found: Mapping[str, Sequence[float]], score: str, joined: str) -> go.Figure:
    """Draw what an extension changes: every seed as a dot, mean and deviation of the differences as a bar.

    Parameters
    ----------
    found : mapping of str to sequence of float
        For each method the differences of a score in 0 … 1, one a seed: with the extension less without it.
    score : str
        What is measured, as the axis says it.
    joined : str
        What was added, as in “with ACAI”.
    """
    means = {method: float(np.mean(values)) for method, values in found.items()}
    methods = sorted(found, key=lambda method: -means[method])
    place = _places(methods)
    figure = go.Figure()
    figure.add_vline(x=0, line={"width": 1.5, "color": NEUTRAL})
    dots = [(100 * value, method) for method in methods for value in found[method]]
    figure.add_scatter(
        x=[value for value, _ in dots],
        y=[place[method] for _, method in dots],
        mode="markers",
        name="one seed",
        marker={"size": 7, "color": "rgba(0,0,0,0)", "line": {"width": 1.5, "color": NEUTRAL}},
        customdata=[method for _, method in dots],
        hovertemplate="%{customdata}: %{x:+.1f}<extra>one seed</extra>",
    )
    for name, colour, part in (
        ("better on average", BETTER, [method for method in methods if means[method] > 0]),
        ("not better on average", WORSE, [method for method in methods if means[method] <= 0]),
    ):
        if part:
            _means(figure, name, colour, {method: found[method] for method in part}, place)
    _methods(figure, methods)
    figure.update_xaxes(**axis(f"change of {score} {joined}, points"))
    return _finished(figure, len(methods))


def changes_by_data(found: Mapping[str, Mapping[str, Score]], score: str, joined: str) -> go.Figure:
    """Draw what an extension changes on several data sets: mean and deviation over seeds, the most helped at the top.

    Parameters
    ----------
    found : mapping of str to (mapping of str to Score)
        Changes in percentage points, by data set, then by method.
    score, joined : str
        As for :func:`changes`.
    """
    everywhere: dict[str, list[float]] = {}
    for scores in found.values():
        for method, each in scores.items():
            everywhere.setdefault(method, []).append(each.mean)
    methods = sorted(everywhere, key=lambda method: -float(np.mean(everywhere[method])))
    figure = _side_by_side(found, _places(methods))
    figure.add_vline(x=0, line={"width": 1.5, "color": NEUTRAL}, layer="below")
    _methods(figure, methods)
    figure.update_xaxes(**axis(f"change of {score} {joined}, points, mean ± deviation over seeds"))
    return _finished(figure, len(methods), row=ROW + 4 * len(found))


def _side_by_side(scores: Mapping[str, Mapping[str, Score]], place: Mapping[str, int]) -> go.Figure:
    """Draw mean and deviation of several sets of scores, each in a lane of its own in the row of its method."""
    lanes = {method: [name for name, found in scores.items() if method in found] for method in place}
    figure = go.Figure()
    for at, (name, found) in enumerate(scores.items()):
        there = [method for method in place if method in found]
        figure.add_scatter(
            x=[found[method].mean for method in there],
            y=[place[method] + _shift(name, lanes[method]) for method in there],
            error_x={
                "array": [np.nan_to_num(found[method].deviation) for method in there],
                "thickness": 1.5,
                "width": 0,
            },
            customdata=[[method, _spread(found[method])] for method in there],
            mode="markers",
            name=name,
            marker={"size": 9, "color": CLUSTER_COLOURS[at], "symbol": SYMBOLS[at % len(SYMBOLS)]},
            hovertemplate=f"%{{customdata[0]}}, {name}<br>%{{customdata[1]}}<extra></extra>",
        )
    return figure


def _means(
    figure: go.Figure, name: str, colour: str, found: Mapping[str, Sequence[float]], place: Mapping[str, int]
) -> None:
    deviations = [float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for values in found.values()]
    figure.add_scatter(
        x=[100 * float(np.mean(values)) for values in found.values()],
        y=[place[method] for method in found],
        error_x={"array": [100 * each for each in deviations], "thickness": 2, "width": 4},
        customdata=[
            [method, 100 * spread, sum(value > 0 for value in values), len(values)]
            for (method, values), spread in zip(found.items(), deviations, strict=True)
        ],
        mode="markers",
        name=name,
        marker={"size": 11, "color": colour, "symbol": "diamond"},
        hovertemplate="%{customdata[0]}: %{x:+.1f} ± %{customdata[1]:.1f}<br>"
        "better in %{customdata[2]} of %{customdata[3]} seeds<extra></extra>",
    )


def _by_mean(scores: Mapping[str, Mapping[str, Score]]) -> list[str]:
    """Return all methods, the best first, by the first set of scores that has them."""
    best: dict[str, float] = {}
    for found in scores.values():
        for method, score in found.items():
            best.setdefault(method, score.mean)
    return sorted(best, key=lambda method: -best[method])


def _places(methods: Sequence[str]) -> dict[str, int]:
    """Return the height of each method's row, the first at the top."""
    return {method: len(methods) - 1 - at for at, method in enumerate(methods)}


def _methods(figure: go.Figure, methods: Sequence[str]) -> None:
    """Name the rows; each keeps its own whether or not every mark is there."""
    ticks: dict[str, Any] = {"tickvals": list(range(len(methods))), "ticktext": list(reversed(methods))}
    figure.update_yaxes(**axis(range=[-0.7, len(methods) - 0.3], gridcolor=GRID, tickmode="array", **ticks))


def _shift(name: str, lanes: Sequence[str]) -> float:
    """Return how far above the middle of its row a mark stands, so that those of one method stand apart."""
    return (0.5 - (lanes.index(name) + 0.5) / len(lanes)) * 0.6


def _finished(figure: go.Figure, n_methods: int, row: int = ROW) -> go.Figure:
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 14}}
    return styled(figure, row * n_methods + 110, margin={"t": 40, "l": 10}, hovermode="closest", legend=legend)


def _spread(score: Score) -> str:
    seeds = f" ± {score.deviation:.3f}, {score.seeds} seeds" if score.seeds > 1 else ", one seed"
    return f"{score.mean:.3f}{seeds}"
