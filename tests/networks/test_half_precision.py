from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from clustlab.networks import Autoencoder
from clustlab.networks.half_precision import multiply_in_bfloat16
from clustlab.spec import Network


@pytest.mark.parametrize("kind", ["mlp", "convolutional"])
def test_only_products_are_rounded(kind: str) -> None:
    exact = Autoencoder((8, 8), Network(kind=kind, hidden="16", latent_dim=3, channels=2))
    rounded = copy.deepcopy(exact)
    multiply_in_bfloat16(rounded)
    assert list(rounded.state_dict()) == list(exact.state_dict())
    x = torch.rand(5, 8, 8)
    z = rounded.encoder(x)
    assert z.dtype == torch.float32
    assert not torch.equal(z, exact.encoder(x))
    torch.testing.assert_close(z, exact.encoder(x), rtol=0.05, atol=0.02)
    rounded.decoder(z).square().sum().backward()
    for parameter in rounded.parameters():
        assert parameter.dtype == torch.float32
        assert parameter.grad is not None
        assert parameter.grad.dtype == torch.float32


@pytest.mark.parametrize(
    ("layer", "x"),
    [(nn.Linear(7, 4), torch.rand(3, 7)), (nn.Conv2d(2, 4, 3, stride=2, padding=1), torch.rand(3, 2, 6, 6))],
    ids=["linear", "convolution"],
)
def test_one_layer_against_rounding_by_hand(layer: nn.Module, x: torch.Tensor) -> None:
    """Input, weight and bias are rounded to eight bits of mantissa, sums are not, and then the result is."""
    by_hand = copy.deepcopy(layer).double()
    for parameter in by_hand.parameters():
        parameter.data = parameter.data.bfloat16().double()
    expected = by_hand(x.bfloat16().double())
    multiply_in_bfloat16(layer)
    result = layer(x)
    assert torch.equal(result, result.bfloat16().float())
    torch.testing.assert_close(result.double(), expected, rtol=2**-8, atol=1e-6)
