"""Panels of perturbations: what they do to samples, how far they reach, and how their direction is found."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.perturbation import Cards, perturbation_cards
from clustlab.figures.radius import divergence_by_length, power_iteration, radii
from clustlab.views.moment import View
from clustlab.views.panel import Panel

__all__ = ["PERTURBATIONS"]


def _scale(view: View) -> float:
    """Return what one unit of the networks' samples is in the data's own."""
    return float((view.run.about.get("dataset") or {}).get("scale") or 1.0)


def _draw_cards(view: View) -> go.Figure:
    arrays, rows = view.arrays, view.arrays["perturbation_rows"].astype(np.int64)
    step = arrays["perturbation"].astype(np.float32) * _scale(view)
    q = arrays["perturbed_q"]
    return perturbation_cards(Cards(view.samples(rows), step, arrays["perturbation_multiples"], q, view.rows[rows]))


def _draw_divergence(view: View) -> go.Figure:
    arrays = view.arrays
    values, rows = arrays["perturbation_divergence"].astype(np.float64), arrays["perturbation_rows"]
    own = np.flatnonzero(rows == view.selected) if view.selected is not None else np.empty(0, np.int64)
    of = f"sample #{view.rows[rows[own[0]]]}" if len(own) else f"mean of {len(rows)} samples"
    shown = values[own[0]] if len(own) else values.mean(axis=0)
    return divergence_by_length(shown, arrays["perturbation_multiples"], of=of)


def _draw_radii(view: View) -> go.Figure:
    arrays = view.arrays
    radius = arrays["perturbation_radius"].astype(np.float64) * _scale(view)
    return radii(radius, arrays["q"], arrays["labels"], names=view.rows, selected=view.selected)


def _draw_power_iteration(view: View) -> go.Figure:
    return power_iteration(view.arrays["power_cosines"])


PERTURBATIONS: tuple[Panel, ...] = (
    Panel(
        name="perturbation",
        title="Perturbation",
        question="What does a perturbation do to a sample?",
        aid="A step that one hardly sees should not change what is said; move the slider to go further.",
        help=r"$x$, the step $r$ (blue takes away, vermilion adds, one scale for all), $x + a r$, and what the network "
        r"says before and after. $\lVert r \rVert = \epsilon(x) = \alpha \sigma_t(x)$ with the distance $\sigma_t$ to "
        r"the $t$-th neighbour. Hu et al. (2017), [arXiv:1702.08720](https://arxiv.org/abs/1702.08720).",
        needs=("perturbation", "perturbation_rows", "perturbation_multiples", "perturbed_q"),
        draw=_draw_cards,
        inside=True,
    ),
    Panel(
        name="perturbation-divergence",
        title="KL by length",
        question="How much worse than chance is an adversary?",
        aid="Where the two curves part, training against chance does not protect from the adversary.",
        help=r"$\mathrm{KL}(p(y|x) \Vert p(y|x + a r))$ for lengths $a$ in radii: the adversarial $r$ and random ones. "
        r"Near 0 it is $\tfrac12 a^2 r^\top H r$ with the Hessian $H$, so that the adversarial direction is the "
        r"eigenvector of $H$ with the largest eigenvalue. Miyato et al. (2015), "
        r"[arXiv:1507.00677](https://arxiv.org/abs/1507.00677).",
        needs=("perturbation_divergence", "perturbation_rows", "perturbation_multiples"),
        draw=_draw_divergence,
        inside=True,
    ),
    Panel(
        name="radii",
        title="Radii",
        question="How far is each sample perturbed?",
        aid="Samples in dense regions are perturbed little, lonely ones far.",
        help=r"$\epsilon(x) = \alpha \sigma_t(x)$ over the probe. The entropy of $p(y|x)$ is at most $\log K$. The "
        r"rank correlation is Spearman's.",
        needs=("perturbation_radius", "q", "labels"),
        draw=_draw_radii,
        inside=True,
    ),
    Panel(
        name="power-iteration",
        title="Power iteration",
        question="Is the adversarial direction found?",
        aid="Near 1 another iteration would change nothing; below, the direction is still being looked for.",
        help=r"$d \leftarrow \nabla_d \mathrm{KL}(p(y|x) \Vert p(y|x + \xi d))$ at length 1, from a random $d$: power "
        r"iteration on the Hessian by finite differences of length $\xi$. Training stops after $I_p$ iterations, which "
        r"is one by default. Where $\xi$ is as long as a neighbour's distance the Hessian is only an image for it.",
        needs=("power_cosines",),
        draw=_draw_power_iteration,
        inside=True,
    ),
)
"""What perturbations do and how they are found."""
