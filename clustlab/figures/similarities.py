"""Which pairs does the network learn from? Similarities between two thresholds, and what the curriculum admits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.palette import NEUTRAL, mixed
from clustlab.figures.style import axis, note, shorten, styled, wrapped

__all__ = ["KINDS", "KIND_COLOURS", "curriculum", "kinds_of", "precision_of", "similarity_histogram"]

BINS = 50
CROWDED = 0.5
"""More pairs than this share above the upper threshold are an alarm: all samples are about to become one cluster."""

ROOMY = 0.8
"""An upper threshold above this has its name on its left, where the ignored band has room for it."""

KINDS = ("negative", "ignored", "positive")
"""What a pair is taken for, by the numbers of :func:`kinds_of`."""
KIND_COLOURS = ("#0072B2", NEUTRAL, "#D55E00")
AGAINST_CLASSES = "against the classes, which training does not see"


def kinds_of(similarity: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return what each pair is taken for by its similarity: 0 negative, 1 ignored, 2 positive, int64.

    Parameters
    ----------
    similarity : ndarray
        Cosines, of any shape.
    thresholds : ndarray, shape (2,)
        Upper and lower: positive from the upper on, negative below the lower.
    """
    upper, lower = (float(threshold) for threshold in thresholds)
    values = similarity.astype(np.float64)
    return np.where(values >= upper, 2, np.where(values < lower, 0, 1))


def precision_of(kinds: np.ndarray, same: np.ndarray) -> tuple[float, float]:
    """Return the shares of positives that are of one class and of negatives that are not; nan where there are none."""
    positive, negative = same[kinds == 2], ~same[kinds == 0]
    return (
        float(positive.mean()) if len(positive) else float("nan"),
        float(negative.mean()) if len(negative) else float("nan"),
    )


def similarity_histogram(similarity: np.ndarray, thresholds: np.ndarray, same: np.ndarray | None = None) -> go.Figure:
    """Draw how similar pairs are, and between which thresholds they are ignored.

    Parameters
    ----------
    similarity : ndarray, shape (m,)
        Cosine of each pair of different samples, 0 … 1.
    thresholds : ndarray, shape (2,)
        Upper and lower.
    same : ndarray of bool, shape (m,), optional
        Whether both samples of a pair are of one class.
    """
    kinds, edges = kinds_of(similarity, thresholds), np.linspace(0, 1, BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    rows = 1 if same is None else 2
    figure = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.6, 0.4][:rows])
    for kind, (name, colour) in enumerate(zip(KINDS, KIND_COLOURS, strict=True)):
        figure.add_bar(
            x=middles,
            y=np.histogram(similarity[kinds == kind], edges)[0],
            width=1 / BINS,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate=f"{name}, g ≈ %{{x:.2f}}: %{{y:,}} pairs<extra></extra>",
            row=1,
            col=1,
        )
    if same is not None:
        _agreement(figure, middles, _bin(similarity), same)
    _thresholds(figure, thresholds)
    # From below a single pair, with room above the highest bar for the names of the thresholds.
    span = [-0.3, np.log10(max(np.histogram(similarity, edges)[0].max(), 1)) + 0.6]
    figure.update_yaxes(**axis("pairs", type="log", exponentformat="power", dtick=1, range=span), row=1, col=1)
    figure.update_xaxes(range=[0, 1])
    figure.update_xaxes(**axis("similarity g, cosine of two label features"), row=rows, col=1)
    text, height = wrapped(*_sentences(kinds, same))
    note(figure, text, yshift=32)
    return styled(figure, 180 + 150 * rows + height, margin={"t": 32 + height}, barmode="stack", bargap=0)


def _bin(similarity: np.ndarray) -> np.ndarray:
    return np.minimum((similarity.astype(np.float64) * BINS).astype(np.int64), BINS - 1)


