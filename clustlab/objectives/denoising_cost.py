"""What ladder networks and KINGDRA pay for layers that were not restored, and for pairs of samples (KINGDRA's DOT)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["cost_weights", "denoising_cost", "gram_error", "restoration_errors"]

FIRST_COSTS = (1000.0, 10.0)
"""Weights c_l of the samples' and of the first layer's cost (MNIST, Rasmus and others 2015)."""

LATER_COST = 0.1
"""The weight of every layer above."""


def cost_weights(n_layers: int) -> tuple[float, ...]:
    """Return c_0 … c_L for L layers above the samples: 1000, 10, and 0.1 for all others."""
    return (*FIRST_COSTS, *[LATER_COST] * (n_layers - 1))


def restoration_errors(estimates: Sequence[Tensor], clean: Sequence[Tensor]) -> Tensor:
    r"""Return :math:`\frac{1}{m_l} \lVert \hat z_l - z_l \rVert^2` of every layer and sample.

    Parameters
    ----------
    estimates, clean : sequences of Tensor (…, b, m_l)
        Layers 0 … L, m_l units each.

    Returns
    -------
    Tensor (L + 1, …, b)
    """
    return torch.stack([(guess - z).square().mean(dim=-1) for guess, z in zip(estimates, clean, strict=True)])


def denoising_cost(estimates: Sequence[Tensor], clean: Sequence[Tensor]) -> Tensor:
    r"""Return :math:`\sum_l \frac{c_l}{m_l} \lVert \hat z_l - z_l \rVert^2` of every sample, (…, b).

    Estimates are compared with the clean layer as it is; KINGDRA does not normalise them by the clean statistics first.
    """
    errors = restoration_errors(estimates, clean)
    weights = errors.new_tensor(cost_weights(len(errors) - 1))
    return torch.tensordot(weights, errors, dims=1)


def gram_error(p: Tensor) -> Tensor:
    r"""Return :math:`\frac{1}{b} \sum_j (\hat p_i \cdot \hat p_j - \delta_{ij})^2` of every sample, (…, b, K) → (…, b).

    :math:`\hat p_i = p_i / \lVert p_i \rVert`. Samples are asked to differ from all others as from one another's
    clusters; since there are fewer clusters than samples, equal shares are the least error.
    """
    unit = F.normalize(p, dim=-1)
    gram = unit @ unit.transpose(-1, -2)
    return (gram - torch.eye(gram.shape[-1]).to(gram)).square().mean(dim=-1)
