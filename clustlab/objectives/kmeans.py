"""Lloyd's algorithm, step by step."""

import torch
from torch import Tensor

from clustlab.objectives.student_t import squared_distances

__all__ = ["lloyd_step", "nearest_centroid", "nearest_margin", "soft_means"]


def nearest_centroid(z: Tensor, centroids: Tensor) -> Tensor:
    """Return the index of the nearest centroid for codes (n, J) and centroids (K, J): (n,) int64.

    Distances as in :func:`squared_distances`, in half the time and without its (n, K, J) numbers; the first of equally
    near centroids, to the last digits of a root.
    """
    return torch.cdist(z, centroids.to(z.dtype), compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=1)


def nearest_margin(z: Tensor, centroids: Tensor) -> Tensor:
    """Return 1 − d₁/d₂ per sample, (n,): 0 on the border of two cells, 1 on a centroid."""
    if len(centroids) < 2:
        return torch.ones(len(z), dtype=z.dtype, device=z.device)
    nearest = squared_distances(z, centroids).sqrt().topk(2, largest=False).values
    return 1 - nearest[:, 0] / nearest[:, 1].clamp_min(torch.finfo(z.dtype).tiny)


def soft_means(z: Tensor, q: Tensor) -> Tensor:
    """Return the means of codes (n, J) under soft assignments Q (n, K): (K, J); the mean of all where Q has no mass."""
    mass = q.sum(dim=0)
    means = (q.T @ z) / mass.clamp_min(torch.finfo(q.dtype).tiny).unsqueeze(1)
    return torch.where(mass.unsqueeze(1) > 0, means, z.mean(dim=0))


def lloyd_step(z: Tensor, labels: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """Return (centroids, labels) after one step: centroids become means, then samples choose the nearest.

    Parameters
    ----------
    z : Tensor (n, J)
    labels : Tensor (n,), int64
        Assignments in force.
    centroids : Tensor (K, J)

    Notes
    -----
    A cluster that lost all its samples moves to the sample farthest from its own centroid, as in scikit-learn.
    """
    counts = torch.bincount(labels, minlength=len(centroids))
    means = torch.zeros_like(centroids).index_add_(0, labels, z) / counts.clamp_min(1).unsqueeze(1)
    empty = (counts == 0).nonzero().flatten()
    if len(empty):
        farthest = (z - centroids[labels]).square().sum(dim=1).argsort(descending=True)[: len(empty)]
        means[empty[: len(farthest)]] = z[farthest]
    return means, nearest_centroid(z, means)
