"""Variational autoencoders: drawing a code, and what the posterior costs (Kingma and Welling 2014)."""

import torch
from torch import Tensor

__all__ = ["draw_posterior", "kl_to_standard_normal"]


def draw_posterior(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Return :math:`\tilde\mu + \tilde\sigma \epsilon`, ε ~ N(0, I): a draw that gradients pass through, (n, J).

    The noise is drawn on the CPU, so that the same seed draws the same codes on every device.
    """
    return mean + (0.5 * log_variance).exp() * torch.randn(mean.shape).to(mean)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Return the divergence of each coordinate's posterior from the prior N(0, 1), in nats: (n, J).

    .. math:: \mathrm{KL} = \tfrac12 (\tilde\mu^2 + \tilde\sigma^2 - \log \tilde\sigma^2 - 1)

    (Kingma and Welling 2014, appendix B). The divergence of the whole posterior is the sum over J.
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1)
