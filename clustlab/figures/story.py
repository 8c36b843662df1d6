"""A sample's story: where it went, what was believed of it, when and why it changed its cluster, its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.beliefs import belief_curves, membership, phase_bands
from clustlab.figures.interpolation import WIDTH
from clustlab.figures.palette import NEUTRAL, cluster_colour, colour_scale, rgb
from clustlab.figures.pictures import Sheet, as_pixels, cluster_pixels, sheet
from clustlab.figures.style import axis, bare_axis, note, styled, thinned, wrapped

__all__ = ["Neighbours", "Path", "Turn", "story"]

MAP, CURVES = 230, 150
"""Pixels of the map and of the curves, each without its titles."""
LEFT = 52
PICTURE = 0.2
"""Share of the width that the sample's own picture takes."""
POINTS = 1200
"""Points of the map behind the path."""
LINE = 19
"""Pixels of a line of text."""
FRAME = (*rgb(NEUTRAL), 255)
"""Around a neighbour that has remained one."""


@dataclass(frozen=True)
class Path:
    """The sample's way on the map.

    Attributes
    ----------
    points : ndarray (n, 2), labels : ndarray of int (n,)
        All samples at the moment shown, and their clusters.
    way : ndarray (t, 2), way_labels : ndarray of int (t,), way_steps : ndarray of int (t,)
        Places of the sample, its cluster, and the steps.
    title : str
        Which map it is.
    """

    points: np.ndarray
    labels: np.ndarray
    way: np.ndarray
    way_labels: np.ndarray
    way_steps: np.ndarray
    title: str


@dataclass(frozen=True)
class Turn:
    """A change of cluster: between which steps, from which to which, and why."""

    after_step: int
    step: int
    left: int
    joined: int
    why: str


@dataclass(frozen=True)
class Neighbours:
    """The nearest samples in the space of the codes, then and now.

    Attributes
    ----------
    then_title : str
        When then was.
    then, now : ndarray of int (k,)
        Positions in the probe, the nearest first.
    pictures : ndarray (2, k, …)
        The samples then and now: uint8 images, or vectors.
    labels : ndarray of int (2, k)
        Their clusters at the moment shown.
    names : ndarray of int (2, k)
        What they are called.
    """

    then_title: str
    then: np.ndarray
    now: np.ndarray
    pictures: np.ndarray
    labels: np.ndarray
    names: np.ndarray

    @property
    def remained(self) -> int:
        """How many of those of then are among those of now."""
        return len(np.intersect1d(self.then, self.now))


def story(
    picture: np.ndarray,
    path: Path,
    steps: np.ndarray,
    labels: np.ndarray,
    *,
    q: np.ndarray | None,
    confidence: np.ndarray | None,
    phases: Sequence[tuple[str, float, float]],
    turns: Sequence[Turn],
    earlier_turns: int,
    neighbours: Neighbours | None,
    heading: Sequence[str],
) -> go.Figure:
    """Draw a sample's story up to the moment shown.

    Parameters
    ----------
    picture : ndarray (1, …)
        The sample.
    path : Path
    steps, labels : ndarray (t,)
        Steps of all frames and the sample's cluster there.
    q : ndarray (t, K), optional
        Its soft assignment, not-a-number where there is none; without any, ``confidence`` is drawn.
    confidence : ndarray (t,), optional
    phases : sequence of (title, first step, last step)
    turns, earlier_turns : sequence of Turn, int
        The latest changes of cluster, in order, and how many came before those.
    neighbours : Neighbours, optional
    heading : sequence of str
    """
    head, head_height = wrapped(*heading, width=66)
    told, told_height = _told(turns, earlier_turns)
    raster, row = (_raster(neighbours), WIDTH / len(neighbours.then)) if neighbours is not None else (None, 0.0)
    pictures = [2 * LINE + 8, 2 * raster.pitch * row] if raster is not None else []
    # From top to bottom, in pixels: map, curves with their axis, what is told, neighbours.
    blocks = [MAP, LINE + 30, CURVES, 56 + told_height, *pictures]
    edges = 1 - np.cumsum([0, *blocks]) / sum(blocks)
    figure = go.Figure()
    _map(figure, path, [edges[1], edges[0]])
    _picture(figure, picture, int(labels[-1]), [edges[1], edges[0]])
    _curves(figure, steps, labels, q, confidence, phases, [edges[3], edges[2]])
    place = {"yref": "paper", "x": 0, "xshift": -LEFT + 8}
    note(figure, head, y=1, yshift=2, **place)
    note(figure, told, y=edges[3], yanchor="top", yshift=-50, **place)
    if raster is not None and neighbours is not None:
        _neighbours(figure, raster, neighbours, [edges[6], edges[5]])
    margin = {"l": LEFT, "r": 10, "t": head_height, "b": 8}
    return styled(figure, round(sum(blocks)) + head_height + 8, margin=margin, showlegend=False)


