"""How sure is the model, and how evenly does it use its clusters? Entropies over the run, and the plane of the two."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL, mixed
from clustlab.figures.style import axis, note, styled, thinned, wrapped

__all__ = ["information", "information_alarms", "information_note"]

POINTS = 400
BALANCE, DOUBT = CLUSTER_COLOURS[0], CLUSTER_COLOURS[3]
ONE_CLUSTER = 0.2
"""Marginal entropy below this share of log K: next to all samples share a cluster."""
UNDECIDED = 0.9
"""Conditional entropy above this share of log K: samples say next to nothing of their cluster."""
FULL = 0.9
"""Information above this share of log K tells no good partition from a bad one."""

Series = tuple[np.ndarray, np.ndarray]


def information_alarms(signs: Mapping[str, float], n_clusters: int) -> list[str]:
    """Return which degenerate optima a classifier is in at a moment, one sentence each.

    Parameters
    ----------
    signs : mapping of str to float
        ``marginal_entropy``, ``conditional_entropy`` and ``used_clusters`` at that moment, as far as measured.
    n_clusters : int
        K.
    """
    most, found = np.log(n_clusters), []
    balance, doubt = signs.get("marginal_entropy", most), signs.get("conditional_entropy", 0.0)
    if balance < ONE_CLUSTER * most:
        found.append(f"All in one cluster: H(Y) is {balance:.2f} of at most {most:.2f} nats.")
    if n_clusters > 1 and doubt > UNDECIDED * most:
        found.append(f"All undecided: H(Y|X) is {doubt:.2f} of at most {most:.2f} nats.")
    dead = n_clusters - round(signs.get("used_clusters", n_clusters))
    if dead > 0:
        found.append(f"Dead clusters: {dead} of {n_clusters} win no sample at all, whatever H(Y) is.")
    return found


def information_note(signs: Mapping[str, float], n_clusters: int) -> str:
    """Return what must be kept in mind where mutual information is near log K; empty elsewhere."""
    if n_clusters < 2 or signs.get("mutual_information", 0.0) <= FULL * np.log(n_clusters):
        return ""
    return "I(X;Y) is near log K. That proves nothing: every even partition that is sure of itself has as much."


def information(series: Mapping[str, Series], *, step: float, n_clusters: int) -> go.Figure:
    """Draw H(Y) and H(Y|X) over the run with I(X;Y) between them, and the run's path in the plane of the two.

    Parameters
    ----------
    series : mapping of str to (steps, values)
        ``marginal_entropy`` and ``conditional_entropy`` in nats, measured at the same steps; ``used_clusters`` and
        ``mutual_information`` for what is said of the moment.
    step : float
        The moment shown elsewhere.
    n_clusters : int
        K.
    """
    steps, balance = (np.asarray(part, np.float64) for part in series["marginal_entropy"])
    doubt = np.interp(steps, *series["conditional_entropy"])
    before = {name: values[at <= step] for name, (at, values) in series.items()}
    now = {name: float(values[-1]) for name, values in before.items() if len(values)}
    most = float(np.log(n_clusters))
    figure = make_subplots(rows=2, cols=1, row_heights=[0.45, 0.55], vertical_spacing=0.17)
    shown = thinned(len(steps), POINTS)
    _curves(figure, steps[shown], balance[shown], doubt[shown], step, most)
    _plane(figure, steps[shown], balance[shown], doubt[shown], step, most)
    wrong = information_alarms(now, n_clusters)
    remark = information_note(now, n_clusters)
    sentences = [f"⚠ {each}" for each in wrong] or ["No alarm at this moment."]
    text, height = wrapped(*sentences, *([remark] if remark else []))
    note(figure, f"<b>{text}</b>" if wrong else text, xshift=-34, yshift=32)
    legend = {"traceorder": "normal"}
    return styled(figure, 590 + height, margin={"t": height + 34, "l": 50}, legend=legend)


def _curves(
    figure: go.Figure, steps: np.ndarray, balance: np.ndarray, doubt: np.ndarray, step: float, most: float
) -> None:
    place = {"row": 1, "col": 1}
    for name, heights, colour in (("H(Y|X)", doubt, DOUBT), ("H(Y)", balance, BALANCE)):
        figure.add_scatter(
            x=steps,
            y=heights,
            mode="lines",
            name=name,
            line={"width": 2.5, "color": colour},
            fill="tonexty" if name == "H(Y)" else None,
            fillcolor=mixed(CLUSTER_COLOURS[2], 0.18),
            hovertemplate=f"step %{{x}}: {name} = %{{y:.3f}}<extra></extra>",
            **place,
        )
    figure.add_scatter(
        x=steps,
        y=(balance + doubt) / 2,
        customdata=balance - doubt,
        mode="lines",
        name="I(X;Y), the gap",
        line={"width": 12, "color": "rgba(0,158,115,0)"},
        hovertemplate="step %{x}: I(X;Y) = %{customdata:.3f}<extra></extra>",
        showlegend=False,
        **place,
    )
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        name="I(X;Y), the gap",
        marker={"symbol": "square", "size": 12, "color": mixed(CLUSTER_COLOURS[2], 0.4)},
        **place,
    )
    figure.add_hline(y=most, line={"width": 1.5, "dash": "dash", "color": NEUTRAL}, **place)
    note(figure, f"log K = {most:.2f}", xref="x domain", x=1, xanchor="right", yref="y", y=most, yshift=-1)
    figure.add_vline(x=step, line={"width": 2, "color": NEUTRAL}, **place)
    last = max(float(steps[-1]) if len(steps) else 0.0, step, 1.0)
    figure.update_xaxes(**axis("training step", range=[0, last], separatethousands=True), **place)
    figure.update_yaxes(**axis("nats", range=[0, 1.16 * (most or 1.0)], nticks=5), **place)


def _plane(
    figure: go.Figure, steps: np.ndarray, balance: np.ndarray, doubt: np.ndarray, step: float, most: float
) -> None:
    """Draw the path below and left of the triangle H(Y|X) ≤ H(Y) ≤ log K, whose corners are the degenerate optima."""
    place = {"row": 2, "col": 1}
    figure.add_scatter(
        x=[0, most, 0, 0],
        y=[0, most, most, 0],
        mode="lines",
        line={"width": 1.5, "dash": "dash", "color": NEUTRAL},
        hoverinfo="skip",
        showlegend=False,
        **place,
    )
    done = steps <= step
    for part, opacity in ((~done, 0.35), (done, 1.0)):
        figure.add_scatter(
            x=doubt[part],
            y=balance[part],
            customdata=steps[part].astype(np.float64),  # whole numbers would be samples
            mode="lines+markers",
            name="path until now" if opacity == 1.0 else "path afterwards",
            line={"width": 1.5, "color": mixed(CLUSTER_COLOURS[0], 0.4 * opacity)},
            marker={"size": 6, "color": mixed(CLUSTER_COLOURS[0], 0.7 * opacity)},
            hovertemplate="step %{customdata}: H(Y|X) = %{x:.3f}, H(Y) = %{y:.3f}<extra></extra>",
            showlegend=False,
            **place,
        )
    if done.any():
        figure.add_scatter(
            x=doubt[done][-1:],
            y=balance[done][-1:],
            mode="markers",
            name="now",
            marker={"size": 14, "color": CLUSTER_COLOURS[3], "line": {"width": 2, "color": "white"}},
            hoverinfo="skip",
            showlegend=False,
            **place,
        )
    corners = (
        ("sure and balanced", 0.0, most, "left", "bottom"),
        ("all undecided", most, most, "right", "bottom"),
        ("all in one cluster", 0.12 * most, 0.0, "left", "bottom"),
    )
    for text, x, y, across, upwards in corners:
        note(figure, f"<i>{text}</i>", xref="x2", yref="y2", x=x, y=y, xanchor=across, yanchor=upwards, yshift=2)
    note(figure, "I(X;Y) = 0", xref="x2", yref="y2", x=0.66 * most, y=0.62 * most, xanchor="left", yanchor="top")
    ends = [-0.03 * (most or 1.0), 1.03 * (most or 1.0)]
    figure.update_xaxes(**axis("H(Y|X), doubt of each sample, nats", range=ends, nticks=6), **place)
    figure.update_yaxes(**axis("H(Y), balance, nats", range=[ends[0], 1.14 * (most or 1.0)], nticks=6), **place)
