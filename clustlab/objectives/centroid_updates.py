"""How centroids follow codes that a network keeps moving: online means, dead clusters, and what there is to monitor."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["cluster_sums", "distance_to_means", "reseed_components", "reseed_empty", "running_mean", "variances"]


def cluster_sums(z: Tensor, labels: Tensor, n_clusters: int) -> tuple[Tensor, Tensor]:
    """Return the sums (K, J) and the sizes (K,) of clusters, for codes (n, J) and labels (n,)."""
    member = functional.one_hot(labels, n_clusters).to(z)
    return member.T @ z, member.sum(dim=0)


def running_mean(centroids: Tensor, counts: Tensor, z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return centroids and counts after the codes of a mini-batch have been taken in (DCN).

    Sample by sample the update is :math:`c_k \leftarrow c_k + 1`, :math:`m_k \leftarrow m_k - (m_k - z_i) / c_k`. Given
    the assignments its order does not matter, and a whole batch is
    :math:`m_k \leftarrow (c_k m_k + \sum_i z_i) / (c_k + n_k)`.

    Parameters
    ----------
    centroids : Tensor (K, J)
    counts : Tensor (K,)
        Samples that each centroid has counted so far; its step size is one over them.
    z : Tensor (b, J)
    labels : Tensor (b,), int64
    """
    sums, sizes = cluster_sums(z, labels, len(centroids))
    counts = counts + sizes
    moved = centroids + (sums - sizes[:, None] * centroids) / counts.clamp_min(1)[:, None]
    return moved, counts


def reseed_empty(z: Tensor, labels: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return centroids and labels in which dead clusters have a sample, and which clusters were dead (K,) bool.

    A cluster without samples moves to the sample farthest from its own centroid; the others stay where they are.

    Parameters
    ----------
    z : Tensor (n, J)
    labels : Tensor (n,), int64
        Assignments in force.
    centroids : Tensor (K, J)
    """
    dead = torch.bincount(labels, minlength=len(centroids)) == 0
    empty = dead.nonzero().flatten()
    if not len(empty):  # as nearly always: nobody need be sorted
        return centroids, labels, dead
    farthest = (z - centroids[labels]).square().sum(dim=1).argsort(descending=True)[: len(empty)]
    centroids, labels = centroids.clone(), labels.clone()
    centroids[empty[: len(farthest)]] = z[farthest]
    labels[farthest] = empty[: len(farthest)]
    return centroids, labels, dead


def reseed_components(
    weights: Tensor, means: Tensor, covariances: Tensor, share: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return weights, means and covariances in which starved components begin anew, and which those were (K,) bool.

    A component whose weight is below ``share`` / K takes one half of the heaviest one: the two move one standard
    deviation apart from its mean, along its longest axis, and share its weight. (Moved to a single outlier, it would
    starve again at once.)

    Parameters
    ----------
    weights : Tensor (K,)
    means : Tensor (K, J)
    covariances : Tensor (K, J) or (K, J, J)
    share : float
        Below which share of its fair weight a component counts as starved.
    """
    starved = weights < share / len(weights)
    weights, means, covariances = weights.clone(), means.clone(), covariances.clone()
    for component in starved.nonzero().flatten():
        heaviest = weights.argmax()
        full = covariances[heaviest] if covariances.dim() == 3 else covariances[heaviest].diag()
        # Decomposed where every device can have it done.
        values, axes = (part.to(full) for part in torch.linalg.eigh(full.cpu()))
        apart = values[-1].sqrt() * axes[:, -1]
        means[component], means[heaviest] = means[heaviest] - apart, means[heaviest] + apart
        covariances[component] = covariances[heaviest]
        weights[component] = weights[heaviest] = weights[heaviest] / 2
    return weights / weights.sum(), means, covariances, starved


def variances(z: Tensor, labels: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean squared distance of codes to their own centroid, and to their common mean: two scalars.

    Their ratio cannot be lowered by shrinking the codes; the first alone can.
    """
    within = (z - centroids[labels]).square().sum(dim=1).mean()
    total = (z - z.mean(dim=0)).square().sum(dim=1).mean()
    return within, total


def distance_to_means(z: Tensor, labels: Tensor, centroids: Tensor) -> Tensor:
    """Return how far each centroid is from the mean of its samples, (K,), in standard deviations of the codes.

    The standard deviation is the root of the mean squared distance to the common mean. Clusters without samples have
    no mean to be away from: 0.
    """
    sums, sizes = cluster_sums(z, labels, len(centroids))
    gap = (centroids - sums / sizes.clamp_min(1)[:, None]).norm(dim=1)
    deviation = (z - z.mean(dim=0)).square().sum(dim=1).mean().sqrt()
    return torch.where(sizes > 0, gap / deviation.clamp_min(torch.finfo(z.dtype).eps), 0.0)
