"""Are the codes rich or collapsed? Their singular values, and which coordinates say the same."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.palette import CLUSTER_COLOURS
from clustlab.figures.style import DIVERGING, axis, note, styled, wrapped

__all__ = ["correlations", "singular_spectrum", "spectrum"]

SAMPLES = 1500
"""Samples from which a spectrum is taken; more change it by less than can be seen."""
BARS = 50
COORDINATES = 40
"""Coordinates in the matrix of correlations."""
STRONG = 0.9
"""Two coordinates beyond this correlation say nearly the same."""


def singular_spectrum(codes: np.ndarray) -> np.ndarray:
    """Return the standard deviations of codes (n, J) along their principal axes, falling: singular values over √n."""
    rows = codes.astype(np.float64)
    return np.asarray(np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) / np.sqrt(len(rows)))


def correlations(codes: np.ndarray) -> np.ndarray:
    """Return the correlation matrix (J, J) of the coordinates of codes (n, J); 0 for one that is constant."""
    centred = codes.astype(np.float64) - codes.astype(np.float64).mean(axis=0)
    size = np.linalg.norm(centred, axis=0)
    shares = centred / np.where(size > 0, size, 1.0)
    return np.asarray(shares.T @ shares)


def spectrum(codes: np.ndarray) -> go.Figure:
    """Draw the singular spectrum of the codes and the correlations between their coordinates.

    Parameters
    ----------
    codes : ndarray, shape (n, J)
        Codes of the probe.
    """
    codes = codes[np.linspace(0, len(codes) - 1, min(len(codes), SAMPLES)).round().astype(np.int64)]
    deviations = singular_spectrum(codes)
    widest = np.sort(np.argsort(-codes.astype(np.float64).var(axis=0), kind="stable")[:COORDINATES])
    matrix = correlations(codes[:, widest])
    figure = make_subplots(rows=2, cols=1, row_heights=[0.36, 0.64], vertical_spacing=0.15)
    figure.add_bar(
        x=np.arange(1, len(deviations) + 1)[:BARS],
        y=deviations[:BARS],
        marker={"color": CLUSTER_COLOURS[0], "line": {"width": 0}},
        customdata=(deviations**2 / max((deviations**2).sum(), 1e-30))[:BARS],
        hovertemplate="axis %{x}: %{y:.3g} code units, %{customdata:.1%} of the variance<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_heatmap(
        z=matrix.astype(np.float32),
        x=widest,
        y=widest,
        colorscale=DIVERGING,
        zmin=-1,
        zmax=1,
        colorbar={"len": 0.6, "y": 0.26, "thickness": 14, "tickfont": {"size": 14}, "tickvals": [-1, 0, 1]},
        hovertemplate="coordinates %{x} and %{y}: %{z:.2f}<extra></extra>",
        row=2,
        col=1,
    )
    twins = int((np.abs(np.triu(matrix, 1)) > STRONG).sum())
    shown = "" if len(widest) == codes.shape[1] else f" (the {len(widest)} of largest variance)"
    text, height = wrapped(
        f"effective rank {_effective_rank(deviations):.1f} of {codes.shape[1]}",
        f"{twins} pairs of coordinates{shown} are correlated beyond {STRONG}",
    )
    note(figure, text)
    few = {"dtick": 1} if len(widest) <= 16 else {"nticks": 12}
    figure.update_xaxes(**axis("principal axis", showgrid=False, dtick=1 if len(deviations) <= 16 else 5), row=1, col=1)
    figure.update_yaxes(**axis("standard deviation", rangemode="tozero"), row=1, col=1)
    figure.update_xaxes(**axis("coordinate of the code", showgrid=False, constrain="domain", **few), row=2, col=1)
    square = {"scaleanchor": "x2", "scaleratio": 1, "autorange": "reversed", "constrain": "domain"}
    figure.update_yaxes(**axis("coordinate of the code", showgrid=False, **square, **few), row=2, col=1)
    return styled(figure, 560, margin={"t": height + 6}, showlegend=False)


def _effective_rank(deviations: np.ndarray) -> float:
    """Return exp H of the shares of variance (Roy and Vetterli 2007)."""
    shares = deviations**2 / max(float((deviations**2).sum()), 1e-30)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
