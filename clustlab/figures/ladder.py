"""What does a ladder network restore? Costs of layers, what combinators have learned, predictions under noise."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from clustlab.figures.p_and_q import contributions
from clustlab.figures.palette import CLUSTER_COLOURS, cluster_colour, mixed
from clustlab.figures.style import axis, note, shorten, styled, wrapped

__all__ = ["clean_and_corrupted", "combinators", "combined", "layer_costs"]

REACH = 3.0
"""The signal u from above is standardised, so nearly all of it lies between −3 and 3."""
STEPS = 61


def layer_costs(costs: np.ndarray) -> go.Figure:
    """Draw the squared error with which each layer is restored, and what is paid for it.

    Parameters
    ----------
    costs : ndarray, shape (l, 2)
        Of each layer, samples first: squared error per unit, and the same times the layer's weight.
    """
    values = costs.astype(np.float64)
    names = _layers(len(values))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    colours = [CLUSTER_COLOURS[level % len(CLUSTER_COLOURS)] for level in range(len(values))]
    shares = values[:, 1] / max(values[:, 1].sum(), 1e-12)
    rows = (
        ("error per unit", values[:, 0], [shorten(value) for value in values[:, 0]]),
        ("share of the cost", shares, [f"{share:.1%}" for share in shares]),
    )
    for row, (title, heights, texts) in enumerate(rows, start=1):
        figure.add_bar(
            x=names,
            y=heights,
            name=title,
            text=texts,
            textposition="outside",
            cliponaxis=False,
            marker={"color": colours, "line": {"width": 0}},
            customdata=values,
            hovertemplate="%{x}: error %{customdata[0]:.4g}, cost %{customdata[1]:.4g}<extra></extra>",
            row=row,
            col=1,
        )
        form = {"tickformat": ".0%"} if row == 2 else {}
        top = {"range": [0, 1.2 * max(float(heights.max()), 1e-12)]}
        figure.update_yaxes(**axis(title, nticks=5, **top, **form), row=row, col=1)
    text, height = wrapped(
        f"denoising cost: {shorten(float(values[:, 1].sum()))}",
        "hidden layers have variance 1: an error of 1 means that nothing is restored",
    )
    note(figure, text, yshift=2)
    figure.update_xaxes(showgrid=False, tickfont={"size": 14})
    figure.update_xaxes(**axis("layer, from the samples up"), row=2, col=1)
    return styled(figure, 400 + height, margin={"t": height + 8}, showlegend=False, bargap=0.35)


def combined(coefficients: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return μ(u) and v(u) of a combinator with coefficients a₁ … a₁₀ (…, 10) at u (s,): (…, s) each."""
    a = coefficients.astype(np.float64)[..., None]

    def curve(first: int) -> np.ndarray:
        scale, slope, shift, rise, base = (a[..., first + k, :] for k in range(5))
        found: np.ndarray = scale / (1 + np.exp(-(slope * u + shift))) + rise * u + base
        return found

    return curve(0), curve(5)


def combinators(coefficients: np.ndarray, units: np.ndarray | None = None) -> go.Figure:
    """Draw μ(u) and v(u) of some units of every layer: what is expected from above, and how far what is below counts.

    Parameters
    ----------
    coefficients : ndarray, shape (l, s, 10)
        a₁ … a₁₀ of s units in each layer, samples first.
    units : ndarray of int, shape (l, s), optional
        Which units.
    """
    u = np.linspace(-REACH, REACH, STEPS)
    curves = combined(coefficients, u)
    count, shown = coefficients.shape[:2]
    titles = [f"{letter}(u), {name}" for name in _layers(count) for letter in "μv"]
    figure = make_subplots(
        rows=count,
        cols=2,
        subplot_titles=titles,
        shared_xaxes=True,
        horizontal_spacing=0.14,
        vertical_spacing=0.24 / count,
    )
    for level in range(count):
        for column, values in enumerate(curves, start=1):
            for place in range(shown):
                unit = place if units is None else int(units[level, place])
                figure.add_scatter(
                    x=u,
                    y=np.round(values[level, place], 5),
                    mode="lines",
                    name=f"unit {unit}",
                    line={"width": 2, "color": CLUSTER_COLOURS[place]},
                    hovertemplate=f"unit {unit}: %{{y:.3f}} at u = %{{x:.1f}}<extra></extra>",
                    row=level + 1,
                    col=column,
                )
    for column in (1, 2):
        figure.update_xaxes(**axis("signal u from above"), row=count, col=column)
        figure.update_yaxes(**axis("μ(u)" if column == 1 else "v(u)"), col=column)
    figure.update_xaxes(tickvals=[-3, 0, 3], tickfont={"size": 14})
    figure.update_yaxes(nticks=4, tickfont={"size": 14})
    figure.update_annotations(font_size=14)
    return styled(figure, 60 + 160 * count, margin={"t": 34, "l": 48}, showlegend=False)


