"""What does the decoder make of the samples? Samples beside their reconstructions, worst first, and all errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.pictures import as_pixels, is_image, sheet, signed_pixels
from clustlab.figures.style import axis, bare_axis, note, shorten, styled, wrapped

__all__ = ["Remade", "reconstructions"]

LEFT = 74
"""Pixels left of the pictures, for the names of the rows."""
TEXT = 20
WORDS = 58
"""Letters of a line; headings begin left of the pictures."""
HISTOGRAM = 150
BINS = 40
ROWS = ("x", "x̂", "x̂ − x")


@dataclass(frozen=True)
class Remade:
    """Some samples of the probe beside what a decoder makes of them.

    Attributes
    ----------
    heading : str
        A sentence: which samples these are, and whose x̂.
    positions : ndarray of int, shape (m,)
        Which samples, as positions in the probe; drawn worst first.
    samples : ndarray, shape (m, …)
        uint8 or 0 … 1 images, or vectors.
    decoded : ndarray, shape (m, …), optional
        Their reconstructions, where there are any.
    """

    heading: str
    positions: np.ndarray
    samples: np.ndarray
    decoded: np.ndarray | None = None


def reconstructions(errors: np.ndarray, groups: Sequence[Remade], *, names: np.ndarray | None = None) -> go.Figure:
    """Draw samples, what the decoder makes of them and the difference, worst first; and the errors of all.

    Parameters
    ----------
    errors : ndarray, shape (n,)
        Squared error of each sample of the probe, mean over its features.
    groups : sequence of Remade
        Drawn one below the other.
    names : ndarray of int, shape (n,), optional
        What samples are called.
    """
    names = np.arange(len(errors)) if names is None else names
    columns = max(len(group.positions) for group in groups)
    pixel = columns / (WIDTH - LEFT)
    figure, ticks, top = go.Figure(), dict[float, str](), 0.0
    for group in groups:
        top = _group(figure, group, errors, names, top, columns, ticks)
    bottom = top - 0.4 * TEXT * pixel
    pictures = bottom / pixel
    height = round(pictures + HISTOGRAM + 64 + 66)
    inner = height - 6 - 56
    figure.update_xaxes(**bare_axis(range=[-0.5, columns - 0.5], constrain="domain", constraintoward="left"))
    named = {"tickvals": list(ticks), "ticktext": list(ticks.values())}
    upright = {"scaleanchor": "x", "scaleratio": 1, "constrain": "domain", "constraintoward": "top"}
    figure.update_yaxes(
        **bare_axis(range=[bottom, 0], domain=[1 - pictures / inner, 1], **upright)
        | {"showticklabels": True, "tickfont": {"size": 14}, **named}
    )
    figure.update_layout(**_histogram(figure, errors, HISTOGRAM / inner))
    return styled(figure, height, margin={"l": LEFT, "r": 8, "t": 6, "b": 56}, showlegend=False)


def _group(
    figure: go.Figure,
    group: Remade,
    errors: np.ndarray,
    names: np.ndarray,
    top: float,
    columns: int,
    ticks: dict[float, str],
) -> float:
    """Draw a group under its heading, from ``top`` downwards; return where the next one begins, all in columns."""
    pixel = columns / (WIDTH - LEFT)
    order = np.argsort(-errors[group.positions], kind="stable")
    positions = group.positions[order]
    heading, high = wrapped(group.heading, width=WORDS)
    place = {"xref": "x", "yref": "y", "x": -0.5, "y": top, "yanchor": "top", "xshift": -LEFT + 4}
    note(figure, heading, **place)
    pictures = _pictures(group, order)
    raster = sheet(np.stack([_padded(part, columns) for part in pictures]))
    first = top + (high + 2) * pixel + raster.foot
    raster.trace.y0 += first
    figure.add_trace(raster.trace)
    rows = [first + row * raster.pitch for row in range(len(pictures))]
    ticks.update(zip(rows, ROWS, strict=False))
    under = rows[-1] + raster.foot + 0.5 * TEXT * pixel
    _texts(figure, positions, errors, names, rows, under)
    return float(under + 1.4 * TEXT * pixel)


def _floats(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / 255 if samples.dtype == np.uint8 else samples.astype(np.float32)


def _padded(pixels: np.ndarray, columns: int) -> np.ndarray:
    return np.pad(pixels, ((0, columns - len(pixels)), (0, 0), (0, 0), (0, 0)))


def _pictures(group: Remade, order: np.ndarray) -> list[np.ndarray]:
    """Return a group's samples, reconstructions and differences as pictures (m, h, w, 4) each, as far as there are."""
    real = _floats(group.samples)[order]
    if group.decoded is None:
        return [as_pixels(real)]
    made = group.decoded.astype(np.float32)[order]
    real = real.reshape(made.shape)
    if is_image(real.shape[1:]):
        return [as_pixels(real), as_pixels(made), signed_pixels(made - real)]
    # vectors are drawn on one scale, so that a small difference looks small
    return np.split(as_pixels(np.concatenate([real, made, made - real])), 3)


def _texts(
    figure: go.Figure, positions: np.ndarray, errors: np.ndarray, names: np.ndarray, rows: list[float], under: float
) -> None:
    """Print errors under the pictures; lay markers over them that tell what they are and select the sample."""
    hover = [f"sample #{names[i]}: error {errors[i]:.3g}" for i in positions]
    figure.add_scatter(
        x=np.tile(np.arange(len(positions)), len(rows)),
        y=np.repeat(rows, len(positions)),
        mode="markers",
        marker={"size": 26, "opacity": 0},
        customdata=np.tile(positions, len(rows)),
        hovertext=hover * len(rows),
        hoverinfo="text",
        showlegend=False,
    )
    figure.add_scatter(
        x=np.arange(len(positions)),
        y=np.full(len(positions), under),
        text=[f"{errors[i]:.2f}".replace("0.", ".", 1) if errors[i] < 1 else f"{errors[i]:.1f}" for i in positions],
        mode="text",
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
    )


def _histogram(figure: go.Figure, errors: np.ndarray, height: float) -> dict[str, object]:
    errors = errors.astype(np.float64)
    figure.add_histogram(
        x=np.round(errors, 5),
        nbinsx=BINS,
        xaxis="x2",
        yaxis="y2",
        marker={"color": CLUSTER_COLOURS[0], "line": {"width": 0}},
        hovertemplate="error %{x}: %{y} samples<extra></extra>",
    )
    mean = float(errors.mean())
    line = {"type": "line", "x0": mean, "x1": mean, "y0": 0, "y1": 1, "xref": "x2", "yref": "y2 domain"}
    figure.add_shape(line={"width": 2, "dash": "dash", "color": NEUTRAL}, **line)
    note(figure, f"mean {shorten(mean)} (dashed)", xref="x2 domain", yref="y2 domain", x=1, xanchor="right", yshift=2)
    title = "squared error of each sample of the probe"
    return {
        "xaxis2": axis(title, anchor="y2", domain=[0, 1], rangemode="tozero"),
        "yaxis2": axis("samples", anchor="x2", domain=[0, height], nticks=4),
    }
