from __future__ import annotations

import numpy as np
import torch
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.ae_kmeans import Whitening
from clustlab.readout import KMeansProtocol, fit
from clustlab.training.probe import read_out_all


def test_whitened_codes_have_the_identity_as_covariance() -> None:
    """Reference check 4."""
    torch.manual_seed(0)
    z = torch.randn(400, 5) @ torch.randn(5, 5) + 7
    whitening = Whitening(5)
    whitening.learn(z)
    white = whitening(z)
    torch.testing.assert_close(white.mean(dim=0), torch.zeros(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(white.T @ white / 400, torch.eye(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(whitening.undo(white), z, atol=1e-3, rtol=0)


def test_directions_without_spread_are_not_blown_up() -> None:
    torch.manual_seed(0)
    flat = torch.randn(50, 3)
    flat[:, 1] = 2.0
    for z in (flat, torch.randn(2, 3)):
        whitening = Whitening(3)
        whitening.learn(z)
        assert whitening(z).abs().max() < 10
        torch.testing.assert_close(whitening.undo(whitening(z)), z, atol=1e-4, rtol=0)


def test_whitening_reaches_codes_centroids_and_decoder(digits_small: Dataset) -> None:
    work, _, _ = trained(small_spec("ae-kmeans", options={"whiten": True}), digits_small)
    model, phase = work.model["method"], work.phases[-1]
    found = read_out_all(phase, work.samples)
    np.testing.assert_allclose(np.cov(found["codes"].T, bias=True), np.eye(4), atol=1e-3)
    assert "whitened codes" in phase.protocol
    assert phase.any_decoder is not None
    x = work.samples.x[:5]
    torch.testing.assert_close(phase.any_decoder(phase.represent(x, torch.arange(5))), model.autoencoder(x))
    plain = model.autoencoder.encoder(work.samples.x).detach().numpy()
    protocol = KMeansProtocol(whiten=True, n_init=20)
    theirs = fit(plain, 10, seed=0, protocol=protocol).inertia
    ours = ((found["codes"] - found["centroids"][found["labels"]]) ** 2).sum()
    assert ours < 1.05 * theirs, "the read-out's own whitened k-means is as good as this one"


def test_without_whitening_codes_are_the_encoders(digits_small: Dataset) -> None:
    work, _, _ = trained(small_spec("ae-kmeans"), digits_small)
    x, phase = work.samples.x[:5], work.phases[-1]
    assert torch.equal(phase.represent(x, torch.arange(5)), work.model["method"].autoencoder.encoder(x))
    assert "not whitened" in phase.protocol
