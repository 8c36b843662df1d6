r"""Pairs that label themselves: similarities of label features, two thresholds that close, cross-entropy (DAC, DAC*).

Chang, Wang, Meng, Xiang and Pan, “Deep adaptive image clustering”, ICCV 2017.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "Pairs",
    "closing_thresholds",
    "falling_threshold",
    "label_features",
    "pair_cross_entropy",
    "pair_squared_error",
    "select",
    "similarities",
]

LOWEST, HIGHEST = 1e-10, 1 - 1e-7
"""Where similarities end before their logarithm is taken: 1 occurs exactly, 0 where features have become one-hot."""

UPPER, LOWER = 0.95, 0.455
"""Thresholds at λ = 0."""

CLOSING = 1.1
"""How fast the thresholds approach each other: −∂(u − l)/∂λ."""

STEP = CLOSING * 0.009
"""What an outer step adds to λ: a gradient step of size 0.009 on u(λ) − l(λ)."""

MEETING = (UPPER - LOWER) / CLOSING
"""λ at which the thresholds meet, 0.45."""

FIRST, LAST = 0.9, 0.5
"""Where DAC*'s single threshold begins and ends."""


class Pairs(NamedTuple):
    """A mini-batch's similarities with their gradient, and which pairs say something: all (b, b), the last two bool."""

    similarity: Tensor
    positive: Tensor
    negative: Tensor


def label_features(p: Tensor) -> Tensor:
    r"""Return :math:`l_i = p_i / \lVert p_i \rVert_2`, (n, K) → (n, K): softmax scaled to unit length.

    It is the paper's constraint layer, :math:`o_h = \exp(z_h - \max_h z_h)` and :math:`l = o / \lVert o \rVert_2`,
    since the softmax is proportional to o. The features are not negative, and argmax is that of the softmax.
    """
    return F.normalize(p, dim=1)


def similarities(features: Tensor) -> Tensor:
    r"""Return the cosines :math:`g_{ij} = l_i^\top l_j`, kept within the reach of logarithms: (n, K) → (n, n)."""
    return (features @ features.T).clamp(LOWEST, HIGHEST)


def closing_thresholds(outer_steps: int) -> tuple[float, float]:
    r"""Return :math:`u(\lambda) = 0.95 - \lambda` and :math:`l(\lambda) = 0.455 + 0.1 \lambda` after some outer steps.

    Each outer step adds 1.1 · 0.009 to λ, so that u exceeds l in 46 of them. λ stops where the two meet, at ½: beyond,
    pairs between them would be positive and negative at once.
    """
    curriculum = min(STEP * outer_steps, MEETING)
    upper, lower = UPPER - curriculum, LOWER + (CLOSING - 1) * curriculum
    return max(upper, lower), lower


def falling_threshold(outer_steps: int, length: int) -> tuple[float, float]:
    """Return DAC*'s single threshold as both: 0.9 in the first outer step, 0.5 in the last of ``length``."""
    share = min(outer_steps / max(length - 1, 1), 1.0)
    threshold = FIRST + (LAST - FIRST) * share
    return threshold, threshold


def select(similarity: Tensor, upper: float, lower: float) -> Pairs:
    """Return which pairs are alike (g ≥ u), which are not (g < l); no pair of a sample with itself is either.

    Parameters
    ----------
    similarity : Tensor (b, b)
    upper, lower : float
        Thresholds u ≥ l. Pairs between them say nothing yet.
    """
    seen = similarity.detach()
    others = ~torch.eye(len(seen), dtype=torch.bool, device=seen.device)
    return Pairs(similarity, (seen >= upper) & others, (seen < lower) & others)


def pair_cross_entropy(pairs: Pairs) -> Tensor:
    r"""Return :math:`-\sum_j [r_{ij} \log g_{ij} + (1 - r_{ij}) \log(1 - g_{ij})]` over selected pairs, (b,).

    The paper's E sums this over all pairs. Here each sample's sum is divided by the mean number of selected pairs a
    sample, so that the mean over the batch is the mean over its selected pairs: E up to a factor that all pairs of the
    batch share. It is 0 where no pair is selected.
    """
    return _per_sample(pairs, -torch.where(pairs.positive, pairs.similarity, 1 - pairs.similarity).log())


def pair_squared_error(pairs: Pairs) -> Tensor:
    r"""Return :math:`\sum_j (g_{ij} - r_{ij})^2` over selected pairs, normalised as the cross-entropy is: (b,).

    The released code for MNIST has it in place of the paper's cross-entropy.
    """
    return _per_sample(pairs, torch.square(pairs.similarity - pairs.positive.to(pairs.similarity)))


def _per_sample(pairs: Pairs, loss: Tensor) -> Tensor:
    selected = pairs.positive | pairs.negative
    mean_number = selected.sum().clamp_min(1) / len(selected)
    return torch.where(selected, loss, 0.0).sum(dim=1) / mean_number
