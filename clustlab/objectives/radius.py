"""How far a sample may be perturbed: the distance to one of its near neighbours (IMSAT, section 3)."""

import torch
from torch import Tensor

__all__ = ["neighbour_distance"]

ENTRIES = 2**25
"""Distances held at a time: 128 MiB of them."""


@torch.no_grad()
def neighbour_distance(x: Tensor, neighbour: int) -> Tensor:
    r"""Return :math:`\sigma_t(x_i)`, the Euclidean distance of each sample to its t-th nearest neighbour.

    Parameters
    ----------
    x : Tensor (n, ...)
        Samples.
    neighbour : int
        t, 1 … n − 1. A sample is no neighbour of itself; a copy of it is one, at distance 0.

    Returns
    -------
    Tensor (n,)
        In the units of ``x``.
    """
    flat = x.flatten(1)
    centred = flat - flat.mean(dim=0)  # far from the origin, differences of squares would lose their digits
    squares = centred.square().sum(dim=1)
    found = []
    for block in torch.arange(len(flat), device=x.device).split(max(1, ENTRIES // len(flat))):
        own = centred[block]
        # ‖x_j‖² − 2 x_i·x_j lies a constant of the row below the squared distance: it has the same order.
        order = torch.addmm(squares, own, centred.T, alpha=-2)
        order[torch.arange(len(block), device=x.device), block] = torch.inf
        nearest = order.topk(neighbour, dim=1, largest=False).indices[:, -1]
        found.append((own - centred[nearest]).norm(dim=1))
    return torch.cat(found)
