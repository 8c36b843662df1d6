"""Gaussian KLD: what its phase minimises, and how components follow their samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from training_helpers import small_spec, trained

import clustlab
from clustlab.data import Dataset
from clustlab.methods.base import Pass, Phase
from clustlab.methods.gaussian_kld import LEAST_VARIANCE, GaussianKLDModel
from clustlab.objectives.gaussian_kld import divergence
from clustlab.training.setup import Work, set_up


def ready(dataset: Dataset, **options: float) -> tuple[Work, GaussianKLDModel, Phase]:
    """A run that stands before the first step of its clustering phase."""
    work = set_up(small_spec("gaussian-kld", options={"n_init": 1, **options}), dataset, torch.device("cpu"))
    phase = work.phases[-1]
    assert phase.on_enter is not None
    phase.on_enter()
    phase.every[0].run()
    model: GaussianKLDModel = work.model["method"]
    return work, model, phase


def divergences(work: Work, model: GaussianKLDModel, phase: Phase) -> torch.Tensor:
    """The unweighted clustering term of all samples."""
    n = len(work.samples)
    return phase.players[0].terms[1].value(Pass(phase, work.samples.x, torch.arange(n))).detach()


def test_the_term_is_the_divergence_from_the_own_component(digits_small: Dataset) -> None:
    work, model, phase = ready(digits_small)
    mean, log_variance = model.autoencoder.encoder.posterior(work.samples.x)
    own = model.labels
    expected = divergence(mean, log_variance, model.means[own], model.variances[own].log()).sum(dim=1)
    torch.testing.assert_close(divergences(work, model, phase), expected)
    assert phase.players[0].terms[1].weight == pytest.approx(1 / 64)


def test_unit_variances_leave_half_the_squared_distance(digits_small: Dataset) -> None:
    """Reference check 8, on the whole phase; components are then the centroids of k-means."""
    work, model, phase = ready(digits_small, unit_variance=True)
    codes = work.samples.map(model.autoencoder.encoder)
    distance = (codes - model.means[model.labels]).square().sum(dim=1)
    torch.testing.assert_close(divergences(work, model, phase), 0.5 * distance)
    assert torch.equal(model.assign(codes).argmax(dim=1), torch.cdist(codes, model.means).argmin(dim=1))
    assert model.variances.eq(1).all()


def test_components_stand_where_the_divergence_of_their_samples_is_least(digits_small: Dataset) -> None:
    """Whichever way a mean or a variance is moved, the sum over samples grows."""
    work, model, phase = ready(digits_small)
    least = divergences(work, model, phase).sum()
    torch.manual_seed(0)
    for _ in range(10):
        kept = model.means, model.variances
        model.means = model.means + 0.05 * torch.randn_like(model.means)
        model.variances = model.variances * (0.1 * torch.randn_like(model.variances)).exp()
        assert divergences(work, model, phase).sum() > least
        model.means, model.variances = kept


def test_variances_of_components_end_at_the_floor(digits_small: Dataset) -> None:
    work, model, phase = ready(digits_small)
    encoder = model.autoencoder.encoder
    with torch.no_grad():
        encoder.mean_head.weight.zero_()
        encoder.log_variance_head.bias.fill_(-100)
    phase.every[0].run()
    assert model.variances.min().item() == pytest.approx(LEAST_VARIANCE)
    assert divergences(work, model, phase).isfinite().all()


def test_a_component_without_samples_begins_anew(digits_small: Dataset) -> None:
    _, model, phase = ready(digits_small)
    model.means = model.means.clone()
    model.means[3] = 1e3
    values = phase.every[0].run()
    assert values is not None
    assert values["dead_clusters"] >= 1
    assert (model.labels == 3).any()
    assert model.means[3].abs().max() < 100


def test_the_decoder_sees_draws(digits_small: Dataset) -> None:
    """With means alone, variances of samples and of components could shrink together at no cost."""
    work, model, phase = ready(digits_small)
    first, second = (Pass(phase, work.samples.x[:4], torch.arange(4)) for _ in range(2))
    assert not torch.equal(first.z, second.z)
    reconstruction = phase.players[0].terms[0].value(first).mean()
    (gradient,) = torch.autograd.grad(reconstruction, model.autoencoder.encoder.log_variance_head.bias)
    assert gradient.abs().max() > 0


def test_clustering_lowers_the_divergence(blobs: Dataset) -> None:
    options = {"cluster_epochs": 10}
    _, _, listener = trained(small_spec("gaussian-kld", data="blobs", options=options), blobs)
    terms = [each["divergence"] for each in listener.terms if "divergence" in each]
    assert np.mean(terms[-5:]) < 0.8 * np.mean(terms[:5])


def test_frames_show_parts_components_and_where_codes_are_drawn(runs: Path) -> None:
    run = clustlab.train(
        "gaussian-kld",
        data="digits",
        settings=["training.epochs=1", "training.threads=1", "cluster_epochs=1", "recording.probe=50"],
    )
    frame = run.frames[-1]
    arrays = {name: torch.from_numpy(frame.arrays[name].astype(np.float32)) for name in frame.array_names}
    centroids, variances = arrays["centroids"][frame.labels], arrays["component_variances"][frame.labels]
    torch.testing.assert_close(arrays["pull"], centroids, atol=2e-2, rtol=1e-3)
    parts = arrays["kld_parts"]
    assert parts.shape == (50, 3)
    total = divergence(arrays["codes"], arrays["posterior_variances"].log(), centroids, variances.log()).sum(dim=1)
    torch.testing.assert_close(parts.sum(dim=1), total, atol=0.1, rtol=0.02)
