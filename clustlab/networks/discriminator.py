"""A discriminator: tells codes of one origin from codes of another."""

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["Discriminator"]


class Discriminator(nn.Module):
    """Fully connected, leaky ReLU (0.2) inside, one logit out: (n, J) → (n,).

    Positive logits say that a code is real. No batch normalisation: real and other codes come in separate batches
    whose statistics would give them away.

    Parameters
    ----------
    dimension : int
        Length of a code, J (and of what is appended to it).
    widths : sequence of int
        Hidden layers; ACAI's authors compare with 100, 100.
    """

    def __init__(self, dimension: int, widths: Sequence[int] = (100, 100)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip((dimension, *widths), widths, strict=False):
            layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers, nn.Linear(widths[-1] if widths else dimension, 1))

    def forward(self, z: Tensor) -> Tensor:
        return self.body(z).squeeze(1)
