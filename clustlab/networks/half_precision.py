"""Layers that multiply in bfloat16, for accelerators that do so in a fraction of the time."""

import torch
from torch import Tensor, nn

__all__ = ["multiply_in_bfloat16"]


class Linear(nn.Linear):
    """One that rounds what it multiplies, and its result, to bfloat16."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (…, fan_in) to (…, fan_out), float32."""
        with torch.autocast(input.device.type, torch.bfloat16):
            return super().forward(input).float()


class Conv2d(nn.Conv2d):
    """One that rounds what it multiplies, and its result, to bfloat16."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (n, channels, height, width) to maps of the same kind, float32."""
        with torch.autocast(input.device.type, torch.bfloat16):
            return super().forward(input).float()


def multiply_in_bfloat16(model: nn.Module) -> None:
    """Have all linear layers and convolutions of a model multiply in bfloat16.

    Parameters, their gradients, the optimiser's memory and whatever an objective computes stay in float32: distances to
    centroids, logarithms of assignments and batch statistics lose too much in eight bits of mantissa, which is why
    autocast surrounds each layer and not the whole step. Layers change their class rather than being replaced: names
    of parameters, and who holds a layer, stay as they are.
    """
    for layer in model.modules():
        if type(layer) is nn.Linear:
            layer.__class__ = Linear
        elif type(layer) is nn.Conv2d:
            layer.__class__ = Conv2d