def _told(turns: Sequence[Turn], earlier: int) -> tuple[str, int]:
    """Return when it changed its cluster and why, as lines of text, and their height."""
    if not turns:
        return wrapped("It has never changed its cluster.")
    first = [f"The latest {len(turns)} changes; {earlier} came before them."] if earlier else []
    lines: list[str] = []
    for turn in turns:
        text, _ = wrapped(turn.why, width=66)
        between = f"steps {turn.after_step:,}–{turn.step:,}" if turn.step > turn.after_step else f"step {turn.step:,}"
        lines += [f"<b>{turn.left} → {turn.joined}</b>, {between}", *text.split("<br>")]
    return "<br>".join(first + lines), LINE * (len(first) + len(lines)) + 8


def _map(figure: go.Figure, path: Path, domain: list[float]) -> None:
    shown = thinned(len(path.points), POINTS)
    scale = colour_scale(int(max(path.labels.max(initial=0), path.way_labels.max(initial=0))) + 1)
    figure.add_scatter(
        x=path.points[shown, 0],
        y=path.points[shown, 1],
        mode="markers",
        marker={"size": 4, "opacity": 0.22, "color": path.labels[shown].astype(np.int16), **scale},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=path.way[:, 0],
        y=path.way[:, 1],
        mode="lines+markers",
        line={"width": 1.5, "color": NEUTRAL},
        marker={"size": 7, "color": path.way_labels.astype(np.int16), **scale},
        hovertext=[f"step {step:,}: cluster {j}" for step, j in zip(path.way_steps, path.way_labels, strict=True)],
        hoverinfo="text",
    )
    ends = [0, len(path.way) - 1] if len(path.way) > 1 else [0]
    figure.add_scatter(
        x=path.way[ends, 0],
        y=path.way[ends, 1],
        mode="markers+text",
        text=["start", "<b>now</b>"] if len(ends) > 1 else ["<b>now</b>"],
        textposition=["bottom center", "top center"][-len(ends) :],
        textfont={"size": 14},
        marker={
            "size": [12, 16][-len(ends) :],
            "symbol": ["square", "circle"][-len(ends) :],
            "color": path.way_labels[ends].astype(np.int16),
            **scale,
            "line": {"width": 2, "color": "white"},
        },
        hoverinfo="skip",
    )
    figure.update_layout(
        xaxis=bare_axis(domain=[PICTURE, 1]), yaxis=bare_axis(domain=domain, scaleanchor="x", constrain="domain")
    )
    note(figure, path.title, xref="x domain", yref="y domain", x=0, y=0, yanchor="top", yshift=-2)


def _picture(figure: go.Figure, picture: np.ndarray, cluster: int, domain: list[float]) -> None:
    raster = sheet(as_pixels(picture)[None], bars=cluster_pixels(np.array([[cluster]])))
    raster.trace.update(xaxis="x2", yaxis="y2")
    figure.add_trace(raster.trace)
    upright = {"scaleanchor": "x2", "scaleratio": 1, "constrain": "domain", "constraintoward": "top"}
    low, high = raster.foot, raster.foot - raster.pitch
    figure.update_layout(
        xaxis2=bare_axis(range=[-0.5, 0.5], domain=[0, PICTURE - 0.03], anchor="y2", constrain="domain"),
        yaxis2=bare_axis(range=[low, high], domain=domain, anchor="x2", **upright),
    )


