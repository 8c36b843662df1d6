"""Layers that multiply in bfloat16, for hardware that does so in a fraction of the time."""

import torch
from torch import Tensor, nn

__all__ = ["multiply_in_bfloat16"]


class Rounded(nn.Module):
    """Before a layer's class, has it round what it multiplies, and its result, to bfloat16."""

    def forward(self, input: Tensor) -> Tensor:
        """Return what the layer makes of its input, as float32."""
        with torch.autocast(input.device.type, torch.bfloat16):
            result: Tensor = super().forward(input)
        return result.float()


class RoundedLinear(Rounded, nn.Linear):
    """A linear layer that multiplies in bfloat16."""


class RoundedConv2d(Rounded, nn.Conv2d):
    """A convolution that multiplies in bfloat16."""


ROUNDED: dict[type[nn.Module], type[Rounded]] = {nn.Linear: RoundedLinear, nn.Conv2d: RoundedConv2d}


def multiply_in_bfloat16(model: nn.Module) -> None:
    """Have all linear layers and convolutions of a model multiply in bfloat16.

    Parameters, their gradients, the optimiser's memory and whatever an objective computes stay in float32: distances to
    centroids, logarithms of assignments and batch statistics lose too much in eight bits of mantissa, which is why
    autocast surrounds each layer and not the whole step. Layers change their class rather than being replaced: names
    of parameters, and who holds a layer, stay as they are.
    """
    for layer in model.modules():
        layer.__class__ = ROUNDED.get(type(layer), type(layer))
