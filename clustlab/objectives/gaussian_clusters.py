"""Clusters as axis-parallel Gaussians with hard assignments: fitted to codes, and drawn from (Lim 2024: “DCAN”)."""

import torch
from torch import Tensor

from clustlab.objectives.kmeans import nearest_centroid

__all__ = ["draw", "refit"]


def refit(z: Tensor, means: Tensor, variances: Tensor, floor: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return means (K, J), variances (K, J) and shares (K,) after one Lloyd step from the means in force.

    Starting there, clusters keep their numbers from fit to fit. A cluster with fewer than two codes among these keeps
    its Gaussian: some hundred codes may well miss a small cluster.

    Parameters
    ----------
    z : Tensor (n, J)
    means, variances : Tensor (K, J)
        In force.
    floor : float
        Least variance.
    """
    labels = nearest_centroid(z, means)
    member = torch.nn.functional.one_hot(labels, len(means)).to(z)
    sizes = member.sum(dim=0)
    found = member.T @ z / sizes.clamp_min(1)[:, None]
    spread = member.T @ (z - found[labels]).square() / sizes.clamp_min(1)[:, None]
    seen = (sizes >= 2)[:, None]
    return torch.where(seen, found, means), torch.where(seen, spread.clamp_min(floor), variances), sizes / len(z)


def draw(
    labels: Tensor, means: Tensor, variances: Tensor, scale: float, generator: torch.Generator | None = None
) -> Tensor:
    r"""Return a draw :math:`\mu_k + \tau \sigma_k \odot \epsilon` from the Gaussian of each label: (n,) → (n, J).

    Parameters
    ----------
    labels : Tensor (n,), int64
    means, variances : Tensor (K, J)
    scale : float
        τ, by which standard deviations are multiplied; 0 draws the means themselves.
    generator : torch.Generator, optional
        On the CPU; without one PyTorch's own draws.
    """
    noise = torch.randn(len(labels), means.shape[1], generator=generator).to(means)
    return means[labels] + scale * variances[labels].sqrt() * noise
