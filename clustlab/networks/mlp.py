"""Fully connected networks: DEC's d–h₁–…–J encoder and its mirror image."""

import math
from collections.abc import Callable

from torch import nn

from clustlab.spec import Network

__all__ = ["decoder", "encoder"]


def encoder(shape: tuple[int, ...], network: Network, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Module:
    """Return a network (n, *shape) → (n, J): ReLU inside, linear codes (DEC, section 3.2).

    PyTorch's default initialisation of linear layers, U(±1/√fan_in), is the VarianceScaling(1/3, fan_in, uniform)
    that DEC-Keras found to make layer-wise pretraining unnecessary.
    """
    return nn.Sequential(nn.Flatten(), *_layers([math.prod(shape), *network.widths, network.latent_dim], activation))


def decoder(shape: tuple[int, ...], network: Network, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Module:
    """Return the encoder's mirror image, (n, J) → (n, *shape), with linear output."""
    widths = [network.latent_dim, *reversed(network.widths), math.prod(shape)]
    return nn.Sequential(*_layers(widths, activation), nn.Unflatten(1, shape))


def _layers(widths: list[int], activation: Callable[[], nn.Module]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return layers[:-1]
