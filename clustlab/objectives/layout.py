r"""What UMAP's layout weighs against each other: neighbours attract, random others repel (McInnes et al. 2018).

In the layout two samples at distance d are neighbours with probability :math:`q = (1 + a\,d^{2b})^{-1}`.
"""

import torch
from torch import Tensor

__all__ = ["attraction", "repulsion"]

CLOSEST = 1e-3
"""Least squared distance that repels, as in the gradient of umap-learn."""


def attraction(layout: Tensor, edges: Tensor, weights: Tensor, a: float, b: float) -> Tensor:
    r"""Return :math:`-\log q` of each sample and its neighbours, weighted mean: (n,).

    Parameters
    ----------
    layout : Tensor (n, J)
    edges : Tensor (2, m), int64
        Pairs of samples; the mean is taken over pairs with the same first one.
    weights : Tensor (m,)
        Membership strengths of the pairs.
    a, b : float
        Shape of q.
    """
    first, second = edges
    distance = (layout[first] - layout[second]).square().sum(dim=1)
    cost = weights * torch.log1p(a * distance.pow(b))
    total = torch.zeros(2, len(layout), dtype=layout.dtype, device=layout.device)
    total[0].index_add_(0, first, cost)
    total[1].index_add_(0, first, weights)
    return total[0] / total[1].clamp_min(torch.finfo(layout.dtype).tiny)


def repulsion(layout: Tensor, others: Tensor, a: float, b: float) -> Tensor:
    r"""Return :math:`-\log(1 - q)` of each sample and some others, mean: (n, J), rows (n, s) → (n,)."""
    distance = (layout[:, None] - layout[others]).square().sum(dim=2).clamp_min(CLOSEST)
    scaled = a * distance.pow(b)
    return (torch.log1p(scaled) - torch.log(scaled)).mean(dim=1)
