"""What does a perturbation do to a sample? Cards: the sample, the step, where it leads, and what is said of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.interpolation import WIDTH
from clustlab.figures.palette import NEUTRAL, cluster_colour, mixed
from clustlab.figures.pictures import as_pixels, cluster_pixels, frameless_axes, is_image, sheet, signed_pixels
from clustlab.figures.style import note, styled, wrapped

__all__ = ["Cards", "flips", "perturbation_cards"]

MOST_CARDS = 6
FEATURES = 3
"""Features of a vector that a card names: those that change most."""
COLUMNS = 5.6
"""Width of a card, in pictures."""
BARS, BAR_WIDTH, BAR_HEIGHT = 2.7, 1.5, 0.3
"""Where the bars of p begin, and how long and high they are, in pictures."""
FRAME = (213, 94, 0, 255)
SLIDER = 84
"""Pixels of the slider under the cards."""


@dataclass(frozen=True)
class Cards:
    """Samples and their perturbations, in the data's own units.

    Attributes
    ----------
    samples : ndarray, shape (m, …)
        Images (uint8) or vectors.
    perturbations : ndarray, shape (m, …)
        Steps r of one radius.
    multiples : ndarray, shape (s,)
        Lengths a, in radii, at which the network was asked; 0 among them.
    q : ndarray, shape (m, s, K)
        p(y|x + a r).
    names : ndarray of int, shape (m,)
        What the samples are called.
    """

    samples: np.ndarray
    perturbations: np.ndarray
    multiples: np.ndarray
    q: np.ndarray
    names: np.ndarray

    @property
    def before(self) -> np.ndarray:
        """p(y|x), (m, K)."""
        return np.asarray(self.q[:, np.abs(self.multiples).argmin()])

    def first(self, count: int) -> Cards:
        """Return the first so many cards, with numbers as they are drawn."""
        samples = self.samples[:count].astype(np.float32) / (255 if self.samples.dtype == np.uint8 else 1)
        steps = self.perturbations[:count].astype(np.float32)
        q = self.q[:count].astype(np.float64)
        return Cards(samples, steps.reshape(samples.shape), self.multiples, q, self.names[:count])


def flips(q: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    """Return where a perturbed sample (m, s, K) has another cluster than the sample itself, (m, s) bool."""
    winners = q.argmax(axis=2)
    return np.asarray(winners != winners[:, [np.abs(multiples).argmin()]])


def perturbation_cards(cards: Cards) -> go.Figure:
    """Draw a card a row, with a slider over the length of the perturbation that starts at one radius."""
    total = len(cards.samples)
    flipped = flips(cards.q, cards.multiples)
    cards = cards.first(MOST_CARDS)
    pictures = is_image(cards.samples.shape[1:])
    start = int(np.abs(cards.multiples - 1).argmin())
    figure = go.Figure()
    pitch, foot = 1.0, 0.5
    for i in range(len(cards.multiples)):
        if pictures:
            raster = sheet(_pictures(cards, i), below=0.06, bars=_bars(cards, i), frames=_frames(cards, i))
            pitch, foot = raster.pitch, raster.foot
            left = [raster.trace]
        else:
            left = _features(cards, i)
        for trace in (*left, *_beliefs(cards, i, pitch)):
            figure.add_trace(trace.update(visible=i == start))
    layers = len(figure.data) // len(cards.multiples)
    head = 0.34
    bottom = (len(cards.samples) - 1) * pitch + foot + 0.06
    _heads(figure, -foot - head / 2, pictures)
    frameless_axes(figure, COLUMNS, -foot - head, bottom)
    text, high = wrapped(
        f"At one radius {flipped[:, start].sum()} of {total} samples change cluster.",
        "Framed: the cluster changes. Bars: the two likeliest clusters, before above and after below."
        if pictures
        else "⚑: the cluster changes. Bars: the two likeliest clusters, before above and after below.",
    )
    note(figure, text, yshift=2)
    height = round((bottom + foot + head) * WIDTH / COLUMNS) + high + SLIDER
    return styled(
        figure,
        height,
        margin={"l": 8, "r": 8, "t": high, "b": SLIDER},
        showlegend=False,
        barmode="overlay",
        sliders=[_slider(cards.multiples, start, layers, len(figure.data))],
    )


def _pictures(cards: Cards, i: int) -> np.ndarray:
    """Return x, r and x + a r as RGBA pictures (m, 3, h, w, 4)."""
    steps = cards.perturbations
    moved = cards.samples + cards.multiples[i] * steps
    columns = (as_pixels(cards.samples), signed_pixels(steps), as_pixels(moved))
    return np.stack(columns, axis=1)


def _bars(cards: Cards, i: int) -> np.ndarray:
    """Return the colours of the clusters before and after, (m, 3, 4)."""
    before, after = cards.before.argmax(axis=1), cards.q[:, i].argmax(axis=1)
    return cluster_pixels(np.stack([before, np.full_like(before, -1), after], axis=1))


def _frames(cards: Cards, i: int) -> np.ndarray:
    frames = np.zeros((len(cards.samples), 3, 4), np.uint8)
    frames[flips(cards.q, cards.multiples)[:, i], 2] = FRAME
    return frames


def _features(cards: Cards, i: int) -> list[go.Bar | go.Scatter]:
    """Return the features of vectors that change most: a bar for the step, and the value before and after."""
    steps = cards.perturbations.reshape(len(cards.samples), -1)
    values = cards.samples.reshape(steps.shape)
    chosen = np.argsort(-np.abs(steps), axis=1, kind="stable")[:, :FEATURES]
    largest = np.abs(steps).max() or 1.0
    lengths, heights, texts = [], [], []
    for row, features in enumerate(chosen):
        for place, feature in enumerate(features):
            before, step = float(values[row, feature]), float(steps[row, feature])
            lengths.append(0.6 * step / largest)
            heights.append(row + (place - (len(features) - 1) / 2) * 0.26)
            after = before + cards.multiples[i] * step
            texts.append(f"{feature}: {before:.2f} → {after:.2f}".replace("-", "−"))
    colours = [cluster_colour(0) if length < 0 else cluster_colour(3) for length in lengths]
    return [
        go.Bar(
            x=lengths,
            y=heights,
            base=1.95,
            orientation="h",
            width=0.2,
            marker={"color": colours, "line": {"width": 0}},
            hoverinfo="skip",
            name="change",
        ),
        go.Scatter(
            x=[-0.45] * len(texts), y=heights, text=texts, mode="text", textposition="middle right", hoverinfo="skip"
        ),
    ]


def _beliefs(cards: Cards, i: int, pitch: float) -> list[go.Bar | go.Scatter]:
    """Return the two likeliest clusters before and after as stacked bars, in numbers, and to be pointed at."""
    flipped = flips(cards.q, cards.multiples)[:, i]
    segments: list[tuple[float, float, float, str]] = []
    numbers, hover = [], []
    for row in range(len(cards.samples)):
        for side, p in ((-1, cards.before[row]), (1, cards.q[row, i])):
            y = row * pitch + side * 0.22
            first, second = np.argsort(-p, kind="stable")[[0, min(1, len(p) - 1)]]
            reach = [0.0, float(p[first]), float(p[first] + (p[second] if second != first else 0)), 1.0]
            parts = [cluster_colour(int(first)), cluster_colour(int(second)), mixed(NEUTRAL, 0.3)]
            segments += [
                (BARS + BAR_WIDTH * low, BAR_WIDTH * max(high - low, 0), y, colour)
                for low, high, colour in zip(reach, reach[1:], parts, strict=False)
            ]
            mark = " ⚑" if side > 0 and flipped[row] else ""
            numbers.append((y, f"{first}: {p[first]:.0%}{mark}"))
            said = ", ".join(f"cluster {k} {p[k]:.1%}" for k in dict.fromkeys((int(first), int(second))))
            hover.append(f"sample #{cards.names[row]} {'before' if side < 0 else 'after'}: {said}")
    starts, lengths, heights, colours = (list(part) for part in zip(*segments, strict=True))
    text = {"mode": "text", "textposition": "middle right", "textfont": {"size": 14}}
    return [
        go.Bar(
            x=lengths,
            base=starts,
            y=heights,
            orientation="h",
            width=BAR_HEIGHT,
            marker={"color": colours, "line": {"width": 0}},
            hovertext=[text for text in hover for _ in range(3)],
            hoverinfo="text",
            name="p",
        ),
        go.Scatter(
            x=[BARS + BAR_WIDTH + 0.05] * len(numbers),
            y=[y for y, _ in numbers],
            text=[text for _, text in numbers],
            hoverinfo="skip",
            **text,
        ),
    ]


def _heads(figure: go.Figure, y: float, pictures: bool) -> None:
    heads = [(0.0, "x"), (1.0, "r"), (2.0, "x + a r")] if pictures else [(0.9, "features that change most")]
    places = [*heads, (BARS + BAR_WIDTH / 2 + 0.3, "p(y|x) and p(y|x + a r)")]
    figure.add_scatter(
        x=[x for x, _ in places],
        y=[y] * len(places),
        text=[f"<b>{text}</b>" for _, text in places],
        mode="text",
        textfont={"size": 14},
        hoverinfo="skip",
    )


def _slider(multiples: np.ndarray, active: int, layers: int, traces: int) -> dict[str, Any]:
    """Return a slider that shows the layers of one multiple; traces after all layers are always shown."""
    steps = []
    for i, multiple in enumerate(multiples):
        shown = [i * layers <= trace < (i + 1) * layers or trace >= len(multiples) * layers for trace in range(traces)]
        steps.append({"label": f"{multiple:g}", "method": "restyle", "args": [{"visible": shown}]})
    return {
        "active": active,
        "steps": steps,
        "currentvalue": {"prefix": "length a of the perturbation, in radii ε(x): ", "font": {"size": 14}},
        "font": {"size": 14},
        "len": 0.84,  # the rest is left to the button under every figure
        "pad": {"t": 4, "b": 0, "l": 8, "r": 8},
        "bgcolor": "rgba(128,128,128,0.3)",
        "activebgcolor": NEUTRAL,
        "bordercolor": "rgba(128,128,128,0.6)",
        "tickcolor": NEUTRAL,
    }