def _curves(
    figure: go.Figure,
    steps: np.ndarray,
    labels: np.ndarray,
    q: np.ndarray | None,
    confidence: np.ndarray | None,
    phases: Sequence[tuple[str, float, float]],
    domain: list[float],
) -> None:
    soft = q is not None and bool(np.isfinite(q).any())
    most = 1.0
    if q is not None and soft:
        most = belief_curves(figure, steps, q, x="x3", y="y3")
    elif confidence is not None:
        figure.add_scatter(
            x=steps,
            y=confidence.astype(np.float64),
            mode="lines+markers",
            line={"width": 2, "color": NEUTRAL},
            marker={"size": 6, "color": [cluster_colour(int(j)) for j in labels]},
            hovertemplate="step %{x:,}: margin %{y:.2f}<extra></extra>",
            xaxis="x3",
            yaxis="y3",
        )
    membership(figure, steps, labels, -0.08 * most, x="x3", y="y3")
    last = float(steps[-1])
    phase_bands(figure, phases, steps, WIDTH - LEFT, x="x3", y="y3")
    counted = axis("training step", exponentformat="none", separatethousands=True, nticks=6, domain=[0, 1])
    figure.update_layout(
        xaxis3=counted | {"anchor": "y3", "range": [float(steps[0]), max(last, float(steps[0]) + 1)]},
        yaxis3=axis(
            "q" if soft else "confidence",
            domain=domain,
            anchor="x3",
            range=[-0.13 * most, 1.04 * most],
            tickvals=[0, most / 2, most],
        ),
    )


def _raster(neighbours: Neighbours) -> Sheet:
    """Return the neighbours then (first row) and now; those that are in both are framed."""
    count = len(neighbours.then)
    pixels = as_pixels(neighbours.pictures.reshape(2 * count, *neighbours.pictures.shape[2:]))
    both = np.stack([np.isin(neighbours.then, neighbours.now), np.isin(neighbours.now, neighbours.then)])
    frames = np.zeros((2, count, 4), np.uint8)
    frames[both] = FRAME
    pictures = pixels.reshape(2, count, *pixels.shape[1:])
    return sheet(pictures, below=0.08, bars=cluster_pixels(neighbours.labels), frames=frames)


def _neighbours(figure: go.Figure, raster: Sheet, neighbours: Neighbours, domain: list[float]) -> None:
    count = len(neighbours.then)
    raster.trace.update(xaxis="x4", yaxis="y4")
    figure.add_trace(raster.trace)
    names, labels = neighbours.names.ravel(), neighbours.labels.ravel()
    figure.add_scatter(
        x=np.tile(np.arange(count), 2),
        y=np.repeat([0, raster.pitch], count),
        mode="markers",
        marker={"size": 30, "opacity": 0},
        customdata=np.concatenate([neighbours.then, neighbours.now]),
        hovertext=[f"sample #{name}: cluster {label}" for name, label in zip(names, labels, strict=True)],
        hoverinfo="text",
        xaxis="x4",
        yaxis="y4",
    )
    upright = {"scaleanchor": "x4", "scaleratio": 1, "constrain": "domain", "constraintoward": "top"}
    top = raster.foot - raster.pitch
    left = {"constrain": "domain", "constraintoward": "left"}
    figure.update_layout(
        xaxis4=bare_axis(range=[-0.5, count - 0.5], domain=[0, 1], anchor="y4", **left),
        yaxis4=bare_axis(range=[raster.pitch + raster.foot + 0.1, top], domain=domain, anchor="x4", **upright),
    )
    text = f"Its {count} nearest {neighbours.then_title} and, below, now:<br>"
    text += f"{neighbours.remained} of {count} remained (framed)"
    note(figure, text, yref="paper", y=domain[1], x=0, xshift=-LEFT + 8, yshift=2)