def clean_and_corrupted(
    q: np.ndarray, corrupted: np.ndarray, *, selected: int | None = None, rows: np.ndarray | None = None
) -> go.Figure:
    """Draw p(y|x) of one sample clean and with noise on every layer, and how sure all samples stay.

    Parameters
    ----------
    q, corrupted : ndarray, shape (n, K)
        p(y|x) of each sample by the clean pass and by one corrupted pass.
    selected : int, optional
        The sample, as a position; by default the one whose prediction the noise changes most.
    rows : ndarray of int, shape (n,), optional
        What the samples are called: their rows in the data set; by default their positions.
    """
    divergence = contributions(q, corrupted).sum(axis=1)
    sample = int(divergence.argmax()) if selected is None else selected
    name = sample if rows is None else int(rows[sample])
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.24)
    colours = [cluster_colour(j) for j in range(q.shape[1])]
    looks = {"clean": [mixed(colour, 0.3) for colour in colours], "corrupted": colours}
    for (title, fill), values in zip(looks.items(), (q[sample], corrupted[sample]), strict=True):
        figure.add_bar(
            x=np.arange(q.shape[1]),
            y=values.astype(np.float64),
            name=title,
            marker={"color": fill, "line": {"color": colours, "width": 2}},
            hovertemplate=f"cluster %{{x}}, {title}: %{{y:.4f}}<extra></extra>",
            row=1,
            col=1,
        )
    _add_sureness(figure, q, corrupted)
    figure.update_xaxes(
        **axis("cluster", tickmode="linear", dtick=max(1, -(-q.shape[1] // 15)), showgrid=False), row=1, col=1
    )
    figure.update_yaxes(**axis("p(y|x)", rangemode="tozero"), row=1, col=1)
    changed = float((q.argmax(axis=1) != corrupted.argmax(axis=1)).mean())
    chosen = " (changed most)" if selected is None else ""
    text, height = wrapped(
        f"sample #{name}{chosen}: KL = {shorten(float(divergence[sample]))} nats; pale: clean, filled: corrupted",
        f"below: noise changes the cluster of {changed:.1%} of all samples; blue: clean, dashed: corrupted",
    )
    note(figure, text, yshift=4)
    more = {"barmode": "group", "bargap": 0.25, "bargroupgap": 0.05, "showlegend": False}
    return styled(figure, 400 + height, margin={"t": height + 8}, **more)


def _add_sureness(figure: go.Figure, q: np.ndarray, corrupted: np.ndarray) -> None:
    """Draw how many samples are how sure of their cluster, clean and corrupted."""
    edges = np.linspace(0, 1, 41)
    sure = {"clean": (q, CLUSTER_COLOURS[0]), "corrupted": (corrupted, CLUSTER_COLOURS[3])}
    for title, (p, colour) in sure.items():
        figure.add_scatter(
            x=(edges[1:] + edges[:-1]) / 2,
            y=np.histogram(p.max(axis=1), edges)[0],
            mode="lines",
            name=title,
            line={"width": 2, "shape": "hvh", "color": colour, "dash": "solid" if title == "clean" else "dash"},
            hovertemplate=f"{title}, largest p %{{x:.2f}}: %{{y}} samples<extra></extra>",
            row=2,
            col=1,
        )
    figure.update_xaxes(**axis("largest p(y|x)", range=[0, 1.02]), row=2, col=1)
    figure.update_yaxes(**axis("samples", rangemode="tozero"), row=2, col=1)


def _layers(count: int) -> list[str]:
    return ["samples", *(f"layer {level}" for level in range(1, count - 1)), "top"]
