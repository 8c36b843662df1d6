"""The network of DAC: convolutions without padding, normalised at every layer, down to one logit a cluster."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clustlab.errors import SpecError
from clustlab.networks.classifier import BatchNorm1d, BatchNorm2d

__all__ = ["PatternClassifier"]

SHRINKS = 2
"""Pixels of a side that a 3×3 convolution without padding takes."""
TRIPLE, PAIR = 3 * SHRINKS, 2 * SHRINKS
SMALLEST = 4
"""Pixels of a side that three convolutions must leave over."""
MOST_BLOCKS = 3
WINNING = 3.0
"""Logit of the winning cluster where ten clusters are alike in size, normalised to unit variance."""


class PatternClassifier(nn.Module):
    r"""Features, then dense layers from K to K that begin as the identity, then softmax.

    Every layer is followed by batch normalisation without scale and offset (trained ones are reported to spoil DAC)
    and ReLU. Convolutions are not padded. Images of ten pixels a side and more have the layout that was released for
    MNIST and STL: blocks of three convolutions and 2×2 max-pooling, channels doubling from block to block, as many as
    fit and three at most. Smaller ones have two convolutions. A 1×1 convolution then leads to K maps, which are
    averaged. Vectors have linear layers in place of convolutions.

    Normalisation fixes how far logits can spread. A cluster that holds a share 1/K of the samples and is told apart
    perfectly has normalised logits of :math:`\sqrt{K-1}` for its members: 3 for ten clusters, which makes cosines
    between clusters 0.12. For two it would be 1, cosines could not fall below 0.65, and every pair would end as a
    positive. Logits are therefore multiplied by :math:`3 / \sqrt{K-1}`, which is 1 for the paper's ten clusters.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample: (h, w), (h, w, c) or (D,).
    n_clusters : int
    channels : int
        Channels of the first convolution.
    widths : sequence of int
        Widths of the hidden layers, for vectors.
    dense_layers : int
        Layers from K to K.

    Raises
    ------
    SpecError
        If an image is smaller than five pixels a side.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        n_clusters: int,
        *,
        channels: int = 16,
        widths: Sequence[int] = (256, 256),
        dense_layers: int = 1,
    ) -> None:
        super().__init__()
        if len(shape) > 1:
            layers = _convolutions(shape, channels, n_clusters)
        else:
            layers = _hidden_layers([math.prod(shape), *widths, n_clusters])
        for layer in layers:
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        for _ in range(dense_layers):
            dense = nn.Linear(n_clusters, n_clusters, bias=False)
            nn.init.eye_(dense.weight)
            layers += [dense, BatchNorm1d(n_clusters, affine=False), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.scale = WINNING / math.sqrt(max(n_clusters - 1, 1))

    def represent(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → logits (n, K), none of them negative behind a dense layer."""
        logits: Tensor = self.scale * self.body(x)
        return logits

    def assign(self, z: Tensor) -> Tensor:
        """Logits (n, K) → p(y|x), (n, K)."""
        return F.softmax(z, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → p(y|x), (n, K)."""
        return self.assign(self.represent(x))

    @torch.no_grad()
    def calibrate(self, x: Tensor) -> None:
        """Set all running averages to those of a batch: before the first step they belong to no data."""
        layers = [module for module in self.modules() if isinstance(module, (BatchNorm1d, BatchNorm2d))]
        momenta = [layer.momentum for layer in layers]
        was_training = self.training
        self.train()
        for layer in layers:
            layer.momentum = 1.0
        self.represent(x)
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        self.train(was_training)


class _ToMaps(nn.Module):
    """(n, h, w) or (n, h, w, c) → (n, c, h, w)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(1) if x.dim() == 3 else x.movedim(-1, 1)


def _convolutions(shape: tuple[int, ...], channels: int, n_clusters: int) -> list[nn.Module]:
    side, width = min(shape[:2]), 1 if len(shape) == 2 else shape[2]
    if side <= PAIR:
        raise SpecError(f"DAC's convolutions need images of at least {PAIR + 1} pixels a side; these have {side}")
    layers: list[nn.Module] = [_ToMaps()]
    block = 0
    while side - TRIPLE >= SMALLEST and block < MOST_BLOCKS:
        wider = channels * 2**block
        for _ in range(3):
            layers += _convolution(width, wider, 3)
            width = wider
        layers += [nn.MaxPool2d(2), BatchNorm2d(width, affine=False)]
        side, block = (side - TRIPLE) // 2, block + 1
    if not block:
        layers += [*_convolution(width, channels, 3), *_convolution(channels, 2 * channels, 3)]
        width = 2 * channels
    layers += [*_convolution(width, n_clusters, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return [*layers, BatchNorm1d(n_clusters, affine=False)]


def _convolution(fan_in: int, fan_out: int, size: int) -> list[nn.Module]:
    convolution = nn.Conv2d(fan_in, fan_out, size, bias=False)
    return [convolution, BatchNorm2d(fan_out, affine=False), nn.ReLU()]


def _hidden_layers(sizes: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(fan_in, fan_out, bias=False), BatchNorm1d(fan_out, affine=False), nn.ReLU()]
    return [*layers, BatchNorm1d(sizes[-1], affine=False)]
