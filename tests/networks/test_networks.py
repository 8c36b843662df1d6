from __future__ import annotations

import pytest
import torch

from clustlab.errors import SpecError
from clustlab.networks import Autoencoder, Critic
from clustlab.spec import Network


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (16, 16), (9, 13), (32, 32, 3)])
@pytest.mark.parametrize("kind", ["mlp", "convolutional"])
def test_networks_lead_from_samples_to_codes_and_back(kind: str, shape: tuple[int, ...]) -> None:
    network = Network.model_validate({"kind": kind, "hidden": "12-6", "latent_dim": 3, "channels": 2})
    autoencoder = Autoencoder(shape, network)
    x = torch.rand(5, *shape)
    z = autoencoder.encoder(x)
    assert z.shape == (5, 3)
    assert autoencoder.decoder(z).shape == x.shape
    assert Critic(shape, network)(x).shape == (5,)


def test_the_mlp_is_linear_in_its_codes_and_output() -> None:
    autoencoder = Autoencoder((6,), Network(hidden="4", latent_dim=2))
    assert isinstance(list(autoencoder.encoder.children())[-1], torch.nn.Linear)
    assert isinstance(list(autoencoder.decoder.children())[-2], torch.nn.Linear)


def test_convolutions_refuse_vectors() -> None:
    with pytest.raises(SpecError, match="needs images"):
        Autoencoder((64,), Network(kind="convolutional"))


def test_the_critic_has_no_batch_statistics() -> None:
    critic = Critic((8, 8), Network(kind="convolutional", channels=2)).train()
    x = torch.rand(6, 8, 8)
    torch.testing.assert_close(critic(x)[:2], critic(x[:2]))
