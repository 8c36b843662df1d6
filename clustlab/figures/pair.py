"""What lies between any two samples: the way decoded, its clusters and beliefs, and the same way at checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH, smaller_share
from clustlab.figures.palette import NEUTRAL, cluster_colour
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, sheet
from clustlab.figures.style import note, styled, wrapped

__all__ = ["Way", "crossings", "pair"]

TEXT = 20
"""Pixels of a line of text among the pictures."""
CURVES = 96
"""Pixels of the beliefs along the way."""
FAINT = 0.05
"""A cluster whose belief never reaches this is left out."""


@dataclass(frozen=True)
class Way:
    """The way from one sample to the other, as one model sees it.

    Attributes
    ----------
    title : str
        Which model it is.
    pictures : ndarray (s, …) or None
        Decoded mixed codes: images in 0 … 1, or vectors; None without a decoder.
    clusters : ndarray of int (s,)
        Cluster of each mixed code.
    again : ndarray of int (s,) or None
        Cluster of each picture, encoded again.
    guesses : ndarray (s,) or None
        The critic's estimate of the smaller share.
    fine, fine_clusters : ndarray (f,)
        Closer places α and their clusters.
    beliefs : ndarray (f, K) or None
        Soft assignments there.
    """

    title: str
    pictures: np.ndarray | None
    clusters: np.ndarray
    again: np.ndarray | None
    guesses: np.ndarray | None
    fine: np.ndarray
    fine_clusters: np.ndarray
    beliefs: np.ndarray | None


def crossings(shares: np.ndarray, clusters: np.ndarray) -> list[tuple[float, int, int]]:
    """Return where a way crosses a border: α between two places, the cluster before, the cluster behind."""
    at = np.flatnonzero(np.diff(clusters))
    middles = (shares[at] + shares[at + 1]) / 2
    return [(float(alpha), int(clusters[i]), int(clusters[i + 1])) for alpha, i in zip(middles, at, strict=True)]


def pair(
    ways: Sequence[Way],
    alpha: np.ndarray,
    ends: np.ndarray,
    *,
    heading: Sequence[str] = (),
) -> go.Figure:
    """Draw the way between two samples.

    Parameters
    ----------
    ways : sequence of Way
        The way as models see it, the latest last: that one is drawn large, with clusters, beliefs and critic; below
        it the pictures of them all.
    alpha : ndarray (s,)
        Share of the second sample in each picture.
    ends : ndarray (2, …)
        The two real samples: uint8 images, or vectors.
    heading : sequence of str
        What stands above: which samples, which model.
    """
    way = ways[-1]
    columns = len(alpha) + 2
    pixel = columns / WIDTH
    raster = sheet(_row(way, ends)[None], bars=_bars(way))
    figure = go.Figure(raster.trace)
    top = raster.foot - raster.pitch  # upper edge of the pictures, whose middle is zero
    _column_text(figure, _heads(way, alpha), top - 0.5 * TEXT * pixel)
    bottom = raster.foot + 0.2 * TEXT * pixel
    if way.guesses is not None:
        _column_text(figure, ["", *map(_short, way.guesses), ""], bottom + 0.5 * TEXT * pixel)
        bottom += TEXT * pixel
    _hover(figure, way, alpha, 0.0)
    bottom = _beliefs(figure, way, len(alpha), bottom + 0.5 * TEXT * pixel)
    if len(ways) > 1 and way.pictures is not None:
        bottom = _history(figure, ways, ends, alpha, bottom + 0.4 * TEXT * pixel)
    top -= TEXT * pixel
    frameless_axes(figure, columns, top, bottom)
    text, height = wrapped(*heading, *_aids(way), width=66)
    note(figure, text, yshift=2)
    high = round((bottom - top) / pixel)
    margin = {"l": 8, "r": 8, "t": height, "b": 8}
    return styled(figure, high + height + 8, margin=margin, showlegend=False)


def _heads(way: Way, alpha: np.ndarray) -> list[str]:
    shares = alpha if way.guesses is None else smaller_share(alpha)
    return ["real", *(f"<b>{_short(share)}</b>" for share in shares), "real"]


def _short(share: float) -> str:
    """Return a share with two digits and no zero in front, so that it is no wider than a picture."""
    return f"{round(float(share), 2) + 0.0:.2f}".replace("0.", ".", 1).replace("-", "−")


def _aids(way: Way) -> list[str]:
    """Return how to read the pictures, and whether decoding and encoding again comes back."""
    text = "The bar is the cluster of the mixed code."
    if way.again is not None:
        agree = int((way.again == way.clusters).sum())
        text = f"Bars: cluster of the code, and encoded again; {agree} of {len(way.clusters)} agree."
    if way.guesses is None:
        return [f"Above: α. {text}"]
    return ["Above: min(α, 1 − α); below: the critic’s guess of it.", text]


def _row(way: Way, ends: np.ndarray) -> np.ndarray:
    """Return RGBA pictures (s + 2, h, w, 4): what was decoded, between the real samples."""
    real = ends.astype(np.float32) / 255 if ends.dtype == np.uint8 else ends.astype(np.float32)
    if way.pictures is None:
        pixels = as_pixels(real)
        empty = np.zeros((len(way.clusters), *pixels.shape[1:]), np.uint8)
        return np.concatenate([pixels[:1], empty, pixels[1:]])
    pictures = way.pictures.astype(np.float32).reshape(-1, *real.shape[1:])
    return as_pixels(np.concatenate([real[:1], pictures, real[1:]]))


def _bars(way: Way) -> np.ndarray:
    """Return the colours of the bars under the pictures, (1, s + 2, b, 4)."""
    kinds = [way.clusters] + ([] if way.again is None else [way.again])
    clusters = np.pad(np.stack(kinds, axis=1), ((1, 1), (0, 0)), constant_values=-1)
    return cluster_pixels(clusters)[None]


def _column_text(figure: go.Figure, texts: Sequence[str], y: float) -> None:
    figure.add_scatter(
        x=np.arange(len(texts)),
        y=np.full(len(texts), y),
        text=list(texts),
        mode="text",
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
    )


def _hover(figure: go.Figure, way: Way, alpha: np.ndarray, y: float) -> None:
    """Lay invisible markers over the pictures that tell what each one is."""
    texts = []
    for i, share in enumerate(alpha):
        lines = [way.title, f"α = {share:.2f}", f"cluster {int(way.clusters[i])}"]
        lines += [f"encoded again: cluster {int(way.again[i])}"] if way.again is not None else []
        lines += [f"the critic guesses {float(way.guesses[i]):.3f}"] if way.guesses is not None else []
        texts.append("<br>".join(lines))
    figure.add_scatter(
        x=np.arange(len(alpha)) + 1,
        y=np.full(len(alpha), y),
        mode="markers",
        marker={"size": 24, "opacity": 0},
        hovertext=texts,
        hoverinfo="text",
        showlegend=False,
    )


def _beliefs(figure: go.Figure, way: Way, steps: int, top: float) -> float:
    """Draw what is believed along the way, below the pictures it belongs to; return where it ends.

    It shares the pictures' axes, so that a border stands under the picture in which it is crossed.
    """
    pixel = (steps + 2) / WIDTH
    x = 1 + way.fine.astype(np.float64) * (steps - 1)
    ground = top + (CURVES * pixel if way.beliefs is not None else 0.0)
    if way.beliefs is not None:
        most = 0.5 if way.beliefs.max() <= 0.5 else 1.0
        high = CURVES * pixel / most
        for level in (0.0, most):
            side = {"x0": 1, "x1": steps, "y0": ground - level * high, "y1": ground - level * high}
            figure.add_shape(type="line", line={"width": 1, "color": "rgba(128,128,128,0.5)"}, layer="below", **side)
            _word(figure, 0.85, ground - level * high, f"{level:g}", "middle left")
        _word(figure, 0.85, (top + ground) / 2, "q", "middle left")
        for cluster in np.flatnonzero(way.beliefs.max(axis=0) > FAINT):
            figure.add_scatter(
                x=x,
                y=ground - way.beliefs[:, cluster].astype(np.float64) * high,
                mode="lines",
                name=f"cluster {cluster}",
                line={"width": 3, "color": cluster_colour(int(cluster))},
                customdata=np.stack([way.fine, way.beliefs[:, cluster]], axis=1).astype(np.float32),
                hovertemplate=f"α = %{{customdata[0]:.2f}}: q of {cluster} = %{{customdata[1]:.3f}}<extra></extra>",
                showlegend=False,
            )
    line = ground + 8 * pixel
    _territories(figure, way, x, line, pixel)
    for alpha, _, _ in crossings(way.fine, way.fine_clusters):
        at = 1 + alpha * (steps - 1)
        dashed = {"width": 2, "dash": "dot", "color": NEUTRAL}
        figure.add_shape(type="line", x0=at, x1=at, y0=top - 0.3 * TEXT * pixel, y1=line, line=dashed, layer="below")
    return line + (8 + TEXT) * pixel


def _territories(figure: go.Figure, way: Way, x: np.ndarray, y: float, pixel: float) -> None:
    """Draw the way as a line in the colours of the clusters it leads through, with their numbers below."""
    ends = [0, *(np.flatnonzero(np.diff(way.fine_clusters)) + 1), len(x)]
    for start, end in zip(ends, ends[1:], strict=False):
        cluster = int(way.fine_clusters[start])
        figure.add_scatter(
            x=[x[start], x[min(end, len(x) - 1)]],
            y=[y, y],
            mode="lines",
            line={"width": 8, "color": cluster_colour(cluster)},
            hovertext=f"cluster {cluster}: α = {way.fine[start]:.2f} … {way.fine[end - 1]:.2f}",
            hoverinfo="text",
            showlegend=False,
        )
        room = (x[end - 1] - x[start]) / pixel
        if room > 14:
            text = f"cluster {cluster}" if room > 76 else f"{cluster}"
            _word(figure, (x[start] + x[end - 1]) / 2, y + 0.7 * TEXT * pixel, text, "middle center")


def _word(figure: go.Figure, x: float, y: float, text: str, position: str) -> None:
    figure.add_scatter(
        x=[x],
        y=[y],
        text=[text],
        mode="text",
        textposition=position,
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
    )


def _history(figure: go.Figure, ways: Sequence[Way], ends: np.ndarray, alpha: np.ndarray, top: float) -> float:
    """Draw the same way at every checkpoint, each under its name; return where the last one ends."""
    pixel = (len(alpha) + 2) / WIDTH
    for way in ways:
        raster = sheet(_row(way, ends)[None], bars=_bars(way)[:, :, :1])
        _word(figure, -0.48, top + 0.5 * TEXT * pixel, way.title, "middle right")
        middle = top + TEXT * pixel + raster.pitch - raster.foot
        raster.trace.y0 += middle
        figure.add_trace(raster.trace)
        _hover(figure, way, alpha, middle)
        top = middle + raster.foot + 0.3 * TEXT * pixel
    return top
