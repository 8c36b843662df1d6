"""VaDE: what its phase minimises, how the mixture begins, is kept in bounds and is looked after."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.mixture import GaussianMixture
from training_helpers import small_spec, trained

import clustlab
from clustlab.data import Dataset
from clustlab.methods.base import Pass, Phase, ProbePass
from clustlab.methods.vade import VaDEModel
from clustlab.networks.variational import LOG_VARIANCE_RANGE
from clustlab.objectives.mixture_prior import log_responsibility
from clustlab.objectives.variational import kl_to_standard_normal
from clustlab.training.loop import make_optimiser
from clustlab.training.setup import Work, set_up


def ready(dataset: Dataset, **options: float) -> tuple[Work, VaDEModel, Phase]:
    """A run that stands before its clustering phase, with the mixture fitted to the codes."""
    work = set_up(small_spec("vade", options={"n_init": 1, **options}), dataset, torch.device("cpu"))
    phase = work.phases[-1]
    assert phase.on_enter is not None
    phase.on_enter()
    model: VaDEModel = work.model["method"]
    return work, model, phase


def a_pass(work: Work, phase: Phase, n: int = 32) -> Pass:
    return Pass(phase, work.samples.x[:n], torch.arange(n))


def test_the_weighted_terms_are_the_bound_divided_by_what_a_nat_is_worth(digits_small: Dataset) -> None:
    """With the Gaussian likelihood written out: loss = 2σ²/d · (−ELBO − constant), here for σ² = 0.2, γ at the draw."""
    work, model, phase = ready(digits_small, noise_variance=0.2)
    torch.manual_seed(1)
    current = a_pass(work, phase)
    (player,) = phase.players
    loss = torch.stack([term.weight * term.value(current) for term in player.terms]).sum(dim=0)

    mean, log_variance = model.autoencoder.encoder.posterior(current.x)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    components = torch.distributions.Normal(model.means, (model.log_variances / 2).exp())
    divergence = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean[:, None], posterior.stddev[:, None]), components
    ).sum(dim=2)
    pi = model.logits.softmax(dim=0)
    joint = pi * components.log_prob(current.z[:, None]).sum(dim=2).double().exp()
    gamma = joint / joint.sum(dim=1, keepdim=True)
    nats = (gamma * divergence).sum(dim=1) + (torch.xlogy(gamma, gamma) - gamma * pi.log()).sum(dim=1)
    error = (current.x - model.autoencoder.decoder(current.z)).square().flatten(1).sum(dim=1) / (2 * 0.2)
    torch.testing.assert_close(loss.double(), 2 * 0.2 / 64 * (error + nats), rtol=1e-4, atol=1e-5)


def test_training_sees_draws_and_frames_see_means(digits_small: Dataset) -> None:
    work, model, phase = ready(digits_small)
    x, index = work.samples.x[:8], torch.arange(8)
    means = model.autoencoder.encoder(x)
    probe = ProbePass(phase, x, index, torch.tensor([[0, 1]]), torch.tensor([0.0, 1.0]))
    assert torch.equal(probe.z, means)
    torch.testing.assert_close(model.log_gamma(probe).exp(), phase.assign(means))  # type: ignore[misc]
    away = torch.stack([Pass(phase, x, index).z - means for _ in range(500)])
    assert away.std().item() == pytest.approx(math.exp(-1.5), rel=0.05)  # every posterior begins at log-variance −3
    assert away.mean().abs().item() < 0.02


def test_one_component_at_the_standard_normal_is_a_variational_autoencoder(digits_small: Dataset) -> None:
    work = set_up(small_spec("vade", n_clusters=1), digits_small, torch.device("cpu"))
    model, phase = work.model["method"], work.phases[-1]
    current = a_pass(work, phase)
    weight = phase.players[0].terms[1].weight
    prior = torch.stack([term.weight * term.value(current) for term in phase.players[0].terms[1:]]).sum(dim=0)
    expected = kl_to_standard_normal(*model.posterior(current)).sum(dim=1)
    torch.testing.assert_close(prior, weight * expected, rtol=1e-4, atol=1e-5)


def test_the_mixture_begins_as_the_likeliest_fit_to_the_codes(digits_small: Dataset) -> None:
    work, model, _ = ready(digits_small, n_init=3)
    codes = work.samples.map(model.autoencoder.encoder)
    theirs = GaussianMixture(10, covariance_type="diag", n_init=3, random_state=0).fit(codes.double().numpy())
    with torch.no_grad():
        joint = torch.distributions.Normal(model.means, (model.log_variances / 2).exp())
        density = joint.log_prob(codes[:, None]).sum(dim=2) + model.log_weights
    ours = density.logsumexp(dim=1).mean().item()
    assert ours > theirs.score(codes.double().numpy()) - 0.3


def test_terms_stand_once_and_the_mixture_has_a_learning_rate_of_its_own(digits_small: Dataset) -> None:
    work, model, phase = ready(digits_small, learning_rate=1e-3, mixture_learning_rate=1e-4)
    (player,) = phase.players
    names = [term["name"] for term in work.about()["phases"][-1]["terms"]]
    assert names == ["reconstruction", "cross_entropy", "assignment", "negative_entropy"]
    rates = {parameter: group["lr"] for group in make_optimiser(player).param_groups for parameter in group["params"]}
    assert [rates[parameter] for parameter in model.mixture] == pytest.approx([1e-4] * 3)
    assert {rates[parameter] for parameter in model.autoencoder.parameters()} == {1e-3}


def test_a_component_without_samples_begins_anew_and_stays_in_use(digits_small: Dataset) -> None:
    work, model, phase = ready(digits_small)
    (hook,) = phase.every
    hook.run()
    with torch.no_grad():
        model.means[3] = 1e3
    values = hook.run()
    assert values is not None
    assert values["dead_clusters"] == 1
    assert values["active_components"] < 9.9
    assert model.means[3].abs().max() < 100
    assert hook.run()["dead_clusters"] == 0  # type: ignore[index]


def test_components_are_left_alone_where_nobody_asks_for_new_ones(digits_small: Dataset) -> None:
    _, model, phase = ready(digits_small, reseed_below=0)
    with torch.no_grad():
        model.means[3] = 1e3
    values = phase.every[0].run()
    assert values is not None
    assert values["dead_clusters"] == 0
    assert model.means[3].eq(1e3).all()


def test_variances_of_components_are_brought_back_after_each_step(digits_small: Dataset) -> None:
    work, model, phase = ready(digits_small)
    with torch.no_grad():
        model.log_variances[0], model.log_variances[1] = 50, -50
    assert phase.after_step is not None
    phase.after_step(a_pass(work, phase))
    assert (model.log_variances.min().item(), model.log_variances.max().item()) == LOG_VARIANCE_RANGE


def test_loss_and_gradients_stay_numbers_however_far_codes_have_run(digits_small: Dataset) -> None:
    work, model, phase = ready(digits_small)
    encoder = model.autoencoder.encoder
    with torch.no_grad():
        encoder.mean_head.bias += 1e3
        encoder.log_variance_head.bias += 1e3
        model.log_variances.fill_(LOG_VARIANCE_RANGE[0])
    (player,) = phase.players
    current = a_pass(work, phase)
    loss = torch.stack([term.value(current).mean() for term in player.terms]).sum()
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in player.parameters)


def test_clustering_lowers_the_bound_and_moves_the_mixture(blobs: Dataset) -> None:
    options = {"cluster_epochs": 15, "warm_up": 0, "n_init": 1}
    work, _, listener = trained(small_spec("vade", data="blobs", options=options), blobs)
    terms = [each for each in listener.terms if "assignment" in each]
    weights = {term.name: term.weight for term in work.phases[-1].players[0].terms}
    losses = torch.tensor([sum(weights[name] * value for name, value in each.items()) for each in terms])
    assert losses[-10:].mean() < losses[:10].mean()
    changes = [values for name, values in listener.values_seen if name == "mixture"]
    assert len(changes) == 15
    assert "label_change" not in changes[0]  # nothing to compare with
    assert "label_change" in changes[1]


def test_the_prior_is_warmed_up_and_learning_rates_decay_to_a_tenth(digits_small: Dataset) -> None:
    _, _, phase = ready(digits_small, warm_up=4, decay=0.5, decay_interval=2)
    (player,) = phase.players
    per_epoch = 200 // 64
    assert player.terms[0].weight_at(0) == 1
    for term in player.terms[1:]:
        assert term.weight_at(0) < term.weight / 4
        assert term.weight_at(4 * per_epoch) == term.weight
    rates = [player.optimiser.learning_rate_at(epoch * per_epoch) for epoch in (0, 1, 2, 4, 1000)]
    assert rates == pytest.approx([2e-3, 2e-3, 1e-3, 5e-4, 2e-4])


def test_frames_show_the_mixture_the_posteriors_and_draws_from_the_prior(runs: object) -> None:
    run = clustlab.train(
        "vade",
        data="digits",
        settings=["training.epochs=1", "training.threads=1", "cluster_epochs=1", "recording.probe=50", "n_init=1"],
    )
    frame = run.frames[-1]
    arrays = frame.arrays
    assert arrays["component_weights"].sum() == pytest.approx(1, abs=1e-5)
    assert arrays["component_variances"].shape == (10, 10)
    assert arrays["posterior_variances"].shape == (50, 10)
    assert arrays["kl_per_dimension"].shape == (10,)
    assert (arrays["kl_per_dimension"] >= 0).all()
    assert arrays["prior_samples"].shape == (40, 8, 8)
    assert arrays["prior_samples"].min() >= 0
    assert arrays["prior_samples"].max() <= 1
    # γ follows from what stands in the frame, so components are in one order in all arrays
    parts = (torch.from_numpy(arrays[name]) for name in ("component_weights", "centroids", "component_variances"))
    weights, means, variances = parts
    gamma = log_responsibility(torch.from_numpy(arrays["codes"]), weights.log(), means, variances.log()).exp()
    torch.testing.assert_close(gamma, torch.from_numpy(arrays["q"]).float(), atol=2e-3, rtol=0)
