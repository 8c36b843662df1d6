"""Can the critic tell how much is mixed in? Its guess against the truth, between the levels of telling cases."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.style import axis, note, shorten, styled, wrapped

__all__ = ["CONSTANT_GUESSES", "LOSS_LEVELS", "critic_calibration"]

CONSTANT_GUESSES = {"always 0": 0.0, "mixes and real images look alike": 1 / 8, "knows only the mean of α": 1 / 4}
"""What a critic that cannot see α in an image says of every mix, in three cases."""

LOSS_LEVELS = {
    "recover_alpha": (1 / 12, 7 / 192, 1 / 48),
    "realistic_is_zero": (1 / 64,),
    "fool_critic": (1 / 12, 1 / 16, 1 / 64),
}
"""What the critic's terms amount to in those cases and for a perfect critic, for α ~ U(0, ½); zeros left out."""

PARTS = 10


def critic_calibration(pairs: np.ndarray) -> go.Figure:
    """Draw the critic's guesses of α against α.

    Parameters
    ----------
    pairs : ndarray, shape (m, 2)
        True share of the minor sample, 0 … ½, and the critic's guess of it, on mixes of probe samples.
    """
    alpha, guess = pairs.astype(np.float64).T
    figure = go.Figure()
    figure.add_scatter(
        x=alpha,
        y=guess,
        mode="markers",
        name="mixes",
        marker={"size": 6, "color": CLUSTER_COLOURS[0], "opacity": 0.4},
        hovertemplate="α = %{x:.3f}, the critic says %{y:.3f}<extra></extra>",
    )
    edges = np.linspace(0, 0.5, PARTS + 1)
    part = np.clip(np.digitize(alpha, edges) - 1, 0, PARTS - 1)
    filled = np.unique(part)
    figure.add_scatter(
        x=[alpha[part == i].mean() for i in filled],
        y=[guess[part == i].mean() for i in filled],
        mode="lines+markers",
        name="mean guess",
        line={"width": 3, "color": CLUSTER_COLOURS[3]},
        marker={"size": 8},
        hovertemplate="mean guess at α ≈ %{x:.2f}: %{y:.3f}<extra></extra>",
    )
    figure.add_scatter(
        x=[0, 0.5],
        y=[0, 0.5],
        mode="lines",
        name="perfect critic",
        line={"width": 2, "dash": "dash", "color": NEUTRAL},
        hoverinfo="skip",
    )
    for text, level in CONSTANT_GUESSES.items():
        figure.add_hline(y=level, line={"width": 1.5, "dash": "dot", "color": NEUTRAL})
        # Where a good critic's guesses are not: above the diagonal at the left, below it at the right.
        side = "left" if level == max(CONSTANT_GUESSES.values()) else "right"
        note(figure, text, x=0.01 if side == "left" else 0.99, xanchor=side, yref="y", y=level, yshift=-1)
    miss, blind = np.square(guess - alpha).mean(), np.square(alpha - alpha.mean()).mean()
    text, height = wrapped(
        f"mean of (d − α)²: {shorten(miss)}; the best that a critic blind to α could do is {shorten(blind)}"
    )
    note(figure, text, yshift=32)
    figure.update_xaxes(**axis("α, share of the minor sample in the mix", range=[-0.01, 0.51]))
    low, high = min(float(guess.min()), 0.0), max(float(guess.max()), 0.5)
    figure.update_yaxes(**axis("d(x̂), the critic’s guess of α", range=[low - 0.04, high + 0.03]))
    return styled(figure, 400 + height, margin={"t": height + 30})
