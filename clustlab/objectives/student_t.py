"""DEC's soft assignment Q, target distribution P and their divergence (Xie, Girshick, Farhadi 2016)."""

import torch
from torch import Tensor

__all__ = ["kl_divergence", "soft_assignment", "squared_distances", "target_distribution"]


def squared_distances(z: Tensor, centroids: Tensor) -> Tensor:
    """Return ‖z_i − μ_j‖² for codes (n, J) and centroids (K, J): (n, K).

    Differences are formed before squaring: ‖z‖² − 2zμ + ‖μ‖² loses the last digits where z is close to μ, and that
    is where the gradient of Q comes from.
    """
    return (z.unsqueeze(1) - centroids).square().sum(dim=2)


def soft_assignment(z: Tensor, centroids: Tensor, alpha: float = 1.0) -> Tensor:
    r"""Return Q: how much each sample believes in each centroid (DEC, eq. 1).

    .. math:: q_{ij} = \frac{(1 + \|z_i - \mu_j\|^2 / \alpha)^{-(\alpha + 1) / 2}}{\sum_{j'} \ldots}

    Parameters
    ----------
    z : Tensor (n, J)
        Codes.
    centroids : Tensor (K, J)
    alpha : float
        Degrees of freedom of Student's t; 1 in every paper of the family.

    Returns
    -------
    Tensor (n, K)
        Rows sum to one. Kernels are taken relative to the nearest centroid's, so that far codes do not turn into 0 / 0.
    """
    spread = 1 + squared_distances(z, centroids) / alpha
    # As safe as a softmax of logarithms, which takes so long for few clusters that DEC's steps took 5 % longer.
    kernel = (spread.detach().amin(dim=1, keepdim=True) / spread) ** ((alpha + 1) / 2)
    return kernel / kernel.sum(dim=1, keepdim=True)


def target_distribution(q: Tensor) -> Tensor:
    r"""Return P, the sharpened Q that DEC trains towards (DEC, eq. 3).

    .. math:: p_{ij} = \frac{q_{ij}^2 / f_j}{\sum_{j'} q_{ij'}^2 / f_{j'}}, \quad f_j = \sum_i q_{ij}

    Parameters
    ----------
    q : Tensor (n, K)
        Soft assignments of the *whole* data set: the soft frequencies f_j of a mini-batch are another quantity.

    Returns
    -------
    Tensor (n, K)
        Rows sum to one. A cluster nobody believes in (f_j = 0) keeps p = 0.
    """
    weight = q.square() / q.sum(dim=0).clamp_min(torch.finfo(q.dtype).tiny)
    return weight / weight.sum(dim=1, keepdim=True)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    r"""Return KL(P‖Q) per sample, Σ_j p_ij log(p_ij / q_ij) (DEC, eq. 2): (n, K), (n, K) → (n,)."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(dim=1)