def _agreement(figure: go.Figure, middles: np.ndarray, place: np.ndarray, same: np.ndarray) -> None:
    """Draw the share of pairs of one class by similarity, where there are any."""
    counts = np.bincount(place, minlength=BINS)
    filled = np.flatnonzero(counts)
    figure.add_scatter(
        x=middles[filled],
        y=np.bincount(place, weights=same, minlength=BINS)[filled] / counts[filled],
        mode="lines+markers",
        name="of one class",
        line={"width": 2, "color": NEUTRAL},
        marker={"size": 6},
        showlegend=False,
        customdata=counts[filled].astype(np.float64),  # whole numbers would be samples
        hovertemplate="g ≈ %{x:.2f}: %{y:.1%} of %{customdata:,} pairs are of one class<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_yaxes(**axis("of one class", tickformat=".0%", range=[-0.04, 1.04]), row=2, col=1)


def _thresholds(figure: go.Figure, thresholds: np.ndarray) -> None:
    """Shade the ignored band and draw its borders; where they are one, draw it once."""
    upper, lower = (float(threshold) for threshold in thresholds)
    line: dict[str, Any] = {"width": 2, "dash": "dash"}
    figure.add_vline(x=upper, line={**line, "color": KIND_COLOURS[2]}, row="all", col=1)
    at = {"xref": "x", "yanchor": "top", "yshift": -2}
    if upper <= lower:
        note(figure, f"s = {shorten(upper)}", x=upper, xanchor="right", xshift=-4, **at)
        return
    figure.add_vrect(x0=lower, x1=upper, fillcolor=mixed(NEUTRAL, 0.16), line_width=0, layer="below", row="all", col=1)
    figure.add_vline(x=lower, line={**line, "color": KIND_COLOURS[0]}, row="all", col=1)
    note(figure, f"l = {shorten(lower)}", x=lower, xanchor="right", xshift=-4, **at)
    note(
        figure,
        f"u = {shorten(upper)}",
        x=upper,
        xanchor="right" if upper > ROOMY else "left",
        xshift=-4 if upper > ROOMY else 4,
        **at,
    )


def _sentences(kinds: np.ndarray, same: np.ndarray | None) -> list[str]:
    shares = np.bincount(kinds, minlength=3) / max(len(kinds), 1)
    told = ", ".join(f"{shares[kind]:.0%} {name}" for kind, name in reversed(list(enumerate(KINDS))))
    sentences = [f"{len(kinds):,} pairs: {told}"]
    if shares[2] > CROWDED:
        sentences.insert(0, "⚠ More than half of the pairs are positive: the samples are drawn into one cluster.")
    if same is not None:
        positive, negative = precision_of(kinds, same)
        right = f"Right are {_share(positive)} of the positives and {_share(negative)} of the negatives"
        sentences.append(f"{right}, {AGAINST_CLASSES}.")
    return sentences


def _share(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:.0%}"


def curriculum(
    steps: Sequence[float],
    thresholds: np.ndarray,
    shares: np.ndarray,
    precision: np.ndarray | None = None,
    *,
    step: float | None = None,
) -> go.Figure:
    """Draw how the thresholds move, what share of pairs they select, and how much of that is right.

    Parameters
    ----------
    steps : sequence of float
        Training step of each of t moments.
    thresholds : ndarray, shape (t, 2)
        Upper and lower.
    shares : ndarray, shape (t, 3)
        Shares of negative, ignored and positive pairs.
    precision : ndarray, shape (t, 2), optional
        Shares of positives that are of one class and of negatives that are not; nan where there are none.
    step : float, optional
        The moment shown elsewhere.
    """
    rows = 2 if precision is None else 3
    figure = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    single = bool((thresholds[:, 0] <= thresholds[:, 1]).all())
    names = [("s", 0, KIND_COLOURS[2])] if single else [("l", 1, KIND_COLOURS[0]), ("u", 0, KIND_COLOURS[2])]
    for name, column, colour in names:
        _line(figure, f"threshold {name}", steps, thresholds[:, column], 1, colour, ".3f", "legend")
    if not single:
        figure.data[-1].update(fill="tonexty", fillcolor=mixed(NEUTRAL, 0.16))
    for kind, (name, colour) in enumerate(zip(KINDS, KIND_COLOURS, strict=True)):
        if single and not shares[:, kind].any():
            continue
        _line(figure, name, steps, shares[:, kind], 2, colour, ".1%", "legend2")
        figure.data[-1].update(stackgroup="shares", mode="lines", line_width=0.5, fillcolor=mixed(colour, 0.6))
    if precision is not None:
        for column, kind in enumerate((2, 0)):
            name = f"right {KINDS[kind]}s"
            _line(figure, name, steps, precision[:, column], 3, KIND_COLOURS[kind], ".1%", "legend3")
        figure.update_yaxes(**axis("precision", tickformat=".0%"), row=3, col=1)
        note(figure, f"precision: {AGAINST_CLASSES}", y=0, yanchor="top", yshift=-50)
    if step is not None:
        figure.add_vline(x=step, line={"width": 2, "color": NEUTRAL}, row="all", col=1)
    figure.update_yaxes(**axis("similarity"), row=1, col=1)
    figure.update_yaxes(**axis("pairs", tickformat=".0%", range=[0, 1]), row=2, col=1)
    figure.update_xaxes(**axis("training step", separatethousands=True), row=rows, col=1)
    below = 76 if precision is not None else 52
    return styled(
        figure,
        140 * rows + below,
        hovermode="x unified",
        margin={"t": 10, "b": below, "r": 8},
        **_legends(figure, rows),
    )


def _legends(figure: go.Figure, rows: int) -> dict[str, dict[str, Any]]:
    """Return a legend beside each row."""
    beside = {"orientation": "v", "x": 1.02, "xanchor": "left", "yanchor": "top", "font": {"size": 14}}
    numbers = ("", "2", "3")[:rows]
    return {f"legend{number}": {**beside, "y": figure.layout[f"yaxis{number}"].domain[1]} for number in numbers}


def _line(
    figure: go.Figure,
    name: str,
    steps: Sequence[float],
    heights: np.ndarray,
    row: int,
    colour: str,
    form: str,
    legend: str,
) -> None:
    figure.add_scatter(
        x=list(steps),
        y=heights,
        mode="lines+markers",
        name=name,
        legend=legend,
        line={"width": 2, "color": colour},
        marker={"size": 5},
        hovertemplate=f"%{{y:{form}}}",
        row=row,
        col=1,
    )
