"""How far is a sample perturbed, and what does it cost? Radii, divergence along directions, and the search for one."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.stats import spearmanr

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL, colour_scale, mixed
from clustlab.figures.plane import shown_rows
from clustlab.figures.style import axis, note, shorten, styled, wrapped

__all__ = ["divergence_by_length", "entropies", "power_iteration", "radii", "rank_correlation"]

BINS = 30
POINTS = 1000
ADVERSARY, CHANCE = CLUSTER_COLOURS[3], CLUSTER_COLOURS[0]


def entropies(q: np.ndarray) -> np.ndarray:
    """Return the entropy of each row of (n, K) in nats, (n,)."""
    q = q.astype(np.float64)
    return np.asarray(-(q * np.log(np.maximum(q, 1e-12))).sum(axis=1))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's correlation of two series (n,): 0 where one of them never changes."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)


def radii(
    radius: np.ndarray, q: np.ndarray, labels: np.ndarray, *, names: np.ndarray, selected: int | None = None
) -> go.Figure:
    """Draw how far each sample is perturbed, and whether that goes with how unsure the network is of it.

    Parameters
    ----------
    radius : ndarray, shape (n,)
        ε(x) in the data's own units.
    q : ndarray, shape (n, K)
        p(y|x).
    labels : ndarray of int, shape (n,)
        Cluster of each sample.
    names : ndarray of int, shape (n,)
        What samples are called.
    selected : int, optional
        A sample to be ringed.
    """
    radius, unsure = radius.astype(np.float64), entropies(q)
    counts, edges = np.histogram(radius, BINS)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.35, 0.65])
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=counts,
        width=np.diff(edges),
        marker={"color": CHANCE, "line": {"width": 0}},
        hovertemplate="ε ≈ %{x:.3g}: %{y} samples<extra></extra>",
        name="radii",
        row=1,
        col=1,
    )
    rows = shown_rows(len(radius), POINTS, selected)
    figure.add_scatter(
        x=radius[rows],
        y=unsure[rows],
        mode="markers",
        name="samples",
        marker={"size": 6, "opacity": 0.7, "color": labels[rows].astype(np.int64), **colour_scale(q.shape[1])},
        customdata=rows,
        hovertext=[f"sample #{names[row]}, cluster {labels[row]}" for row in rows],
        hoverinfo="text",
        row=2,
        col=1,
    )
    if selected is not None:
        ring = {"size": 18, "symbol": "circle-open", "line": {"width": 3}, "color": ADVERSARY}
        x, y = radius[[selected]], unsure[[selected]]
        figure.add_scatter(x=x, y=y, mode="markers", name="selected", marker=ring, hoverinfo="skip", row=2, col=1)
    text, height = wrapped(
        f"half of the radii lie between {shorten(np.quantile(radius, 0.25))} and {shorten(np.quantile(radius, 0.75))}",
        f"rank correlation of radius and entropy: {rank_correlation(radius, unsure):.2f}",
    )
    note(figure, text)
    figure.update_yaxes(**axis("samples"), row=1, col=1)
    figure.update_yaxes(**axis("entropy of p(y|x), nats", rangemode="tozero"), row=2, col=1)
    figure.update_xaxes(**axis("radius ε(x), in the data’s units"), row=2, col=1)
    return styled(figure, 420 + height, margin={"t": height + 6}, showlegend=False, bargap=0)


def divergence_by_length(divergence: np.ndarray, multiples: np.ndarray, *, of: str) -> go.Figure:
    """Draw what the network says of samples against how far they are moved, by an adversary and by chance.

    Parameters
    ----------
    divergence : ndarray, shape (d, s)
        KL(p(y|x) ‖ p(y|x + a r)) in nats; the first direction is the adversarial one, the others are random.
    multiples : ndarray, shape (s,)
        Lengths a, in radii.
    of : str
        Whose divergence it is, e.g. ``mean of 12 samples``.
    """
    values, lengths = divergence.astype(np.float64), multiples.astype(np.float64)
    adversary, chance = values[0], values[1:]
    figure = go.Figure()
    gap = np.full((len(chance), 1), np.nan)
    figure.add_scatter(
        x=np.concatenate([np.tile(lengths, (len(chance), 1)), gap], axis=1).ravel(),
        y=np.concatenate([chance, gap], axis=1).ravel(),
        mode="lines",
        name=f"{len(chance)} random directions",
        line={"width": 1, "color": mixed(CHANCE, 0.45)},
        hoverinfo="skip",
    )
    lines = (("mean of chance", chance.mean(axis=0), CHANCE, "dash"), ("adversarial", adversary, ADVERSARY, "solid"))
    for name, heights, colour, dash in lines:
        figure.add_scatter(
            x=lengths,
            y=heights,
            mode="lines+markers",
            name=name,
            line={"width": 3, "color": colour, "dash": dash},
            marker={"size": 7},
            hovertemplate=f"{name}, %{{x:g}} radii: %{{y:.4g}} nats<extra></extra>",
        )
    figure.add_vline(x=1, line={"width": 1.5, "dash": "dot", "color": NEUTRAL})
    at = int(np.abs(lengths - 1).argmin())
    found, drawn = float(adversary[at]), float(chance[:, at].mean())
    text, height = wrapped(
        f"{of}; at one radius (dotted) the adversary changes {shorten(found)} nats, chance {shorten(drawn)}"
        + (f": {shorten(found / drawn)} times as much" if drawn > 0 and found > drawn else "")
    )
    note(figure, text, yshift=50)
    figure.update_xaxes(**axis("length a of the perturbation, in radii ε(x)", rangemode="tozero"))
    figure.update_yaxes(**axis("KL(p(y|x) ‖ p(y|x + a r)), nats", rangemode="tozero"))
    return styled(figure, 390 + height, margin={"t": height + 52})


def power_iteration(cosines: np.ndarray) -> go.Figure:
    """Draw how far each power iteration still turns the adversarial direction.

    Parameters
    ----------
    cosines : ndarray, shape (m, c)
        Of the angles between the directions after 1, 2, … iterations and after one more, of m samples.
    """
    values = cosines.astype(np.float64)
    samples, count = values.shape
    steps = np.arange(count)
    spread = (np.arange(samples) / max(samples - 1, 1) - 0.5) * 0.3
    figure = go.Figure()
    figure.add_scatter(
        x=(steps[None, :] + spread[:, None]).ravel(),
        y=values.ravel(),
        mode="markers",
        name="samples",
        marker={"size": 7, "color": CHANCE, "opacity": 0.6},
        hovertemplate="cosine %{y:.3f}<extra></extra>",
    )
    figure.add_scatter(
        x=steps,
        y=values.mean(axis=0),
        mode="lines+markers",
        name="mean",
        line={"width": 3, "color": ADVERSARY},
        marker={"size": 9},
        hovertemplate="mean cosine %{y:.3f}<extra></extra>",
    )
    angle = float(np.degrees(np.arccos(np.clip(values[:, 0], -1, 1))).mean())
    text, height = wrapped(f"a second iteration would turn the direction by {angle:.0f}° on average")
    note(figure, text, yshift=30)
    names = [f"{step + 1} → {step + 2}" for step in steps]
    figure.update_xaxes(**axis("power iterations compared", tickvals=steps, ticktext=names, showgrid=False))
    figure.update_yaxes(**axis("cosine of the two directions", range=[min(-0.05, values.min() - 0.05), 1.05]))
    return styled(figure, 340 + height, margin={"t": height + 32})
