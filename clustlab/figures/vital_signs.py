"""Is all well? Signs of a healthy or collapsing code space and what the method measures of itself, over the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.information import information_alarms
from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL
from clustlab.figures.style import axis, note, shorten, styled, thinned, wrapped

__all__ = ["alarms", "vital_signs"]

COLUMNS = 2
POINTS = 300
ROW_HEIGHT = 128
CROWDED = 0.6
"""Clusters in use below this share of K are an alarm."""
FLAT = 1.5
"""Codes with an effective rank below this lie along one line."""
TOLD_APART = 0.95
"""A Jensen–Shannon divergence above this share of log 2 leaves the encoder without a gradient."""

Series = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class _Sign:
    """How a number is drawn.

    ``of`` is what the largest value it can have is called: ``clusters`` K, ``width`` J, ``information`` log K; ``unit``
    is what its axis counts, where the title does not say so.
    """

    title: str
    logarithmic: bool = False
    share: bool = False
    of: str = ""
    ceiling: float | None = None
    unit: str = ""


SIGNS = {
    "active_clusters": _Sign("clusters in use", of="clusters"),
    "effective_rank": _Sign("effective rank", of="width", unit="directions"),
    "within_share": _Sign("variance within", share=True),
    "silhouette": _Sign("silhouette"),
    "label_change": _Sign("labels changed", share=True),
    "refit_label_change": _Sign("changed by refitting", share=True),
    "dead_clusters": _Sign("dead clusters", of="clusters"),
    "active_components": _Sign("components in use", of="clusters"),
    "log_likelihood": _Sign("log-likelihood", unit="nats"),
    "primal_residual": _Sign("primal ‖y − z‖", logarithmic=True),
    "dual_residual": _Sign("dual ρ‖Δy‖", logarithmic=True),
    "unanimous": _Sign("networks unanimous", share=True),
    "sure_samples": _Sign("all networks sure", share=True),
    "pseudo_labelled": _Sign("with pseudo-label", share=True),
    "smallest_bucket": _Sign("smallest bucket", unit="samples"),
    "jensen_shannon": _Sign("JS divergence", ceiling=float(np.log(2)), unit="nats"),
    "marginal_entropy": _Sign("balance H(Y)", of="information", unit="nats"),
    "conditional_entropy": _Sign("doubt H(Y|X)", of="information", unit="nats"),
    "mutual_information": _Sign("I(X;Y)", of="information", unit="nats"),
    "used_clusters": _Sign("clusters that win", of="clusters"),
    "largest_share": _Sign("largest cluster", share=True),
    "flipped_share": _Sign("flipped by perturbation", share=True),
}
"""Known numbers in the order in which they are drawn; others follow under their own names."""


def alarms(signs: Mapping[str, float], n_clusters: int, width: int, empty: int = 0) -> list[str]:
    """Return what is wrong at a moment, one sentence each.

    Parameters
    ----------
    signs : mapping of str to float
        The numbers at that moment.
    n_clusters, width : int
        Number of clusters K and of coordinates J of a code.
    empty : int
        Clusters without a sample of the probe.
    """
    found = []
    active, rank = signs.get("active_clusters", n_clusters), signs.get("effective_rank", float(width))
    if active < CROWDED * n_clusters:
        found.append(f"Dead clusters: the samples fill about {active:.1f} of {n_clusters} clusters.")
    elif empty:
        plural = "clusters hold" if empty > 1 else "cluster holds"
        found.append(f"Dead clusters: {empty} of {n_clusters} {plural} no sample of the probe.")
    if width > 1 and rank < FLAT:
        found.append(f"Collapse: of {width} directions the codes use about one (effective rank {rank:.2f}).")
    if signs.get("jensen_shannon", 0.0) > TOLD_APART * np.log(2):
        found.append("The discriminator tells codes from real draws nearly always: little is left to learn from it.")
    # Clusters that win no sample have been counted above, on the probe.
    entropies = {name: value for name, value in signs.items() if name != "used_clusters"}
    return found + information_alarms(entropies, n_clusters)


def vital_signs(
    series: Mapping[str, Series],
    *,
    step: float,
    n_clusters: int,
    width: int,
    empty: int = 0,
    phases: Sequence[tuple[str, float, float]] = (),
) -> go.Figure:
    """Draw each number over the whole run, small and side by side, with the moment shown marked.

    Parameters
    ----------
    series : mapping of str to (steps, values)
        What was measured.
    step : float
        The moment shown elsewhere.
    n_clusters, width, empty : int
        Clusters K, coordinates J of a code, and clusters without a sample at that moment.
    phases : sequence of (title, first step, last step)
        Where a phase begins, a thin line stands.
    """
    names = [name for name in SIGNS if name in series] + sorted(name for name in series if name not in SIGNS)
    now = {name: value for name in names if (value := _at(series[name], step)) is not None}
    rows = max(1, -(-len(names) // COLUMNS))
    figure = make_subplots(
        rows=rows, cols=COLUMNS, vertical_spacing=0.4 / max(rows, 2) if rows > 1 else 0, horizontal_spacing=0.16
    )
    most = {"clusters": float(n_clusters), "width": float(width), "information": float(np.log(n_clusters))}
    for i, name in enumerate(names):
        sign = SIGNS.get(name, _Sign(name.replace("_", " "), logarithmic=name.endswith("residual")))
        _small(figure, i, name, sign, series[name], (step, now.get(name)), most)
    end = max((float(steps[-1]) for steps, _ in series.values() if len(steps)), default=1.0)
    borders = [start for _, start, _ in phases[1:]]
    for border in borders:
        figure.add_vline(x=border, line={"width": 1, "dash": "dot", "color": NEUTRAL}, row="all", col="all")
    figure.add_vline(x=step, line={"width": 2, "color": NEUTRAL}, row="all", col="all")
    figure.update_xaxes(range=[0, max(end, step, 1)], tickfont={"size": 14}, nticks=4, separatethousands=True)
    for column in range(1, COLUMNS + 1):
        last = rows if column <= (len(names) - 1) % COLUMNS + 1 else max(rows - 1, 1)
        figure.update_xaxes(**axis("training step"), row=last, col=column)
    wrong = alarms(now, n_clusters, width, empty)
    text, height = wrapped(*(f"⚠ {each}" for each in wrong) if wrong else ("No alarm at this moment.",))
    note(figure, f"<b>{text}</b>" if wrong else text, xshift=-34, yshift=30)
    return styled(figure, ROW_HEIGHT * rows + 60 + height, margin={"t": height + 32, "l": 50}, showlegend=False)


def _at(series: Series, step: float) -> float | None:
    """Return the value in force at a step: the last one measured until then."""
    steps, values = series
    before = np.flatnonzero(np.asarray(steps) <= step)
    return float(values[before[-1]]) if len(before) else None


def _small(
    figure: go.Figure,
    i: int,
    name: str,
    sign: _Sign,
    series: Series,
    moment: tuple[float, float | None],
    most: Mapping[str, float],
) -> None:
    place = {"row": i // COLUMNS + 1, "col": i % COLUMNS + 1}
    steps, heights = (np.asarray(part, np.float64) for part in series)
    shown = thinned(len(steps), POINTS)
    form = ".1%" if sign.share else ".4g"
    colour = CLUSTER_COLOURS[i % 6]
    figure.add_scatter(
        x=steps[shown],
        y=heights[shown],
        mode="lines" if len(steps) > 1 else "markers",
        name=name,
        line={"width": 2, "color": colour},
        hovertemplate=f"step %{{x}}: %{{y:{form}}}<extra></extra>",
        **place,
    )
    step, now = moment
    text, ceiling = sign.title, most.get(sign.of, sign.ceiling)
    if now is not None:
        figure.add_scatter(
            x=[step], y=[now], mode="markers", marker={"size": 9, "color": colour}, hoverinfo="skip", **place
        )
        text += (
            f": <b>{now:.1%}</b>" if sign.share else f": <b>{shorten(now if ceiling is None else round(now, 3))}</b>"
        )
    if ceiling is not None:
        text += f" of {ceiling:.0f}" if ceiling == round(ceiling) else f" of {ceiling:.2f}"
        figure.add_hline(y=ceiling, line={"width": 1.5, "dash": "dash", "color": NEUTRAL}, **place)
    number = "" if i == 0 else str(i + 1)
    note(figure, text, xref=f"x{number} domain", yref=f"y{number} domain", xshift=-34, yshift=3)
    positive = heights[heights > 0]
    # Within one decade a logarithmic axis has no power of ten to show, and a straight one shows the same.
    logarithmic = sign.logarithmic and len(positive) > 0 and positive.max() > 10 * positive.min()
    kind: dict[str, Any] = {"type": "log", "exponentformat": "power", "dtick": 1} if logarithmic else {}
    if ceiling is not None:
        kind = {"range": [0, 1.1 * max(ceiling, float(np.nanmax(heights, initial=0)))]}
    figure.update_yaxes(**axis(sign.unit, nticks=4, **({"tickformat": ".0%"} if sign.share else {}), **kind), **place)
