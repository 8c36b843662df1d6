"""Codes in a plane: the cloud of samples, arrows and ellipses that the figures of methods share."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import NEUTRAL, cluster_colour, colour_scale, mixed
from clustlab.figures.style import axis, thinned

__all__ = [
    "ARROWS",
    "RING",
    "add_arrows",
    "add_cloud",
    "add_ellipse",
    "add_key",
    "ellipse",
    "plane_axes",
    "plane_height",
    "plane_range",
    "shown_rows",
]

POINTS = 1000
"""Samples of a cloud; more lie on top of one another."""
ARROWS = 120
"""Arrows that can still be told apart."""
RING = "#D55E00"
CORNERS = 72
MARGIN = 0.06
"""Share of a plane that stays free on each side."""
WIDTH, LOWEST, HIGHEST = 410, 200, 410
"""Pixels of a plane: its width at the narrowest, and what its height may be."""


def shown_rows(n: int, at_most: int, selected: int | None = None) -> np.ndarray:
    """Return evenly spread positions among n, the selected one always among them."""
    rows = thinned(n, at_most)
    return rows if selected is None else np.union1d(rows, [selected])


def add_cloud(
    figure: go.Figure,
    points: np.ndarray,
    labels: np.ndarray,
    *,
    rows: np.ndarray | None = None,
    names: np.ndarray | None = None,
    selected: int | None = None,
    opacity: float = 0.75,
    size: float = 6,
) -> None:
    """Add samples (n, 2) as dots in the colours of their clusters; the selected one is ringed.

    Clicking a dot selects its sample. ``rows`` are the positions of those to be drawn, by default evenly spread ones;
    ``names`` (n,) are what samples are called, by default their positions.
    """
    rows = shown_rows(len(points), POINTS, selected) if rows is None else rows
    names = np.arange(len(points)) if names is None else names
    clusters = labels[rows].astype(np.int64)
    figure.add_scatter(
        x=points[rows, 0].astype(np.float32),
        y=points[rows, 1].astype(np.float32),
        mode="markers",
        name="samples",
        marker={
            "size": size,
            "opacity": opacity,
            "color": clusters,
            **colour_scale(int(labels.max(initial=0)) + 1),
        },
        customdata=rows,
        hovertext=[f"sample #{names[row]}, cluster {labels[row]}" for row in rows],
        hoverinfo="text",
        showlegend=False,
    )
    if selected is not None:
        figure.add_scatter(
            x=points[selected : selected + 1, 0],
            y=points[selected : selected + 1, 1],
            mode="markers",
            name="selected",
            marker={"size": 18, "symbol": "circle-open", "line": {"width": 3}, "color": RING},
            hoverinfo="skip",
            showlegend=False,
        )


def add_arrows(
    figure: go.Figure,
    starts: np.ndarray,
    ends: np.ndarray,
    *,
    name: str,
    colour: str,
    width: float = 1.5,
    dash: str = "solid",
    legend: bool = False,
) -> None:
    """Add arrows from starts (m, 2) to ends (m, 2) as one trace of one colour."""
    gap = np.full(len(starts), np.nan)
    figure.add_scatter(
        x=np.stack([starts[:, 0], ends[:, 0], gap], axis=1).ravel(),
        y=np.stack([starts[:, 1], ends[:, 1], gap], axis=1).ravel(),
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": width, "dash": dash},
        marker={
            "symbol": "arrow",
            "angleref": "previous",
            "size": np.tile([0, 6 + 2 * width, 0], len(starts)),
            "color": colour,
            "opacity": 1,
            "line": {"width": 0},
        },
        hoverinfo="skip",
        showlegend=legend,
    )


def add_key(figure: go.Figure, name: str, **looks: object) -> None:
    """Add an entry of the legend that stands for traces of many colours."""
    figure.add_scatter(x=[None], y=[None], name=name, showlegend=True, hoverinfo="skip", **looks)


def ellipse(mean: np.ndarray, covariance: np.ndarray, deviations: float = 2.0) -> np.ndarray:
    """Return the outline (m, 2), closed, of the points at so many standard deviations from a mean (2,).

    ``covariance`` (2, 2) need not be of full rank: in a plane in which a Gaussian is flat its outline is a line.
    """
    variances, axes = np.linalg.eigh(covariance.astype(np.float64))
    angle = np.linspace(0, 2 * np.pi, CORNERS + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(mean + deviations * (circle * np.sqrt(variances.clip(min=0))) @ axes.T)


def add_ellipse(figure: go.Figure, outline: np.ndarray, cluster: int, text: str, opacity: float = 1.0) -> None:
    """Add the outline of a component in the colour of its cluster, lightly filled."""
    colour = cluster_colour(cluster) if cluster >= 0 else NEUTRAL
    figure.add_scatter(
        x=outline[:, 0],
        y=outline[:, 1],
        mode="lines",
        name=text,
        line={"color": mixed(colour, opacity), "width": 2, "dash": "solid" if cluster >= 0 else "dash"},
        fill="toself" if cluster >= 0 else None,
        fillcolor=mixed(colour, 0.12 * opacity),
        hoverinfo="text",
        hoveron="fills" if cluster >= 0 else "points",
        text=text,
        showlegend=False,
    )


def plane_height(*points: np.ndarray) -> int:
    """Return how many pixels high a plane must be to show points (m, 2) as large as its width allows."""
    every = np.concatenate([each[np.isfinite(each).all(axis=1)] for each in points])
    across, upwards = np.ptp(every, axis=0) if len(every) else (1.0, 1.0)
    return round(float(np.clip(WIDTH * upwards / max(across, 1e-12), LOWEST, HIGHEST)))


def plane_axes(figure: go.Figure, titles: tuple[str, str], **more: object) -> None:
    """Give a figure axes on which a unit is as long across as upwards."""
    square = {"scaleanchor": "x", "scaleratio": 1}
    figure.update_xaxes(**axis(titles[0], range=plane_range(figure, "x"), constrain="domain", nticks=7, **more))
    figure.update_yaxes(
        **axis(titles[1], range=plane_range(figure, "y"), constrain="domain", nticks=7, **square, **more)
    )


def plane_range(figure: go.Figure, letter: str) -> list[float]:
    """Return the range of the first x or y axis that shows all that has been drawn there, with a margin.

    Where a plane is wider than it must be, plotly narrows it, and the range that it then finds by itself can leave out
    nearly everything.
    """
    drawn = [trace[letter] for trace in figure.data if getattr(trace, f"{letter}axis") in (None, letter)]
    values = np.concatenate([np.asarray(each, dtype=np.float64).ravel() for each in drawn if each is not None])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if len(values) else (-1.0, 1.0)
    margin = MARGIN * (high - low) or 1.0
    return [float(low - margin), float(high + margin)]
