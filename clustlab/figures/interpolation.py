"""What lies between two samples: their codes mixed, decoded, and judged by the critic."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, sheet
from clustlab.figures.style import note, styled

__all__ = ["interpolation", "smaller_share"]

MOST_STRIPS = 8
WIDTH = 480
"""Pixels of the drawing area that heights are reckoned for."""


def smaller_share(alpha: np.ndarray) -> np.ndarray:
    """Return min(α, 1 − α), what the critic has to guess: it cannot know which of two samples came first."""
    return np.asarray(np.minimum(alpha, 1 - alpha))


def interpolation(
    strips: np.ndarray,
    alpha: np.ndarray,
    *,
    strip_labels: np.ndarray | None = None,
    critic_guess: np.ndarray | None = None,
    ends: np.ndarray | None = None,
) -> go.Figure:
    """Draw strips of decoded mixtures, one pair a row.

    Parameters
    ----------
    strips : ndarray, shape (m, s, …)
        Decoded codes (1 − α) z₁ + α z₂: images in 0 … 1, or vectors.
    alpha : ndarray, shape (s,)
        Share of the second sample.
    strip_labels : ndarray of int, shape (m, s), optional
        Cluster of each mixed code, drawn as a bar under its picture.
    critic_guess : ndarray, shape (m, s), optional
        The critic's estimate of the smaller share, printed under its picture.
    ends : ndarray, shape (m, 2, …), optional
        The real samples of each pair, drawn left and right of the strip; uint8 images or vectors.
    """
    strips = strips[:MOST_STRIPS]
    count, steps = strips.shape[:2]
    pictures = _pictures(strips, None if ends is None else ends[:count])
    beside = 0 if ends is None else 1
    columns = pictures.shape[1]
    bars = None
    if strip_labels is not None:
        clusters = np.pad(strip_labels[:count].astype(np.int64), ((0, 0), (beside, beside)), constant_values=-1)
        bars = cluster_pixels(clusters)
    text_height = 20 * columns / WIDTH
    raster = sheet(pictures, below=text_height if critic_guess is not None else 0.12, bars=bars)
    figure = go.Figure(raster.trace)
    where = np.arange(count) * raster.pitch
    _hover(figure, where, alpha, beside, strip_labels, critic_guess)
    if critic_guess is not None:
        # Numbers are 14 pixels high and 28 wide: where columns are narrower, every second is printed.
        every = max(1, int(np.ceil(30 * columns / WIDTH)))
        shown = np.arange(steps)[::every]
        figure.add_scatter(
            x=np.tile(shown + beside, count),
            y=np.repeat(where + raster.foot + text_height / 2, len(shown)),
            text=[_guess(critic_guess[row, i]) for row in range(count) for i in shown],
            mode="text",
            textfont={"size": 14},
            hoverinfo="skip",
            showlegend=False,
        )
    head = 1.35 * text_height
    _heads(figure, alpha, beside, -raster.foot - head / 2, columns)
    bottom = where[-1] + raster.foot + (text_height if critic_guess is not None else 0.1)
    frameless_axes(figure, columns, -raster.foot - head, bottom)
    height = round((bottom + raster.foot + head) * WIDTH / columns) + 20
    lines = ["above each column: the smaller share min(α, 1 − α)"]
    lines += ["under each picture: the critic’s guess of it; 0 where it is fooled"] if critic_guess is not None else []
    note(figure, "<br>".join(lines), yanchor="bottom", yshift=2)
    top = 6 + 19 * len(lines)
    return styled(figure, height + top, margin={"l": 8, "r": 8, "t": top, "b": 8}, showlegend=False)


def _guess(value: float) -> str:
    """Return a guess with two digits; a negative one without its zero, so that it is no wider."""
    text = f"{round(float(value), 2) + 0.0:.2f}"
    return text.replace("-0.", "−.")


def _pictures(strips: np.ndarray, ends: np.ndarray | None) -> np.ndarray:
    """Return RGBA pictures (m, s or s + 2, h, w, 4): the strips, between the real samples where those are given."""
    shape = strips.shape[2:]
    values = strips.astype(np.float32)
    if ends is not None:
        real = ends.astype(np.float32) / 255 if ends.dtype == np.uint8 else ends.astype(np.float32)
        real = real.reshape(len(ends), 2, *shape)
        values = np.concatenate([real[:, :1], values, real[:, 1:]], axis=1)
    return as_pixels(values.reshape(-1, *shape)).reshape(*values.shape[:2], *as_pixels(values[0, :1]).shape[1:])


def _heads(figure: go.Figure, alpha: np.ndarray, beside: int, y: float, columns: int) -> None:
    every = max(1, int(np.ceil(30 * columns / WIDTH)))
    shown = np.arange(len(alpha))[::every]
    x = [*(shown + beside)] + ([0, columns - 1] if beside else [])
    shares = [f"<b>{share:.2f}</b>" for share in smaller_share(alpha.astype(np.float64))[shown]]
    figure.add_scatter(
        x=x,
        y=[y] * len(x),
        text=shares + (["real", "real"] if beside else []),
        mode="text",
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
    )


def _hover(
    figure: go.Figure,
    where: np.ndarray,
    alpha: np.ndarray,
    beside: int,
    labels: np.ndarray | None,
    guess: np.ndarray | None,
) -> None:
    """Lay invisible markers over the pictures that tell what each one is."""
    texts = []
    for row in range(len(where)):
        for i, share in enumerate(alpha):
            lines = [f"α = {share:.2f}"]
            lines += [f"cluster {int(labels[row, i])}"] if labels is not None else []
            lines += [f"the critic guesses {float(guess[row, i]):.3f}"] if guess is not None else []
            texts.append("<br>".join(lines))
    figure.add_scatter(
        x=np.tile(np.arange(len(alpha)) + beside, len(where)),
        y=np.repeat(where, len(alpha)),
        mode="markers",
        marker={"size": 24, "opacity": 0},
        hovertext=texts,
        hoverinfo="text",
        showlegend=False,
    )
