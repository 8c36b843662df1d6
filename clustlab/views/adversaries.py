"""Panels of adversaries: the critic of mixes, discriminators of codes, and subspaces that compete for samples."""

from __future__ import annotations

import plotly.graph_objects as go

from clustlab.figures.arrows import three_pulls
from clustlab.figures.critic import critic_calibration
from clustlab.figures.discriminator import discriminator_logits, landscape
from clustlab.figures.subspaces import principal_angles, residuals
from clustlab.views.moment import View
from clustlab.views.panel import Panel

__all__ = ["ADVERSARIES"]


def _draw_critic(view: View) -> go.Figure:
    return critic_calibration(view.arrays["critic_calibration"])


def _draw_landscape(view: View) -> go.Figure:
    arrays = view.arrays
    return landscape(
        arrays["landscape"],
        arrays["landscape_range"],
        arrays["plane_codes"],
        arrays["labels"],
        arrays.get("landscape_positives"),
        titles=_titles(view),
        names=view.rows,
        selected=view.selected,
    )


def _draw_logits(view: View) -> go.Figure:
    return discriminator_logits(view.arrays["discriminator_logits"])


def _draw_three_pulls(view: View) -> go.Figure:
    arrays = view.arrays
    return three_pulls(
        arrays["plane_codes"],
        arrays["pulls"],
        arrays["labels"],
        titles=_titles(view),
        names=view.rows,
        selected=view.selected,
    )


def _titles(view: View) -> tuple[str, str]:
    """Return what the axes of the recorded plane are."""
    own = view.arrays["codes"].shape[1] == 2
    return ("z₁", "z₂") if own else ("principal plane, across", "principal plane, upwards")


def _draw_residuals(view: View) -> go.Figure:
    return residuals(view.arrays["residuals"])


def _draw_angles(view: View) -> go.Figure:
    return principal_angles(view.arrays["principal_angles"])


ADVERSARIES: tuple[Panel, ...] = (
    Panel(
        name="critic",
        title="Critic",
        question="Can the critic tell how much is mixed in?",
        aid="On the diagonal it sees through every mix; on a flat line it sees nothing.",
        help=r"Mixes are $\hat{x}_\alpha = g(\alpha z_1 + (1 - \alpha) z_2)$ with $\alpha$ from 0 to ½; the critic's "
        r"guess is $d(\hat{x}_\alpha)$. For $\alpha \sim U(0, ½)$ its terms amount to: **always 0**: $\mathrm{E}(d - "
        r"\alpha)^2 = 1/12$, and the autoencoder pays $\mathrm{E} d^2 = 0$. **Knows only the mean of α**: $1/48$ and "
        r"$1/16$. **Mixes and real images look alike**: $7/192$ and $1/64$, as on real images. **Perfect**: $0$ and "
        r"$1/12$. These levels are the dotted lines of the panel *Curves*. Berthelot, Raffel, Roy and Goodfellow "
        r"(2019), [arXiv:1807.07543](https://arxiv.org/abs/1807.07543).",
        needs=("critic_calibration",),
        draw=_draw_critic,
        inside=True,
    ),
    Panel(
        name="landscape",
        title="Landscape",
        question="What does the discriminator take for real?",
        aid="Codes move uphill, towards vermilion, until the discriminator cannot tell them from real draws.",
        help=r"The logit of $D(z)$ over the plane in which the codes are drawn; the thick line is $D = ½$. Outside the "
        r"plane of the first two principal axes all coordinates are those of the mean code. The best discriminator is "
        r"$D(z) = p(z) / (p(z) + q(z))$ for real draws $p$ and codes $q$, so its logit is $\log p(z) / q(z)$. "
        r"Goodfellow et al. (2014), [arXiv:1406.2661](https://arxiv.org/abs/1406.2661).",
        needs=("landscape", "landscape_range", "plane_codes", "labels"),
        draw=_draw_landscape,
        inside=True,
    ),
    Panel(
        name="logits",
        title="Real or code",
        question="Can the discriminator tell codes from real draws?",
        aid="Two heaps apart: it tells nearly all. One heap on the other: it has nothing to go by.",
        help=r"With $V = \mathrm{E} \log D(\text{real}) + \mathrm{E} \log (1 - D(\text{code}))$ the estimate is "
        r"$\tfrac12 (V + 2 \log 2)$, a lower bound of the Jensen–Shannon divergence, which is at most $\log 2$. A "
        r"discriminator worse than chance gives a negative one. Near $\log 2$ the encoder's gradient vanishes.",
        needs=("discriminator_logits",),
        draw=_draw_logits,
        inside=True,
    ),
    Panel(
        name="three-pulls",
        title="Three pulls",
        question="What would each loss do to the same code?",
        aid="Three arrows from one code: to its centroid, along the divergence, and up the discriminator's landscape.",
        help=r"Steps down $\tfrac12 \lVert z - \mu_k \rVert^2$ (ABC), down $\mathrm{KL}(\mathcal{N}(z, \cdot) \Vert "
        r"\mathcal{N}(\mu_k, \sigma_k^2))$ (Gaussian-KLD), which weighs each coordinate by $1 / \sigma_k^2$, and down "
        r"the encoder's loss against the discriminator (DCAN). Lengths can be compared within a loss only.",
        needs=("plane_codes", "pulls", "labels"),
        draw=_draw_three_pulls,
        inside=True,
    ),
    Panel(
        name="residuals",
        title="Residuals",
        question="Do members fit their subspace better than mixtures of members?",
        aid="Members at the left and combinations further right: the subspace describes its cluster.",
        help=r"$\lVert z - U_k U_k^\top z \rVert^2$ for an orthonormal basis $U_k$ of the own subspace, of the members "
        r"it fits best and of random combinations $\sum_t a_t z_t$ of members. Zhou, Hou and Feng (CVPR 2018).",
        needs=("residuals",),
        draw=_draw_residuals,
        inside=True,
    ),
    Panel(
        name="angles",
        title="Angles",
        question="Are the subspaces apart?",
        aid="Two clusters at 0° share a direction; at 90° nothing of one is seen in the other.",
        help=r"The smallest principal angle: $\arccos$ of the largest singular value of $U_i^\top U_j$. Björck and "
        r"Golub (1973).",
        needs=("principal_angles",),
        draw=_draw_angles,
        inside=True,
    ),
)
"""What adversaries see."""
