"""An encoder and its decoder."""

from types import ModuleType

from torch import Tensor, nn

from clustlab.networks import convolutional, mlp
from clustlab.spec import Network

__all__ = ["KINDS", "Autoencoder"]

KINDS: dict[str, ModuleType] = {"mlp": mlp, "convolutional": convolutional}


class Autoencoder(nn.Module):
    """Encoder f: (n, *shape) → codes (n, J), decoder g: codes → (n, *shape).

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    network : Network
        Kind, widths and length of the codes.
    """

    def __init__(self, shape: tuple[int, ...], network: Network) -> None:
        super().__init__()
        self.encoder: nn.Module = KINDS[network.kind].encoder(shape, network)
        self.decoder: nn.Module = KINDS[network.kind].decoder(shape, network)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))
