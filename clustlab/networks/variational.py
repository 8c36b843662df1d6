"""Encoders that answer with a Gaussian instead of a point (Kingma and Welling 2014)."""

from torch import Tensor, nn

from clustlab.networks.autoencoder import Autoencoder
from clustlab.spec import Network

__all__ = ["LOG_VARIANCE_RANGE", "VariationalAutoencoder", "VariationalEncoder"]

LOG_VARIANCE_RANGE = (-8.0, 8.0)
"""Log-variances end here: beyond, on hard data, they run away until something is no longer a number."""


class VariationalEncoder(nn.Module):
    r"""A trunk with two linear heads: the mean :math:`\tilde\mu` and the log-variance :math:`\log \tilde\sigma^2`.

    Called like any encoder it returns the means, (n, \\*shape) → (n, J): they are the codes that are shown and
    clustered.

    Parameters
    ----------
    encoder : Sequential
        An encoder whose last layer is linear; that layer becomes the head of the means, so that the means of a
        variational encoder start, and can be pretrained, as the codes of a plain one.
    log_variance : float
        Bias of the other head: the log-variance with which every posterior begins, about.
    """

    def __init__(self, encoder: nn.Sequential, log_variance: float = 0.0) -> None:
        super().__init__()
        *trunk, head = encoder
        assert isinstance(head, nn.Linear)  # every kind of encoder ends so
        self.trunk = nn.Sequential(*trunk)
        self.mean_head = head
        self.log_variance_head = nn.Linear(head.in_features, head.out_features)
        nn.init.constant_(self.log_variance_head.bias, log_variance)

    def forward(self, x: Tensor) -> Tensor:
        return self.mean(x)

    def mean(self, x: Tensor) -> Tensor:
        """Return the means of the posteriors: (n, *shape) → (n, J)."""
        return self.mean_head(self.trunk(x))

    @property
    def plain(self) -> nn.Sequential:
        """The way from samples to means, as a plain encoder with the same weights."""
        return nn.Sequential(*self.trunk, self.mean_head)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances, (n, J) each; the latter within ``LOG_VARIANCE_RANGE``."""
        features = self.trunk(x)
        return self.mean_head(features), self.log_variance_head(features).clamp(*LOG_VARIANCE_RANGE)


class VariationalAutoencoder(Autoencoder):
    """An autoencoder whose encoder is variational; weights that a plain one has too begin the same.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    network : Network
        Kind, widths and length of the codes.
    log_variance : float
        With which every posterior begins, about.
    """

    encoder: VariationalEncoder

    def __init__(self, shape: tuple[int, ...], network: Network, log_variance: float = 0.0) -> None:
        super().__init__(shape, network)
        plain = self.encoder
        assert isinstance(plain, nn.Sequential)  # what every kind of network builds
        self.encoder = VariationalEncoder(plain, log_variance)
