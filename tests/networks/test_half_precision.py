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


def test_one_linear_layer_against_rounding_by_hand() -> None:
    layer = nn.Linear(7, 4)
    x = torch.rand(3, 7)
    expected = nn.functional.linear(x.bfloat16(), layer.weight.bfloat16(), layer.bias.bfloat16()).float()
    multiply_in_bfloat16(layer)
    assert torch.equal(layer(x), expected)
