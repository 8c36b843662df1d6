r"""Mixtures of Gaussians, in log space throughout: with ten-dimensional codes densities underflow at once.

Covariances are ``(K, J)`` variances of axis-parallel Gaussians or ``(K, J, J)`` full matrices; every function
takes both.
"""

import math

import torch
from torch import Tensor

__all__ = ["log_density", "maximise", "responsibility"]


def log_density(z: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""Return :math:`\log \mathcal N(z_i; \mu_c, \Sigma_c)`: codes (n, J), means (K, J) → (n, K).

    Parameters
    ----------
    z : Tensor (n, J)
    means : Tensor (K, J)
    covariances : Tensor (K, J) or (K, J, J)
        Variances, or positive definite matrices.
    """
    away = z[:, None] - means
    if covariances.dim() == 2:
        mahalanobis = (away.square() / covariances).sum(dim=2)
        log_determinant = covariances.log().sum(dim=1)
    else:
        factor = torch.linalg.cholesky(covariances)
        solved = torch.linalg.solve_triangular(factor, away.permute(1, 2, 0), upper=False)
        mahalanobis = solved.square().sum(dim=1).T
        log_determinant = 2 * factor.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    return -0.5 * (mahalanobis + log_determinant + z.shape[1] * math.log(2 * math.pi))


def responsibility(z: Tensor, log_weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""Return :math:`\gamma_{ic} = p(c \mid z_i) \propto \pi_c \mathcal N(z_i; \mu_c, \Sigma_c)`, (n, K).

    ``log_weights`` (K,) may be off by a constant: the softmax does not see it.
    """
    return (log_weights + log_density(z, means, covariances)).softmax(dim=1)


def maximise(z: Tensor, gamma: Tensor, *, full: bool, ridge: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return weights (K,), means (K, J) and covariances of the mixture that responsibilities (n, K) ask for.

    The M step of EM. ``ridge`` is added to every variance, so that a component cannot shrink to a point.
    """
    mass = gamma.sum(dim=0).clamp_min(torch.finfo(z.dtype).eps)
    means = gamma.T @ z / mass[:, None]
    if full:
        away = z[:, None] - means
        covariances = torch.einsum("nk,nki,nkj->kij", gamma, away, away) / mass[:, None, None]
        covariances = covariances + ridge * torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    else:
        covariances = (gamma.T @ z.square() / mass[:, None] - means.square()).clamp_min(0) + ridge
    return mass / mass.sum(), means, covariances
