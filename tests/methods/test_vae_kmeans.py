from __future__ import annotations

import math

import torch
from torch.distributions import Normal, kl_divergence
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass, ProbePass
from clustlab.training.setup import Work, set_up


def work_of(digits: Dataset, **options: object) -> Work:
    return set_up(small_spec("vae-kmeans", options=options), digits, torch.device("cpu"))


def test_the_loss_is_the_negative_bound_up_to_a_constant(digits_small: Dataset) -> None:
    """With β = 2σ²: d times the loss is 2σ² (−ELBO − d/2 log 2πσ²), sample by sample. Reductions match."""
    beta = 0.6
    work = work_of(digits_small, beta=beta)
    phase, model = work.phases[0], work.model["method"]
    current = Pass(phase, work.samples.x[:9], torch.arange(9))
    weighted = [term.weight * term.value(current) for term in phase.players[0].terms]
    variance = beta / 2
    mean, log_variance = model.autoencoder.encoder.posterior(current.x)
    likelihood = Normal(current.x_hat, math.sqrt(variance)).log_prob(current.x).flatten(1).sum(dim=1)
    divergence = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1)
    constant = 64 / 2 * math.log(2 * math.pi * variance)
    torch.testing.assert_close(64 * sum(weighted), 2 * variance * (divergence - likelihood - constant))


def test_training_draws_and_frames_show_means(digits_small: Dataset) -> None:
    work = work_of(digits_small)
    phase, encoder = work.phases[0], work.model["method"].autoencoder.encoder
    x, index = work.samples.x[:9], torch.arange(9)
    assert torch.equal(phase.represent(x, index), encoder.mean(x))
    draws = [Pass(phase, x, index).z for _ in range(2)]
    assert not torch.equal(draws[0], draws[1])


def test_a_heavier_divergence_brings_posteriors_closer_to_the_prior(digits_small: Dataset) -> None:
    training = {"epochs": 20, "batch_size": 50, "threads": 1, "device": "cpu"}
    divergence = []
    for beta in (0.01, 10.0):
        work, _, _ = trained(small_spec("vae-kmeans", options={"beta": beta}, training=training), digits_small)
        divergence.append(work.model["method"].kl(Pass(work.phases[0], work.samples.x, torch.arange(200))).sum().item())
    assert divergence[1] < 0.1 * divergence[0]


def test_what_frames_show_of_the_posterior(digits_small: Dataset) -> None:
    work = work_of(digits_small)
    phase, x = work.phases[0], work.samples.x[:9]
    probe = ProbePass(phase, x, torch.arange(9), torch.zeros(1, 2, dtype=torch.int64), torch.zeros(3))
    seen = {name: each.value(probe) for name, each in phase.observe.items()}
    mean, log_variance = work.model["method"].autoencoder.encoder.posterior(x)
    torch.testing.assert_close(seen["posterior_variances"], log_variance.exp())
    reference = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).mean(dim=0)
    torch.testing.assert_close(seen["kl_per_dimension"], reference)
    assert seen["prior_samples"].shape == (20, 8, 8)
    assert torch.equal(phase.observe["prior_samples"].value(probe), seen["prior_samples"]), "the same draws every time"
