r"""A variational autoencoder whose prior is a mixture of Gaussians: the parts of its bound (VaDE, Jiang et al. 2017).

The negative bound of one sample, in nats, with :math:`\gamma_c = p(c \mid z)` at a drawn code z, is the error of the
reconstruction plus

.. math::
   \underbrace{-\sum_c \gamma_c \, \mathbb E_q \log \mathcal N(z; \mu_c, \sigma_c^2)}_{\text{cross\_entropy}}
   + \underbrace{\sum_c \gamma_c \log \frac{\gamma_c}{\pi_c}}_{\text{assignment\_divergence}}
   - \underbrace{\mathbb H(q(z \mid x))}_{\text{posterior\_entropy}} .

All of it stays in log space: the released script adds 1e-10 to densities of ten coordinates, which are smaller than
that, and so flattens γ. Variances come as logarithms.
"""

import math

import torch
from torch import Tensor

from clustlab.objectives.gaussian_mixture import log_density

__all__ = [
    "assignment_divergence",
    "cross_entropy",
    "effective_components",
    "log_responsibility",
    "posterior_entropy",
]


def log_responsibility(z: Tensor, log_weights: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    r"""Return :math:`\log \gamma_{ic} = \log p(c \mid z_i)`: codes (n, J) → (n, K).

    Parameters
    ----------
    z : Tensor (n, J)
    log_weights : Tensor (K,)
        May be off by a constant: the softmax does not see it.
    means, log_variances : Tensor (K, J)
    """
    return (log_weights + log_density(z, means, log_variances.exp())).log_softmax(dim=1)


def cross_entropy(gamma: Tensor, mean: Tensor, log_variance: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    r"""Return :math:`-\sum_c \gamma_c \mathbb E_{q} \log \mathcal N(z; \mu_c, \sigma_c^2)` in closed form: (n,).

    .. math::
       \tfrac12 \sum_c \gamma_c \sum_j \Big(\log 2\pi\sigma_{cj}^2
       + \frac{\tilde\sigma_j^2 + (\tilde\mu_j - \mu_{cj})^2}{\sigma_{cj}^2}\Big)

    Parameters
    ----------
    gamma : Tensor (n, K)
    mean, log_variance : Tensor (n, J)
        Of the posterior q.
    means, log_variances : Tensor (K, J)
        Of the components.
    """
    spread = (mean[:, None] - means).square() + log_variance.exp()[:, None]
    by_coordinate = spread * (-log_variances).exp() + log_variances + math.log(2 * math.pi)
    return 0.5 * (gamma * by_coordinate.sum(dim=2)).sum(dim=1)


def assignment_divergence(log_gamma: Tensor, log_weights: Tensor) -> Tensor:
    r"""Return KL(γ‖π) per sample, :math:`\sum_c \gamma_c \log(\gamma_c / \pi_c)`: (n, K), (K,) → (n,).

    Parameters
    ----------
    log_gamma : Tensor (n, K)
    log_weights : Tensor (K,)
        log π, normalised.
    """
    return (log_gamma.exp() * (log_gamma - log_weights)).sum(dim=1)


def posterior_entropy(log_variance: Tensor) -> Tensor:
    r"""Return the entropy of the posterior, :math:`\tfrac12 \sum_j (1 + \log 2\pi\tilde\sigma_j^2)`: (n, J) → (n,)."""
    return 0.5 * (log_variance + (1 + math.log(2 * math.pi))).sum(dim=1)


def effective_components(weights: Tensor) -> Tensor:
    """Return exp H of weights (K,) that sum to one: K if all are alike, 1 if one has everything."""
    return (-torch.xlogy(weights, weights).sum()).exp()
