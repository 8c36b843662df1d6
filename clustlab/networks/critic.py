"""ACAI's critic."""

from torch import Tensor, nn

from clustlab.networks.autoencoder import KINDS
from clustlab.spec import Network

__all__ = ["Critic"]


class Critic(nn.Module):
    """The encoder's architecture with weights of its own; the guess is the mean over all output units.

    (n, *shape) → (n,). No squashing and no batch normalisation: mixes and real images have other statistics
    (Berthelot et al. 2018, section 2 and released code).
    """

    def __init__(self, shape: tuple[int, ...], network: Network) -> None:
        super().__init__()
        self.body: nn.Module = KINDS[network.kind].encoder(shape, network, activation=lambda: nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).mean(dim=1)
