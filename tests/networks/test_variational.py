from __future__ import annotations

import pytest
import torch

from clustlab.networks import Autoencoder, VariationalAutoencoder
from clustlab.networks.variational import LOG_VARIANCE_RANGE
from clustlab.spec import Network


@pytest.mark.parametrize("kind", ["mlp", "convolutional"])
def test_every_encoder_gets_a_second_head(kind: str) -> None:
    network = Network.model_validate({"kind": kind, "hidden": "12-6", "latent_dim": 3, "channels": 2})
    autoencoder = VariationalAutoencoder((8, 8), network, log_variance=-3.0)
    x = torch.rand(5, 8, 8)
    mean, log_variance = autoencoder.encoder.posterior(x)
    assert mean.shape == log_variance.shape == (5, 3)
    torch.testing.assert_close(autoencoder.encoder(x), mean)
    torch.testing.assert_close(autoencoder.encoder.plain(x), mean)
    torch.testing.assert_close(log_variance.mean().item(), -3.0, atol=1.0, rtol=0)


def test_means_begin_as_the_codes_of_a_plain_autoencoder() -> None:
    network, x = Network(hidden="12", latent_dim=3), torch.rand(5, 8)
    torch.manual_seed(0)
    plain = Autoencoder((8,), network)
    torch.manual_seed(0)
    variational = VariationalAutoencoder((8,), network)
    torch.testing.assert_close(variational(x), plain(x))


def test_log_variances_cannot_run_away() -> None:
    autoencoder = VariationalAutoencoder((8,), Network(hidden="12", latent_dim=3))
    _, log_variance = autoencoder.encoder.posterior(1e6 * torch.randn(50, 8))
    assert (log_variance.min().item(), log_variance.max().item()) == LOG_VARIANCE_RANGE
