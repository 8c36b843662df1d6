r"""The divergence of one axis-parallel Gaussian from another (Lim, Jiang and Yi 2020).

Variances come as logarithms. Everything is given by coordinate, so that a sum over J is left to who asks.
"""

from typing import NamedTuple

from torch import Tensor

__all__ = ["DivergenceParts", "divergence", "divergence_parts"]


class DivergenceParts(NamedTuple):
    """What a divergence is made of, in nats and by coordinate, (…, J) each; the three add up to it.

    Attributes
    ----------
    means : Tensor
        ½ (μ̃ − μ)² / σ²: how far apart the means are. Never negative.
    variances : Tensor
        ½ (σ̃² / σ² − 1): what a wider Gaussian sticks out on both sides.
    log_variances : Tensor
        ½ log(σ² / σ̃²): what a narrower Gaussian leaves empty.
    """

    means: Tensor
    variances: Tensor
    log_variances: Tensor


def divergence_parts(mean: Tensor, log_variance: Tensor, to_mean: Tensor, to_log_variance: Tensor) -> DivergenceParts:
    r"""Return the summands of the divergence of one Gaussian from another.

    .. math::
       \mathrm{KL}(\mathcal N(\tilde\mu, \tilde\sigma^2) \,\Vert\, \mathcal N(\mu, \sigma^2))
       = \sum_j \tfrac12
       \Big[\frac{(\tilde\mu_j - \mu_j)^2}{\sigma_j^2} + \Big(\frac{\tilde\sigma_j^2}{\sigma_j^2} - 1\Big)
       + \log \frac{\sigma_j^2}{\tilde\sigma_j^2}\Big]

    Parameters
    ----------
    mean, log_variance : Tensor (…, J)
        Of the Gaussian over which the mean is taken.
    to_mean, to_log_variance : Tensor (…, J)
        Of the other one; shapes are broadcast.
    """
    wider = log_variance - to_log_variance
    means = 0.5 * (mean - to_mean).square() * (-to_log_variance).exp()
    return DivergenceParts(means, 0.5 * wider.expm1(), -0.5 * wider.expand_as(means))


def divergence(mean: Tensor, log_variance: Tensor, to_mean: Tensor, to_log_variance: Tensor) -> Tensor:
    """Return the divergence by coordinate, in nats: (…, J); parameters as in :func:`divergence_parts`."""
    parts = divergence_parts(mean, log_variance, to_mean, to_log_variance)
    return parts.means + (parts.variances + parts.log_variances)
