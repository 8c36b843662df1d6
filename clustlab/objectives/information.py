"""Mutual information between samples and clusters, and what it is made of (RIM, IMSAT, KINGDRA)."""

from torch import Tensor

__all__ = ["divergence", "entropy", "marginal_divergence", "marginal_surprise", "mutual_information"]

FLOOR = 1e-12
"""Smallest probability whose logarithm is taken."""


def entropy(p: Tensor) -> Tensor:
    r"""Return :math:`H(p_i) = -\sum_k p_{ik} \log p_{ik}` in nats, (n, K) → (n,); its mean is H(Y|X)."""
    return -(p * p.clamp_min(FLOOR).log()).sum(dim=1)


def marginal_surprise(p: Tensor) -> Tensor:
    r"""Return :math:`-\sum_k p_{ik} \log \hat p_k` in nats, (n, K) → (n,).

    :math:`\hat p = \frac{1}{n} \sum_i p_i` is the marginal of these samples. The mean over the samples is the marginal
    entropy :math:`H(Y) = -\sum_k \hat p_k \log \hat p_k`, with its gradient.
    """
    return -(p * p.mean(dim=0).clamp_min(FLOOR).log()).sum(dim=1)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    r"""Return :math:`\mathrm{KL}(p_i \Vert q_i) = \sum_k p_{ik} \log (p_{ik} / q_{ik})` in nats, (n, K) → (n,)."""
    return (p * (p.clamp_min(FLOOR).log() - q.clamp_min(FLOOR).log())).sum(dim=1)


def mutual_information(p: Tensor) -> Tensor:
    r"""Return :math:`I(X;Y) = H(Y) - H(Y|X) = \frac{1}{n} \sum_i \mathrm{KL}(p_i \Vert \hat p)` in nats, a scalar."""
    return divergence(p, p.mean(dim=0, keepdim=True).expand_as(p)).mean()


def marginal_divergence(p: Tensor, prior: Tensor) -> Tensor:
    r"""Return :math:`\mathrm{KL}(\hat p \Vert q)` of the marginal of (n, K) to a prior (K,) in nats, a scalar.

    For a uniform prior it is :math:`\log K - H(Y)`.
    """
    return divergence(p.mean(dim=0, keepdim=True), prior.unsqueeze(0)).squeeze(0)
