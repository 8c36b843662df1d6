"""What does the decoder make of the samples? Samples beside their reconstructions, worst first, and all errors."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.pictures import as_pixels, is_image, sheet, signed_pixels
from clustlab.figures.style import axis, bare_axis, note, shorten, styled

__all__ = ["reconstructions"]

LEFT = 74
"""Pixels left of the pictures, for the names of the rows."""
TEXT = 20
HISTOGRAM = 150
BINS = 40


def reconstructions(
    errors: np.ndarray,
    samples: np.ndarray,
    decoded: np.ndarray,
    rows: np.ndarray,
    worst: np.ndarray,
    worst_rows: np.ndarray,
    *,
    names: np.ndarray | None = None,
) -> go.Figure:
    """Draw samples, what the decoder makes of them, the difference; the worst of all; and the errors of all.

    Parameters
    ----------
    errors : ndarray, shape (n,)
        Squared error of each sample of the probe, mean over its features.
    samples, decoded : ndarray, shape (m, …)
        Samples whose reconstruction was recorded, and it: uint8 or 0 … 1 images, or vectors. Drawn worst first.
    rows : ndarray of int, shape (m,)
        Their positions in the probe.
    worst : ndarray, shape (w, …)
        Samples with the largest errors.
    worst_rows : ndarray of int, shape (w,)
        Their positions.
    names : ndarray of int, shape (n,), optional
        What samples are called.
    """
    names = np.arange(len(errors)) if names is None else names
    order = np.argsort(-errors[rows], kind="stable")
    real, made, rows = _floats(samples)[order], decoded.astype(np.float32)[order], rows[order]
    real, worst = real.reshape(made.shape), _floats(worst).reshape(-1, *made.shape[1:])
    columns = max(len(rows), len(worst))
    pixel = columns / (WIDTH - LEFT)
    above = sheet(_rows(real, made, columns))
    below = sheet(_padded(as_pixels(worst), columns)[None])
    figure = go.Figure(above.trace)
    under = 2 * above.pitch + above.foot + 0.5 * TEXT * pixel
    lower = under + 1.4 * TEXT * pixel + below.foot
    below.trace.y0 += lower
    figure.add_trace(below.trace)
    for positions, first, at in ((rows, 0, under), (worst_rows, 3, lower + below.foot + 0.5 * TEXT * pixel)):
        _texts(figure, positions, errors, names, (above.pitch if first == 0 else 0.0, lower, at))
    bottom = lower + below.foot + 1.1 * TEXT * pixel
    pictures = (bottom + above.foot) / pixel
    height = round(pictures + HISTOGRAM + 64 + 86)
    inner = height - 26 - 56
    figure.update_xaxes(**bare_axis(range=[-0.5, columns - 0.5], constrain="domain", constraintoward="left"))
    named = {"tickvals": [0, above.pitch, 2 * above.pitch, lower], "ticktext": ["x", "x̂", "x̂ − x", "worst x"]}
    upright = {"scaleanchor": "x", "scaleratio": 1, "constrain": "domain", "constraintoward": "top"}
    figure.update_yaxes(
        **bare_axis(range=[bottom, -above.foot], domain=[1 - pictures / inner, 1], **upright)
        | {"showticklabels": True, "tickfont": {"size": 14}, **named}
    )
    figure.update_layout(**_histogram(figure, errors, HISTOGRAM / inner))
    note(figure, "under them the squared error; blue: x̂ is below x", yshift=2)
    return styled(figure, height, margin={"l": LEFT, "r": 8, "t": 26, "b": 56}, showlegend=False)


def _floats(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / 255 if samples.dtype == np.uint8 else samples.astype(np.float32)


def _padded(pixels: np.ndarray, columns: int) -> np.ndarray:
    return np.pad(pixels, ((0, columns - len(pixels)), (0, 0), (0, 0), (0, 0)))


def _rows(real: np.ndarray, made: np.ndarray, columns: int) -> np.ndarray:
    """Return samples, reconstructions and differences as pictures (3, columns, h, w, 4)."""
    if is_image(real.shape[1:]):
        parts = [as_pixels(real), as_pixels(made), signed_pixels(made - real)]
    else:  # vectors are drawn on one scale, so that a small difference looks small
        parts = np.split(as_pixels(np.concatenate([real, made, made - real])), 3)
    return np.stack([_padded(part, columns) for part in parts])


def _texts(
    figure: go.Figure, positions: np.ndarray, errors: np.ndarray, names: np.ndarray, at: tuple[float, float, float]
) -> None:
    """Print errors under the pictures; lay markers over them that tell what they are and select the sample."""
    pitch, lower, text = at
    heights = [0, pitch, 2 * pitch] if pitch else [lower]
    hover = [f"sample #{names[i]}: error {errors[i]:.3g}" for i in positions]
    figure.add_scatter(
        x=np.tile(np.arange(len(positions)), len(heights)),
        y=np.repeat(heights, len(positions)),
        mode="markers",
        marker={"size": 26, "opacity": 0},
        customdata=np.tile(positions, len(heights)),
        hovertext=hover * len(heights),
        hoverinfo="text",
        showlegend=False,
    )
    figure.add_scatter(
        x=np.arange(len(positions)),
        y=np.full(len(positions), text),
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
