"""The convolutional networks of ACAI (Berthelot et al. 2018), for images of any size.

Per scale two 3×3 convolutions with leaky ReLU (0.2) and 2×2 average pooling, down to 4×4; the decoder mirrors it with
nearest-neighbour upsampling. No batch normalisation anywhere. Two deviations, so that the methods of the lab can share
codes of one length: a linear layer leads from the 4×4 maps to J coordinates and back, and images are zero-padded to
4·2^S inside (28 → 32 as in the paper).
"""

import math
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from clustlab.errors import SpecError
from clustlab.spec import Network

__all__ = ["decoder", "encoder"]

SMALLEST = 4
"""Width of the maps before the linear layer."""


def _leaky_relu() -> nn.Module:
    return nn.LeakyReLU(0.2)


class _ToMaps(nn.Module):
    """(n, h, w) or (n, h, w, c) → (n, c, side, side), zero-padded around the image."""

    def __init__(self, shape: tuple[int, ...], side: int) -> None:
        super().__init__()
        self.grey = len(shape) == 2
        self.padding = _padding(shape, side)

    def forward(self, x: Tensor) -> Tensor:
        maps = x.unsqueeze(1) if self.grey else x.movedim(-1, 1)
        return functional.pad(maps, self.padding)


class _FromMaps(nn.Module):
    """The way back: crops the padding."""

    def __init__(self, shape: tuple[int, ...], side: int) -> None:
        super().__init__()
        self.grey = len(shape) == 2
        left, _, top, _ = _padding(shape, side)
        self.rows, self.columns = slice(top, top + shape[0]), slice(left, left + shape[1])

    def forward(self, maps: Tensor) -> Tensor:
        image = maps[:, :, self.rows, self.columns]
        return image.squeeze(1) if self.grey else image.movedim(1, -1)


def encoder(shape: tuple[int, ...], network: Network, activation: Callable[[], nn.Module] = _leaky_relu) -> nn.Module:
    """Return a network (n, h, w[, c]) → (n, J).

    Raises
    ------
    SpecError
        If the samples are no images.
    """
    side, scales = _scales(shape)
    layers: list[nn.Module] = [_ToMaps(shape, side), nn.Conv2d(_colours(shape), network.channels, 1)]
    width = network.channels
    for scale in range(scales):
        wider = network.channels * 2**scale
        layers += [nn.Conv2d(width, wider, 3, padding=1), activation()]
        layers += [nn.Conv2d(wider, wider, 3, padding=1), activation(), nn.AvgPool2d(2)]
        width = wider
    last = network.channels * 2**scales
    layers += [nn.Conv2d(width, last, 3, padding=1), activation()]
    layers += [nn.Flatten(), nn.Linear(last * SMALLEST**2, network.latent_dim)]
    return _initialised(nn.Sequential(*layers))


def decoder(shape: tuple[int, ...], network: Network, activation: Callable[[], nn.Module] = _leaky_relu) -> nn.Module:
    """Return a network (n, J) → (n, h, w[, c]) with linear output."""
    side, scales = _scales(shape)
    width = network.channels * 2**scales
    layers: list[nn.Module] = [
        nn.Linear(network.latent_dim, width * SMALLEST**2),
        nn.Unflatten(1, (width, SMALLEST, SMALLEST)),
    ]
    for scale in reversed(range(scales)):
        narrower = network.channels * 2**scale
        layers += [nn.Conv2d(width, narrower, 3, padding=1), activation()]
        layers += [nn.Conv2d(narrower, narrower, 3, padding=1), activation(), nn.Upsample(scale_factor=2)]
        width = narrower
    layers += [nn.Conv2d(width, network.channels, 3, padding=1), activation()]
    layers += [nn.Conv2d(network.channels, _colours(shape), 3, padding=1), _FromMaps(shape, side)]
    return _initialised(nn.Sequential(*layers))


def _scales(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the padded side 4·2^S and S."""
    if len(shape) not in (2, 3):
        raise SpecError("a convolutional network needs images; this data has vectors: choose network.kind = mlp")
    scales = max(0, math.ceil(math.log2(max(shape[:2]) / SMALLEST)))
    return SMALLEST * 2**scales, scales


def _colours(shape: tuple[int, ...]) -> int:
    return 1 if len(shape) == 2 else shape[2]


def _padding(shape: tuple[int, ...], side: int) -> tuple[int, int, int, int]:
    """Left, right, top, bottom."""
    rows, columns = side - shape[0], side - shape[1]
    return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2


def _initialised(network: nn.Module) -> nn.Module:
    """Normal weights of standard deviation 1/√((1 + 0.2²) fan_in), zero biases, as in ACAI's released code."""
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=1 / math.sqrt((1 + 0.2**2) * parameter[0].numel()))
        else:
            nn.init.zeros_(parameter)
    return network
